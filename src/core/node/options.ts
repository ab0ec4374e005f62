/** What may be set about a node. Every queue, map and buffer of the host is bounded by one of these. */
import { assert } from "../assert.js";
import { wrongNumbers } from "../option-checks.js";

export interface NodeOptions {
  /** Frames and requests that wait for a turn; further ones are dropped or refused. Default 65,536. */
  readonly inboxItemsMax: number;
  /** Inputs that one turn takes on, and steps that a turn adds to them by itself. Default 256. */
  readonly turnInputsMax: number;
  /** Clients' requests under way; further ones are refused as overloaded. Default 16,384. */
  readonly requestsPendingMax: number;
  /** After so long a request is answered: `unknown`, or for reads refused as timeout. Default 5 s. */
  readonly requestTimeoutUs: number;
  /** Effects that one replica may hold back; further messages are lost as on a link. Default 16,384. */
  readonly heldMax: number;
  /** Frames for one peer in one turn; further messages are lost as on a link. Default 16,384. */
  readonly peerFramesMax: number;
  /** Sleeping replicas that a node wakes by itself in one heartbeat interval. Default 64. */
  readonly wakesMax: number;
  /** When not even essential writes found room, nothing is tried again before this. Default 100 ms. */
  readonly refusedRetryUs: number;
  /** So long the state machine of one group may hold up a turn; then others have theirs. Default 1 ms. */
  readonly applySliceUs: number;
  /**
   * A state machine whose entries take longer than that, again and again, gets one part in so many of
   * its node's time. Default 500: what it holds up stays below the 99th percentile of the others.
   */
  readonly applyStallOneIn: number;
}

export const nodeDefaults: NodeOptions = {
  inboxItemsMax: 65_536,
  turnInputsMax: 256,
  requestsPendingMax: 16_384,
  requestTimeoutUs: 5_000_000,
  heldMax: 16_384,
  peerFramesMax: 16_384,
  wakesMax: 64,
  refusedRetryUs: 100_000,
  applySliceUs: 1_000,
  applyStallOneIn: 500,
};

/** Fills in the defaults; a limit that is no positive whole number is a bug of the caller. */
export function nodeOptions(given: Partial<NodeOptions> = {}): NodeOptions {
  const options: NodeOptions = { ...nodeDefaults, ...given };
  const wrong = wrongNumbers(options);
  assert(wrong.length === 0, "a limit of a node is a positive number", { wrong });
  return options;
}
