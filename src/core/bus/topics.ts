/** What goes over the bus of a node, by name, and the shapes of it. All plain data but for callbacks. */
import type { EntryType } from "../entry.js";
import type { Boot, GroupId, Incarnation, Index, NodeId, ReplicaId, Term } from "../ids.js";
import type { Job, MapNode } from "../map/types.js";
import type { HostStage } from "../node/host.js";
import type { Bound, RaftRole } from "../raft/view.js";
import type { ClientRefusal, SessionId } from "../store/client-protocol.js";

export type ConsensusEvents = {
  /** This node knows of a new leader, itself or another: once for each term. */
  readonly "consensus.leader.elected": LeaderElected;
};

export type ConsensusRequests = {
  /** The reply says nothing: the outcome comes to `done`, once. */
  readonly "consensus.propose": { readonly question: ProposeQuestion; readonly reply: void };
  /** Null: no replica of the group lives here. */
  readonly "consensus.status": {
    readonly question: { readonly group: GroupId };
    readonly reply: GroupReport | null;
  };
  readonly "consensus.health": { readonly question: null; readonly reply: NodeHealth };
};

export interface LeaderElected {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  /** Where the leader lives. */
  readonly node: NodeId;
  readonly replica: ReplicaId;
  readonly term: Term;
}

export interface Proposal {
  readonly group: GroupId;
  readonly command: Uint8Array;
  /** Decides the slot; empty unless given. All that is proposed for one slot meets there. */
  readonly key?: Uint8Array;
}

export interface ProposeQuestion extends Proposal {
  readonly done: (outcome: ProposeOutcome) => void;
}

export type ProposeOutcome =
  /** Committed and applied, once; with the state machine's answer. */
  | { readonly kind: "done"; readonly answer: Uint8Array }
  /** Nothing was done and nothing will be. `leader`: the node to try next, 0 when not known. */
  | { readonly kind: "refused"; readonly reason: ProposeRefusal; readonly leader: NodeId | 0 }
  /** It may have taken effect, or may still: leadership was lost, or time ran out. */
  | { readonly kind: "unknown"; readonly leader: NodeId | 0 };

/**
 * `moved`: the group does not serve the key's slot. `sessionExpired`: so many sessions were opened that
 * this node's was evicted, twice in a row. `malformed`: longer than a command may be.
 */
export type ProposeRefusal = ClientRefusal | "moved" | "sessionExpired" | "malformed";

/** What was committed and is applied on this node, in the order of the log. */
export type Commit =
  /** A command; one that a client sent twice stands in the log twice, and was applied once. */
  | {
      readonly kind: "command";
      readonly group: GroupId;
      readonly index: Index;
      readonly term: Term;
      readonly session: SessionId;
      readonly serial: number;
      readonly slot: number;
      readonly command: Uint8Array;
    }
  /** An entry of another type, or one whose bytes are sealed. */
  | {
      readonly kind: "other";
      readonly group: GroupId;
      readonly index: Index;
      readonly term: Term;
      readonly type: EntryType;
    }
  /** All up to `index` came as a snapshot: its entries are not told one by one. */
  | { readonly kind: "snapshot"; readonly group: GroupId; readonly index: Index };

/** Counters of one replica since its node has started. */
export interface GroupMetrics {
  /** Proposals that reached the replica, refused ones too. */
  readonly proposals: number;
  /** Entries that became known as committed. */
  readonly commits: number;
  readonly appliedEntries: number;
  readonly appliedBytes: number;
  /** Elections in which it stood. */
  readonly elections: number;
  /** Leaders that it has known. */
  readonly leaderChanges: number;
  readonly snapshotsTaken: number;
  /** How often its state was taken from a snapshot, that of its own at the start included. */
  readonly snapshotsRestored: number;
}

export interface MemberReport {
  readonly replica: ReplicaId;
  readonly node: NodeId;
  readonly role: "voter" | "learner";
}

/** One replica, as it knows its group. */
export interface GroupReport {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly role: RaftRole;
  readonly term: Term;
  /** 0: none is known. */
  readonly leader: ReplicaId | 0;
  readonly leaderNode: NodeId | 0;
  readonly commit: Index;
  readonly applied: Index;
  readonly last: Index;
  /** Committed entries that are not applied here yet. */
  readonly lag: number;
  readonly members: readonly MemberReport[];
  /** Its log is being refilled after damage: it counts in no quorum. */
  readonly damaged: boolean;
  /** Why there is no progress, in words. */
  readonly waitsFor: string;
  readonly metrics: GroupMetrics;
}

export type ReplicaCounts = Readonly<Record<RaftRole, number>>;

export interface NodeHealth {
  readonly node: NodeId;
  readonly stage: HostStage;
  readonly boot: Boot;
  /** Why it has stopped; empty while it has not. */
  readonly reason: string;
  /** It runs, and takes on what it is asked. */
  readonly healthy: boolean;
  readonly spaceLow: boolean;
  /** The disk does not know any more which replicas lived on it. */
  readonly forgotten: boolean;
  readonly queues: readonly Bound[];
  readonly replicas: ReplicaCounts;
}

/** What this node knows of its cluster; the groups one by one are asked for by `status`. */
export interface ClusterState {
  readonly node: NodeId;
  readonly stage: HostStage;
  readonly replicas: ReplicaCounts;
  /** The cluster's map as applied here; null where no replica of the meta group lives, or no map is. */
  readonly map: MapReport | null;
}

export interface MapReport {
  readonly version: number;
  readonly slotCount: number;
  readonly nodes: readonly MapNode[];
  readonly groups: number;
  /** Those that run. */
  readonly jobs: readonly Job[];
}
