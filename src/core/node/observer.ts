/**
 * What a host lets itself be seen doing. The simulator's recorder makes digest, trace and the
 * oracles' evidence of it; a real node makes its trace. An observer changes nothing.
 */
import type { ConsensusEvent } from "../consensus.js";
import type { Entry, HardState, SnapshotMeta } from "../entry.js";
import type {
  Boot,
  GroupId,
  Incarnation,
  Index,
  NodeId,
  ReplicaId,
  RequestId,
  Token,
} from "../ids.js";
import type { Json } from "../plain.js";
import type { RaftMessage } from "../raft/messages.js";
import type { RaftView } from "../raft/view.js";
import type { RecoveredReplica } from "../consensus.js";
import type { ReplicatedStore } from "../store/replicated-store.js";

/** What one replica asked to be made durable, as it went into a batch of the log. */
export interface PersistRecord {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly token: Token;
  readonly hardState: HardState | null;
  readonly truncateFrom: Index;
  readonly entries: readonly Entry[];
  readonly installed: SnapshotMeta | null;
  /** The replica's last record: it is gone for good. */
  readonly removed: boolean;
}

export interface HostObserver {
  /** A replica stands after recovery or creation, before its first turn. */
  replicaStarted(node: NodeId, boot: Boot, view: RaftView, recovered: RecoveredReplica): void;
  /** One input was stepped: what kind it was, and two words over its binary fields. */
  stepped(node: NodeId, kind: string, word: number, view: RaftView | null): void;
  /** A batch was handed to the disk; `syncOp` is the operation whose success makes it durable. */
  batchSubmitted(node: NodeId, syncOp: number, persists: readonly PersistRecord[]): void;
  /** A message left the node: no token holds it back any more. */
  messageReleased(node: NodeId, to: NodeId, message: RaftMessage, frame: Uint8Array): void;
  /** Committed entries met the state machine. `digest` is of the whole state after them. */
  applied(
    node: NodeId,
    view: RaftView,
    entries: readonly Entry[],
    digest: readonly [number, number],
  ): void;
  /**
   * An entry of a group's life, or of an admin, met the state machine: the store as it is after it, and
   * what it answered. Comes before the `applied` that counts it.
   */
  controlApplied?(
    node: NodeId,
    view: RaftView,
    entry: Entry,
    answer: Uint8Array | null,
    store: ReplicatedStore,
  ): void;
  /** The state machine was replaced by a snapshot's. */
  restored(node: NodeId, view: RaftView, index: Index, digest: readonly [number, number]): void;
  /** The node has applied that these data keys of the group are erased. */
  keysErased?(node: NodeId, group: GroupId, ids: readonly string[]): void;
  answered(node: NodeId, request: RequestId, bytes: Uint8Array): void;
  event(node: NodeId, group: GroupId, event: ConsensusEvent): void;
  /** What a user's own machine wants to be seen. */
  machineEvent?(node: NodeId, name: string, data: Json): void;
  /** The node stopped for good: a broken invariant or a failed disk. */
  stopped(node: NodeId, reason: string): void;
}
