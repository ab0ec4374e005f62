/** What a host runs: the multi-Raft node, or a machine of a user's own behind an adapter. */
import type { Door } from "../framing/frame-types.js";
import type { FramedMessage } from "../framing/messages.js";
import type { Boot, GroupId, NodeId, RequestId } from "../ids.js";
import type { GroupKeys } from "../keys/group-keys.js";
import type { HsmResult } from "../ports/hsm.js";
import type { Bound, RaftView } from "../raft/view.js";
import type { ReplicaKey, SnapshotEvent, WalEvent } from "../wal/log-store.js";
import type { ReplicatedStore } from "../store/replicated-store.js";
import type { RecoveredNode } from "../wal/log-store.js";
import type { NodeContext } from "./context.js";
import type { RecordWriter } from "./record-queue.js";

/** Every method is one input, or what one input led to; none may be called from within another. */
export interface NodeLogic {
  /** Hears of the records in `context.records`; null when it has none. */
  readonly recordWriter: RecordWriter | null;
  /** The log and the snapshot files have read what the disk held. */
  start(recovered: RecoveredNode, snapshots: readonly LoadedSnapshot[]): void;
  /** A link to that node was made, as of this start of it. */
  linkUp(peer: NodeId, boot: Boot): void;
  /** `word` is the frame's checksum. */
  message(from: NodeId, message: FramedMessage, word: number): void;
  /** By whichever door it came: no bytes say more than the role that may use it allows. */
  request(door: Door, request: RequestId, bytes: Uint8Array, word: number): void;
  logRead(event: Extract<WalEvent, { kind: "logRead" }>): void;
  snapshot(event: Exclude<SnapshotEvent, { kind: "loaded" }>): void;
  /** An answer of the HSM, to what was asked in this boot. */
  hsmDone(op: number, result: HsmResult): void;
  /** Steps what the node owes itself, at most `stepsMax` times; false when nothing was left. */
  settle(stepsMax: number): boolean;
  /** The answer to a request that the host itself refuses; null: silence. */
  refusal(reason: "overloaded" | "notReady"): Uint8Array | null;
  /** For oracles and people. */
  views(): RaftView[];
  viewOf(group: GroupId): RaftView | null;
  /** Every queue and its limit: of the node, and of the machine that serves `group`. */
  bounds(group: GroupId): readonly Bound[];
  /** The whole state as plain data, for digests; what stands in it twice may be left out once. */
  readonly state: unknown;
  /** What the group replicates, as this node has applied it; null when it lives elsewhere. */
  storeOf(group: GroupId): ReplicatedStore | null;
  /** Null unless the group has one replica here, with keys. */
  keysOf(group: GroupId): KeysHere | null;
  /** The state of the machine that serves `group`, or of the only one; null when there is none. */
  stateOf(group: GroupId): unknown;
}

/** What a node has of a group's data keys. */
export interface KeysHere {
  readonly keys: GroupKeys;
  /** Nothing is left on disk that is sealed under those that are erased. */
  readonly isClear: boolean;
}

export type LoadedSnapshot = Extract<SnapshotEvent, { kind: "loaded" }>["snapshots"][number];

export type LogicFactory = (context: NodeContext) => NodeLogic;

export function sameKey(a: ReplicaKey, b: ReplicaKey): boolean {
  return a.group === b.group && a.incarnation === b.incarnation && a.replica === b.replica;
}
