/**
 * What replicas of one Raft group say to each other (thesis figures 3.1, 3.13 and chapter 4, 6).
 *
 * Every message names both replicas, never nodes. `session` is the leader's number for this term's
 * conversation with one peer since that peer's last (re)start; a reply repeats `session` and
 * `request`, and one that matches no open request is dropped.
 */
import type { Entry, SnapshotMeta } from "../entry.js";
import type { Boot, GroupId, Incarnation, Index, ReplicaId, RequestId, Term } from "../ids.js";

interface Envelope {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly term: Term;
  readonly request: RequestId;
}

/** `term` is the term that the candidate would campaign in. Changes nobody's state. */
export interface PreVote extends Envelope {
  readonly kind: "preVote";
  readonly lastIndex: Index;
  readonly lastTerm: Term;
}

export interface PreVoteReply extends Envelope {
  readonly kind: "preVoteReply";
  readonly granted: boolean;
}

export interface Vote extends Envelope {
  readonly kind: "vote";
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** The leader asked for this election: stickiness and leases do not stand against it. */
  readonly transfer: boolean;
}

export interface VoteReply extends Envelope {
  readonly kind: "voteReply";
  readonly granted: boolean;
}

export interface Append extends Envelope {
  readonly kind: "append";
  readonly session: number;
  readonly prevIndex: Index;
  readonly prevTerm: Term;
  /** Never above what this message proves the follower to have. */
  readonly commit: Index;
  /** Empty for a probe. */
  readonly entries: readonly Entry[];
}

export interface AppendReply extends Envelope {
  readonly kind: "appendReply";
  readonly session: number;
  /** When accepted: the follower's log is equal to the leader's up to here, durably. */
  readonly accepted: boolean;
  readonly match: Index;
  /** When refused: the highest position, and its term, at which the logs may still agree. */
  readonly hintIndex: Index;
  readonly hintTerm: Term;
  /** True while the sender refills a damaged log: its answers count for no quorum. */
  readonly damaged: boolean;
}

export interface Heartbeat extends Envelope {
  readonly kind: "heartbeat";
  readonly session: number;
  /** At most what the follower is known to hold. */
  readonly commit: Index;
}

export interface HeartbeatReply extends Envelope {
  readonly kind: "heartbeatReply";
  readonly session: number;
  readonly damaged: boolean;
}

/** A heartbeat of a leader that has nothing to do: its follower may sleep if its log ends there. */
export interface Sleep extends Envelope {
  readonly kind: "sleep";
  readonly session: number;
  /** The end of the leader's log, all of it committed. */
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** The start of the leader's node: after another one nobody sleeps under this leader. */
  readonly boot: Boot;
}

/** The follower sleeps. Who does not agree answers as to a heartbeat. */
export interface Asleep extends Envelope {
  readonly kind: "asleep";
  readonly session: number;
  /** The start of the follower's node. */
  readonly boot: Boot;
}

/** Who has woken says so, and nothing else: a leader that sleeps is to speak again. */
export interface Wake extends Envelope {
  readonly kind: "wake";
}

/** Leadership transfer (thesis section 3.10): campaign now. */
export interface TimeoutNow extends Envelope {
  readonly kind: "timeoutNow";
}

/** A follower asks for an index at which it may read (thesis section 6.4). */
export interface ReadIndex extends Envelope {
  readonly kind: "readIndex";
}

export interface ReadIndexReply extends Envelope {
  readonly kind: "readIndexReply";
  readonly granted: boolean;
  readonly index: Index;
}

/** One piece of a snapshot (thesis section 5.1). Offset 0 starts anew. */
export interface SnapshotChunk extends Envelope {
  readonly kind: "snapshotChunk";
  readonly session: number;
  readonly snapshot: SnapshotMeta;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface SnapshotReply extends Envelope {
  readonly kind: "snapshotReply";
  readonly session: number;
  /** `more`: send from `offset`. `installed`: the log equals the leader's up to the snapshot. */
  readonly outcome: "more" | "installed" | "refused";
  readonly snapshotIndex: Index;
  readonly offset: number;
}

export type RaftMessage =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | Heartbeat
  | HeartbeatReply
  | Sleep
  | Asleep
  | Wake
  | TimeoutNow
  | ReadIndex
  | ReadIndexReply
  | SnapshotChunk
  | SnapshotReply;

export type RaftMessageKind = RaftMessage["kind"];
