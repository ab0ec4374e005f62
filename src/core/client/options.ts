/** What a client is made with. */
import { assert } from "../assert.js";
import type { NodeId } from "../ids.js";
import type { Marks } from "../marks.js";
import { nonceBytesMax } from "../store/client-protocol.js";
import { isSlotCount } from "../store/slots.js";
import type { Routing } from "./routing.js";

export interface ClientOptions {
  /** Nodes to ask for the map while there is none; at least one. */
  readonly seeds: readonly NodeId[];
  /** The cluster's; a map with another one is none of this cluster. */
  readonly slotCount: number;
  /** What the client knows at first: a fixed routing, or null where the map has to be fetched. */
  readonly routing: Routing | null;
  /** Null where there is no map. Bytes that are no map give null, too. */
  readonly decodeMap: ((bytes: Uint8Array) => Routing | null) | null;
  /** Random bytes that no other client has, at most 56: sessions are opened under them. */
  readonly nonce: Uint8Array;
  /** For the spread of waits alone. Four 32-bit words. */
  readonly seed: readonly [number, number, number, number];
  readonly marks: Marks;
  /** Number of the first request. Default 1. */
  readonly firstRequest?: number;
  readonly times?: Partial<ClientTimes>;
  readonly limits?: Partial<ClientLimits>;
}

/** Waits double from `min` to `max`, and each is shortened by up to a half. */
export interface WaitUs {
  readonly min: number;
  readonly max: number;
}

export interface ClientTimes {
  /** Without an answer for so long another node is asked. Default 0.5 s to 4 s. */
  readonly timeoutUs: WaitUs;
  /** After a refusal. Default 10 ms to 500 ms. */
  readonly backoffUs: WaitUs;
  /** Between two requests for the map at least. Default 100 ms. */
  readonly mapEveryUs: number;
}

export const clientTimesDefault: ClientTimes = {
  timeoutUs: { min: 500_000, max: 4_000_000 },
  backoffUs: { min: 10_000, max: 500_000 },
  mapEveryUs: 100_000,
};

export interface ClientLimits {
  /** Under way at once; further ones fail as `operationsFull`. Default 256. */
  readonly operationsMax: number;
  /**
   * Groups whose leader and session are remembered; the one unused longest is forgotten first. The
   * sessions of operations under way are kept beside these. Default 1,024.
   */
  readonly groupsMax: number;
  /**
   * Requests of one operation, or of one opening of a session, whose answers are still taken. An
   * older attempt counts as one that may have been applied. Default 16.
   */
  readonly attemptsOpenMax: number;
}

export const clientLimitsDefault: ClientLimits = {
  operationsMax: 256,
  groupsMax: 1024,
  attemptsOpenMax: 16,
};

/** Of a nonce, beside the number of the opening. */
const noncePrefixBytesMax = nonceBytesMax - 8;

export function checkClientOptions(options: ClientOptions, limits: ClientLimits): void {
  const { seeds, nonce, routing, slotCount } = options;
  assert(isSlotCount(slotCount), "the slot count is a power of two", { slotCount });
  assert((routing?.slotCount ?? slotCount) === slotCount, "a cluster has one slot count");
  assert(seeds.length > 0, "a client knows a node at first");
  assert(nonce.length <= noncePrefixBytesMax, "a nonce has room for a number", {
    bytes: nonce.length,
  });
  for (const limit of Object.values(limits)) assert(limit >= 1, "a limit is at least 1", { limit });
}
