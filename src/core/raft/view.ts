/** What an oracle may look at. Read-only, cheap, and valid until the replica's next step. */
import type { Configuration } from "./configuration.js";
import type { GroupId, Incarnation, Index, NodeId, ReplicaId, Term } from "../ids.js";

export type RaftRole = "follower" | "preCandidate" | "candidate" | "leader";

export interface RaftView {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly node: NodeId;
  readonly term: Term;
  /** 0 when the vote of this term is not given. */
  readonly vote: ReplicaId;
  readonly role: RaftRole;
  readonly leader: ReplicaId;
  readonly commit: Index;
  readonly applied: Index;
  /** The newest configuration in the log: the one in force (thesis section 4.1). */
  readonly configuration: Configuration;
  readonly configurationIndex: Index;
  /** The first position still in the log; the snapshot covers all before it. */
  readonly first: Index;
  /** `first - 1` when the log is empty. */
  readonly last: Index;
  /** The last position whose entry is known durable here. */
  readonly durable: Index;
  /** The lowest position that the last step changed or added; Infinity when none. */
  readonly changedFrom: number;
  /** True while a damaged log is being refilled: takes part in no quorum. */
  readonly damaged: boolean;
  /** True while it has no deadline and says nothing: its group has nothing to do. */
  readonly asleep: boolean;
  /** It would stand for election when it hears no leader. */
  readonly mayCampaign: boolean;
  /** Until when (this node's monotonic microseconds) the lease holds; 0 when there is none. */
  readonly leaseUntilUs: number;
  /** Of any position from `first - 1` to `last`; -1 outside. */
  termAt(index: Index): number;
  /** 32 bits over type, key epoch and payload of the entry at `index`; -1 outside first..last. */
  entryDigest(index: Index): number;
  /** Why there is no progress, in words for people: no leader, no quorum of whom, waits for what. */
  waitsFor(): string;
  /** Name and size of every queue, map and buffer, each with its limit. */
  bounds(): readonly Bound[];
}

export interface Bound {
  readonly name: string;
  readonly size: number;
  readonly limit: number;
}
