/** A steward with a map at its side, and nodes that answer as a test says. */
import { pack } from "../../../src/core/plain.js";
import type { NodeId, RequestId } from "../../../src/core/ids.js";
import { type NodeRequest, decodeNodeRequest } from "../../../src/core/node/node-requests.js";
import { Steward } from "../../../src/core/steward/steward.js";
import type { ClientAnswer } from "../../../src/core/store/client-protocol.js";
import { decodeGroupLifeEntry } from "../../../src/core/store/group-life.js";
import type { TestMap } from "../map/maps.js";

export interface Asked {
  readonly node: NodeId;
  readonly request: NodeRequest;
  /** Of the request, or of the entry of group life in it. */
  readonly kind: string;
}

/** Null: the answer is lost. */
export type Answering = (asked: Asked) => ClientAnswer | null;

export const done: ClientAnswer = { kind: "done", bytes: new Uint8Array() };

export function refused(leader: number): ClientAnswer {
  return { kind: "refused", reason: "notLeader", leader: leader as NodeId };
}

export class StewardWorld {
  readonly asked: Asked[] = [];
  readonly marks: string[] = [];
  readonly steward: Steward;
  answering: Answering;
  /** False: reports are lost. */
  reports = true;
  nowUs = 0;
  readonly #test: TestMap;
  #wakeAtUs = Infinity;
  #requests = 0;
  readonly #waiting: { readonly request: RequestId; readonly asked: Asked }[] = [];
  readonly #reported: Parameters<TestMap["ask"]>[0][] = [];

  constructor(test: TestMap, answering: Answering) {
    this.#test = test;
    this.answering = answering;
    this.steward = new Steward({
      marks: { hit: (name) => this.marks.push(name as string) },
      options: { askTimeoutUs: 1_000, retryUs: 100, pieceBytes: 4, laggingMax: 8 },
      nowUs: () => this.nowUs,
      wakeAt: (_sleeper, atUs) => (this.#wakeAtUs = atUs),
      ask: (node, bytes) => this.#ask(node, bytes),
      report: (command) => this.#reported.push(command),
    });
  }

  /** Takes office. */
  begin(): void {
    this.steward.look(this.#test.map.state);
  }

  /** Delivers answers and reports and lets time pass, until the steward wants nothing or `until`. */
  run(until: () => boolean = () => false, turnsMax = 1_000): void {
    for (let turn = 0; turn < turnsMax && !until(); turn++) {
      if (this.#deliver()) continue;
      if (this.#wakeAtUs === Infinity) return;
      this.nowUs = Math.max(this.nowUs, this.#wakeAtUs);
      this.steward.woken();
    }
  }

  get kinds(): string[] {
    return this.asked.map(({ kind }) => kind);
  }

  #deliver(): boolean {
    const report = this.#reported.shift();
    if (report !== undefined) {
      if (this.reports) this.#test.ask(report);
      this.steward.look(this.#test.map.state);
      return true;
    }
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    const answer = this.answering(next.asked);
    if (answer !== null) this.steward.answered(next.request, answer);
    return true;
  }

  #ask(node: NodeId, bytes: Uint8Array): RequestId {
    const request = decodeNodeRequest(bytes);
    if (request.kind === "undecodable") throw new Error("the steward asks nonsense");
    const life = request.kind === "life" ? decodeGroupLifeEntry(request.payload) : null;
    const asked = { node, request, kind: life?.kind ?? request.kind };
    this.asked.push(asked);
    const id = ++this.#requests as RequestId;
    this.#waiting.push({ request: id, asked });
    return id;
  }
}

export const someState: Uint8Array = pack("0123456789");
