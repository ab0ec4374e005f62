/** The bare core: three replicas in one thread, no codec, no disk. Commits per second. */
import type { ConsensusEffect } from "../src/core/consensus.js";
import { identitySealer } from "../src/core/keys/sealing.js";
import { entryType, type SnapshotMeta } from "../src/core/entry.js";
import type { Boot, GroupId, Incarnation, Index, NodeId, ReplicaId } from "../src/core/ids.js";
import type { RequestId, Term, Token } from "../src/core/ids.js";
import { firstConfiguration } from "../src/core/raft/configuration-change.js";
import { encodeConfiguration } from "../src/core/raft/configuration-codec.js";
import type { RaftMessage } from "../src/core/raft/messages.js";
import { raftDefaults } from "../src/core/raft/options.js";
import { Raft, type RaftInput } from "../src/core/raft/raft.js";

type Effect = ConsensusEffect<RaftMessage>;

const marks = { hit(): void {} };
const payload = new Uint8Array(100).fill(7);

export interface RaftCoreResult {
  readonly inFlight: number;
  readonly commitsPerSecond: number;
}

/** Rounds: replicas take turns; what one says, others hear in their next turn. */
export class BareLoop {
  readonly #rafts: Raft[] = [];
  readonly #inboxes: RaftInput[][] = [[], [], []];
  #nowUs = 0;
  committed = 0;

  constructor() {
    const places = [1, 2, 3].map((node) => ({ node: node as NodeId, disk: 1 }));
    const first = firstConfiguration(places);
    if ("refused" in first) throw new Error(first.refused);
    const snapshot: SnapshotMeta = {
      index: 0 as Index,
      term: 0 as Term,
      configuration: encodeConfiguration(first.ok),
      sizeBytes: 0,
      checksum: 0,
    };
    const hardState = { term: 0 as Term, vote: 0, commit: 0 as Index };
    const replica = { hardState, snapshot, entries: [], damagedThrough: 0 as Index };
    for (const { node } of places) {
      const raft = new Raft({
        group: 1 as GroupId,
        incarnation: 1 as Incarnation,
        replica: node as number as ReplicaId,
        node,
        boot: 1 as Boot,
        options: { ...raftDefaults, sleepAfterUs: 0 },
        seed: [1, node, 3, 4],
        sealer: identitySealer,
        marks,
      });
      this.#rafts.push(raft);
      this.#inboxes[node - 1]!.push({ kind: "recovered", replica });
    }
    this.#turns();
    this.#nowUs = 2_000_000;
    for (const inbox of this.#inboxes) inbox.push({ kind: "timer" });
    this.#turns();
    if (this.#leader < 0) throw new Error("no leader came");
  }

  get #leader(): number {
    return this.#rafts.findIndex((raft) => raft.view.role === "leader");
  }

  /** Keeps `inFlight` proposals open until `count` are committed. */
  run(inFlight: number, count: number): void {
    const leader = this.#leader;
    this.committed = 0;
    let proposed = 0;
    while (this.committed < count) {
      const inbox = this.#inboxes[leader]!;
      for (; proposed < count && proposed - this.committed < inFlight; proposed++) {
        const request = (proposed + 1) as RequestId;
        inbox.push({ kind: "propose", request, type: entryType.data, payload });
      }
      for (let at = 0; at < 3; at++) this.#turn(at);
    }
    this.#turns();
  }

  #turns(): void {
    while (this.#inboxes.some((inbox) => inbox.length > 0)) {
      for (let at = 0; at < 3; at++) this.#turn(at);
    }
  }

  /** One turn of a host: a batch of inputs, then one write for all, then what waited for it. */
  #turn(at: number): void {
    const inputs = this.#inboxes[at]!;
    if (inputs.length === 0) return;
    this.#inboxes[at] = [];
    this.#nowUs += 10;
    const raft = this.#rafts[at]!;
    const out: Effect[] = [];
    for (const input of inputs) raft.step(this.#nowUs, input, out);
    let token = 0;
    for (let n = 0; n < out.length; n++) {
      const effect = out[n]!;
      if (effect.kind === "persist") token = effect.token;
      else if (effect.kind === "send") {
        const input: RaftInput = {
          kind: "message",
          from: (at + 1) as NodeId,
          message: effect.message,
        };
        this.#inboxes[effect.to - 1]!.push(input);
      } else if (effect.kind === "answer") this.committed++;
      else if (effect.kind === "apply") {
        const { index } = effect.entries.at(-1)!;
        this.#inboxes[at]!.push({ kind: "applied", index });
      } else if (effect.kind === "takeSnapshot") {
        const { request, index, term, configuration } = effect;
        const snapshot = { index, term, configuration, sizeBytes: 0, checksum: 0 };
        this.#inboxes[at]!.push({ kind: "snapshotTaken", request, snapshot });
      }
    }
    if (token > 0) this.#inboxes[at]!.push({ kind: "persisted", token: token as Token });
  }
}

export function benchRaftCore(inFlight: number, count: number): RaftCoreResult {
  const loop = new BareLoop();
  loop.run(inFlight, Math.min(count, 20_000));
  const begunMs = performance.now();
  loop.run(inFlight, count);
  const seconds = (performance.now() - begunMs) / 1_000;
  return { inFlight, commitsPerSecond: Math.round(count / seconds) };
}

if (process.argv[1]?.endsWith("raft-core.ts") === true) {
  for (const [inFlight, count] of [
    [1, 100_000],
    [64, 500_000],
  ] as const) {
    const { commitsPerSecond } = benchRaftCore(inFlight, count);
    console.log(`raft-core in-flight ${inFlight}: ${commitsPerSecond} commits/s`);
  }
}
