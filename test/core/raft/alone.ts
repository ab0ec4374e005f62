/** One replica of three, stepped by hand: what its peers and its host say is the test's to choose. */
import type { ConsensusEffect, Permissions } from "../../../src/core/consensus.js";
import {
  type Entry,
  type EntryType,
  type SnapshotMeta,
  entryType,
} from "../../../src/core/entry.js";
import type {
  Boot,
  GroupId,
  Incarnation,
  Index,
  NodeId,
  ReplicaId,
  RequestId,
  Term,
  Token,
} from "../../../src/core/ids.js";
import { firstConfiguration } from "../../../src/core/raft/configuration-change.js";
import { encodeConfiguration } from "../../../src/core/raft/configuration-codec.js";
import type { RaftMessage, RaftMessageKind } from "../../../src/core/raft/messages.js";
import { type RaftOptions, raftDefaults } from "../../../src/core/raft/options.js";
import { Raft, type RaftInput } from "../../../src/core/raft/raft.js";
import { CountedMarks } from "../counted-marks.js";
import { openSealer } from "./cluster.js";

export type Effect = ConsensusEffect<RaftMessage>;

/** Longer than any election timeout of the defaults. */
export const longUs = 2_000_000;

const places = [1, 2, 3].map((node) => ({ node: node as NodeId, disk: 1 }));
const founding = firstConfiguration(places);
if ("refused" in founding) throw new Error(founding.refused);
export const configuration: Uint8Array = encodeConfiguration(founding.ok);

export function snapshotAt(index: number, term = 1, sizeBytes = 4): SnapshotMeta {
  return { index: index as Index, term: term as Term, configuration, sizeBytes, checksum: 1 };
}

export function entryAt(index: number, term = 1, type: number = entryType.data, bytes = 4): Entry {
  return {
    index: index as Index,
    term: term as Term,
    type: type as EntryType,
    keyEpoch: 0,
    payload: new Uint8Array(bytes),
  };
}

/** Entries 1 to `count` of term 1. */
export function entriesTo(count: number, bytes = 4): Entry[] {
  return Array.from({ length: count }, (_, at) => entryAt(at + 1, 1, entryType.data, bytes));
}

export interface Found {
  readonly entries?: readonly Entry[];
  readonly commit?: number;
  readonly raft?: Partial<RaftOptions>;
}

/** Replica 2; the others are 1 and 3. It has seen term 1. */
export class Alone {
  nowUs = 0;
  readonly raft: Raft;
  readonly marks: CountedMarks = new CountedMarks();
  #ids = 500;

  constructor({ entries = [], commit = 0, raft = {} }: Found = {}) {
    this.raft = new Raft({
      group: 1 as GroupId,
      incarnation: 1 as Incarnation,
      replica: 2 as ReplicaId,
      node: 2 as NodeId,
      boot: 1 as Boot,
      options: { ...raftDefaults, sleepAfterUs: 0, ...raft },
      seed: [1, 2, 3, 4],
      sealer: openSealer,
      marks: this.marks,
    });
    const hardState = { term: 1 as Term, vote: 0, commit: commit as Index };
    const snapshot = snapshotAt(0, 0, 0);
    const damagedThrough = 0 as Index;
    this.step({ kind: "recovered", replica: { hardState, snapshot, entries, damagedThrough } });
  }

  get role(): string {
    return this.raft.view.role;
  }

  /** A millisecond later. */
  step(input: RaftInput): Effect[] {
    this.nowUs += 1_000;
    const out: Effect[] = [];
    this.raft.step(this.nowUs, input, out);
    return out;
  }

  /** All that it asked to be written is durable. */
  durable(): Effect[] {
    return this.step({ kind: "persisted", token: this.raft.state.token as Token });
  }

  /** Time passes until its timer is due. */
  timerAfter(us: number): Effect[] {
    this.nowUs += us;
    return this.step({ kind: "timer" });
  }

  /** From replica `from`, to ours. */
  hear<Kind extends RaftMessageKind>(
    from: number,
    kind: Kind,
    fields: Partial<Omit<Extract<RaftMessage, { kind: Kind }>, "kind">>,
  ): Effect[] {
    const ids = { group: 1, incarnation: 1, from, to: 2, request: this.#ids++ };
    const message = { kind, ...ids, term: this.raft.view.term, ...fields } as unknown;
    return this.step({ kind: "message", from: from as NodeId, message: message as RaftMessage });
  }

  permit(permissions: Partial<Permissions>): Effect[] {
    const given = { ...this.raft.state.permissions, ...permissions };
    return this.step({ kind: "permitted", permissions: given });
  }

  append(from: number, prevIndex: number, entries: readonly Entry[], commit: number): Effect[] {
    const prev = {
      prevIndex: prevIndex as Index,
      prevTerm: this.raft.view.termAt(prevIndex as Index),
    };
    return this.hear(from, "append", {
      session: 1,
      ...(prev as { prevIndex: Index; prevTerm: Term }),
      entries,
      commit: commit as Index,
    });
  }

  chunk(from: number, snapshot: SnapshotMeta): Effect[] {
    const bytes = new Uint8Array(snapshot.sizeBytes);
    return this.hear(from, "snapshotChunk", { session: 1, snapshot, offset: 0, bytes });
  }

  /** Its election timeout passes. */
  campaign(): Effect[] {
    return this.timerAfter(longUs);
  }

  /** The answer of 3 to its open round. */
  voted(kind: "preVoteReply" | "voteReply", granted = true): Effect[] {
    const { state } = this.raft;
    const term = (kind === "preVoteReply" && granted ? state.term + 1 : state.term) as Term;
    return this.hear(3, kind, { term, request: state.electionRequest as RequestId, granted });
  }

  lead(): void {
    this.campaign();
    this.voted("preVoteReply");
    this.durable();
    this.voted("voteReply");
    if (this.role !== "leader") throw new Error(`it does not lead: ${this.role}`);
  }

  /** Its peers answer their newest heartbeats. */
  answerBeats(): void {
    for (const { replica, session, heartbeats } of this.raft.state.peers) {
      const request = heartbeats.at(-2) as RequestId | undefined;
      if (request === undefined) continue;
      this.hear(replica, "heartbeatReply", { request, session, damaged: false });
    }
  }

  /** 3 answers the newest append: it holds the whole log. */
  acknowledge(): Effect[] {
    const { state, view } = this.raft;
    const peer = state.peers.find(({ replica }) => replica === 3)!;
    const request = peer.inflight[peer.inflightHead]! as RequestId;
    const { session } = peer;
    const agreed = { hintIndex: 0 as Index, hintTerm: 0 as Term, damaged: false };
    const match = view.last;
    return this.hear(3, "appendReply", { request, session, accepted: true, match, ...agreed });
  }
}

export function only<Kind extends Effect["kind"]>(
  effects: readonly Effect[],
  kind: Kind,
): Extract<Effect, { kind: Kind }>[] {
  return effects.filter((effect) => effect.kind === kind) as Extract<Effect, { kind: Kind }>[];
}

export function sent<Kind extends RaftMessageKind>(
  effects: readonly Effect[],
  kind: Kind,
): Extract<RaftMessage, { kind: Kind }>[] {
  return only(effects, "send")
    .map(({ message }) => message)
    .filter((message) => message.kind === kind) as Extract<RaftMessage, { kind: Kind }>[];
}
