/** Watches a host for its embedder: counts, tells of leaders and of commits, and passes all on. */
import type { ConsensusEvent, RecoveredReplica } from "../consensus.js";
import { type Entry, entryType } from "../entry.js";
import type { Boot, GroupId, Index, NodeId, ReplicaId, RequestId } from "../ids.js";
import type { HostObserver, PersistRecord } from "../node/observer.js";
import type { Json } from "../plain.js";
import type { Configuration, Member } from "../raft/configuration.js";
import type { RaftMessage } from "../raft/messages.js";
import type { RaftView } from "../raft/view.js";
import { decodeDataEntry } from "../store/entries.js";
import type { Meter, Meters } from "./meters.js";
import type { Commit, LeaderElected } from "./topics.js";

export interface WatchParts {
  readonly meters: Meters;
  /** Hears everything too; null: nobody. */
  readonly to: HostObserver | null;
  readonly elected: (leader: LeaderElected) => void;
  /** False: nobody wants to hear of the group's commits. */
  readonly wantsCommits: (group: GroupId) => boolean;
  readonly committed: (commit: Commit) => void;
  /** The host has stopped for good. */
  readonly stopped: () => void;
}

export class Watch implements HostObserver {
  readonly #parts: WatchParts;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  replicaStarted(node: NodeId, boot: Boot, view: RaftView, recovered: RecoveredReplica): void {
    this.#parts.meters.of(view);
    this.#parts.to?.replicaStarted(node, boot, view, recovered);
  }

  stepped(node: NodeId, kind: string, word: number, view: RaftView | null): void {
    const meter = view === null ? null : this.#parts.meters.stepped(kind, view);
    if (meter !== null && view!.leader !== 0 && view!.term > meter.toldTerm) {
      this.#tellLeader(view!, meter);
    }
    this.#parts.to?.stepped(node, kind, word, view);
  }

  batchSubmitted(node: NodeId, syncOp: number, persists: readonly PersistRecord[]): void {
    for (const { removed, group, incarnation, replica } of persists) {
      if (removed) this.#parts.meters.removed(group, incarnation, replica);
    }
    this.#parts.to?.batchSubmitted(node, syncOp, persists);
  }

  messageReleased(node: NodeId, to: NodeId, message: RaftMessage, frame: Uint8Array): void {
    this.#parts.to?.messageReleased(node, to, message, frame);
  }

  applied(
    node: NodeId,
    view: RaftView,
    entries: readonly Entry[],
    digest: readonly [number, number],
  ): void {
    const meter = this.#parts.meters.of(view);
    if (meter !== null) {
      meter.counters.appliedEntries += entries.length;
      for (let at = 0; at < entries.length; at++) {
        meter.counters.appliedBytes += entries[at]!.payload.length;
      }
    }
    if (this.#parts.wantsCommits(view.group)) {
      for (const entry of entries) this.#parts.committed(commitOf(view.group, entry));
    }
    this.#parts.to?.applied(node, view, entries, digest);
  }

  restored(node: NodeId, view: RaftView, index: Index, digest: readonly [number, number]): void {
    const { group } = view;
    const meter = this.#parts.meters.of(view);
    if (meter !== null) meter.counters.snapshotsRestored++;
    if (this.#parts.wantsCommits(group)) this.#parts.committed({ kind: "snapshot", group, index });
    this.#parts.to?.restored(node, view, index, digest);
  }

  answered(node: NodeId, request: RequestId, bytes: Uint8Array): void {
    this.#parts.to?.answered(node, request, bytes);
  }

  event(node: NodeId, group: GroupId, event: ConsensusEvent): void {
    this.#parts.to?.event(node, group, event);
  }

  machineEvent(node: NodeId, name: string, data: Json): void {
    this.#parts.to?.machineEvent?.(node, name, data);
  }

  stopped(node: NodeId, reason: string): void {
    this.#parts.stopped();
    this.#parts.to?.stopped(node, reason);
  }

  #tellLeader({ group, incarnation, leader, term, configuration }: RaftView, meter: Meter): void {
    const member = memberOf(configuration, leader);
    // A replica that lags behind may not know yet where its leader lives; it will be told later.
    if (member === null) return;
    meter.toldTerm = term;
    meter.counters.leaderChanges++;
    this.#parts.elected({ group, incarnation, node: member.node, replica: leader, term });
  }
}

export function memberOf(configuration: Configuration, replica: ReplicaId | 0): Member | null {
  for (const part of [configuration.voters, configuration.outgoing, configuration.learners]) {
    const member = part.find((each) => each.replica === replica);
    if (member !== undefined) return member;
  }
  return null;
}

/** What was sealed comes opened. */
function commitOf(group: GroupId, { index, term, type, payload }: Entry): Commit {
  const data = type === entryType.data ? decodeDataEntry(payload) : null;
  if (data === null || data.kind === "undecodable") {
    return { kind: "other", group, index, term, type };
  }
  const { session, serial, slot, command } = data;
  return { kind: "command", group, index, term, session, serial, slot, command };
}
