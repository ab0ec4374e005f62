/** One client and its effects, a step at a time, with a map that the test writes. */
import { Client } from "../../../src/core/client/client.js";
import type { ClientEffect, ClientInput, Outcome } from "../../../src/core/client/contract.js";
import type { ClientOptions } from "../../../src/core/client/options.js";
import { type GroupId, type NodeId, groupId, incarnation, index } from "../../../src/core/ids.js";
import {
  type ClientAnswer,
  type ClientRequest,
  type SessionId,
  decodeClientRequest,
  encodeClientAnswer,
} from "../../../src/core/store/client-protocol.js";
import { CountedMarks } from "../counted-marks.js";
import { type Owners, decodeOwners, encodeOwners, nodes } from "./maps.js";

export const groupA: GroupId = groupId(2);
export const groupB: GroupId = groupId(3);
export const slotCount = 4;

export interface Asked {
  readonly number: number;
  readonly node: NodeId;
  readonly request: ClientRequest;
}

export function sessionOf(group: GroupId, at: number): SessionId {
  return { group, incarnation: incarnation(0), index: index(at) };
}

/** All slots are of one group. */
export function allOf(group: GroupId, epoch: number): Owners {
  return Array.from({ length: slotCount }, () => ({ group, epoch }));
}

export class OneClient {
  readonly marks = new CountedMarks();
  readonly client: Client;
  readonly outcomes = new Map<number, Outcome>();
  /** Sent and not yet taken by `next`. */
  readonly asked: Asked[] = [];
  nowUs = 1_000;
  wakeAtUs: number = Infinity;

  constructor(options: Partial<ClientOptions> = {}) {
    this.client = new Client({
      seeds: nodes,
      slotCount,
      routing: decodeOwners(encodeOwners(1, allOf(groupA, 1))),
      decodeMap: decodeOwners,
      nonce: Uint8Array.of(1, 2),
      seed: [1, 2, 3, 4],
      marks: this.marks,
      ...options,
    });
  }

  step(input: ClientInput): void {
    const out: ClientEffect[] = [];
    this.client.step(this.nowUs, input, out);
    for (const effect of out) {
      if (effect.kind === "finished") this.outcomes.set(effect.operation, effect.outcome);
      else if (effect.kind === "wakeAt") this.wakeAtUs = effect.at;
      else {
        const request = decodeClientRequest(effect.bytes);
        if (request.kind === "undecodable") throw new Error("a request can be read");
        this.asked.push({ number: effect.request, node: effect.node, request });
      }
    }
  }

  command(operation: number, slot = 0, timeoutUs = 60_000_000): void {
    const bytes = Uint8Array.of(operation);
    this.step({ kind: "submit", type: "command", operation, slot, bytes, timeoutUs });
  }

  read(operation: number, mode: "index" | "lease" | "follower", timeoutUs = 60_000_000): void {
    const bytes = Uint8Array.of(operation);
    this.step({ kind: "submit", type: "read", mode, operation, slot: 0, bytes, timeoutUs });
  }

  answer({ number }: Asked, answer: ClientAnswer): void {
    this.step({ kind: "answer", request: number, bytes: encodeClientAnswer(answer) });
  }

  /** The next request of that kind; the timer goes off as often as it takes. */
  next<Kind extends ClientRequest["kind"]>(
    kind: Kind,
  ): Asked & { readonly request: Extract<ClientRequest, { kind: Kind }> } {
    for (let n = 0; n < 100; n++) {
      while (this.asked.length > 0) {
        const asked = this.asked.shift()!;
        if (asked.request.kind === kind) return asked as never;
      }
      this.timer();
    }
    throw new Error(`a ${kind} is sent`);
  }

  timer(): void {
    if (this.wakeAtUs === Infinity) return;
    this.nowUs = this.wakeAtUs;
    this.step({ kind: "timer" });
  }

  /** Opens the session that is asked for. */
  open(at: number): SessionId {
    const asked = this.next("openSession");
    const session = sessionOf(asked.request.group, at);
    this.answer(asked, { kind: "opened", session });
    return session;
  }

  /** Answers the next request for the map. */
  map(version: number, owners: Owners): void {
    this.answer(this.next("map"), { kind: "map", version, bytes: encodeOwners(version, owners) });
  }

  /** Until nothing is under way: nobody answers. */
  runOut(): void {
    for (let n = 0; n < 10_000 && this.client.state.operations.size > 0; n++) this.timer();
  }
}
