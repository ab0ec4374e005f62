/**
 * The contract that every protocol meets, so that one host and one simulator serve them all.
 *
 *     step(now, input, out)
 *
 * is synchronous and total: no input makes it throw (InvariantError apart). `now` is the node's
 * monotonic time in microseconds. Effects are pushed onto `out`; nothing else happens. Every effect
 * that has an answer carries a request id; an answer to a request that is no longer open is dropped.
 */
import type { Entry, EntryType, HardState, SnapshotMeta } from "./entry.js";
import type { Index, NodeId, ReplicaId, RequestId, Term, Token } from "./ids.js";
import { votersMax } from "./quorum/majority.js";

/** Where an entry stands and what it is: the associated data of its seal. */
export interface EntryHeader {
  readonly term: Term;
  readonly index: Index;
  readonly type: EntryType;
  readonly keyEpoch: number;
}

/** Seals what users write before it is appended, and opens it when it is applied. */
export interface Sealer {
  /** The epoch of the data key in use; 0 while there are none. */
  readonly keyEpoch: number;
  /**
   * Why nothing may be sealed now; null when it may. `settled`: all that earlier leaders appended is
   * applied here.
   */
  refusal(settled: boolean): SealRefusal | null;
  seal(header: EntryHeader, payload: Uint8Array): Uint8Array;
  /** Null when the bytes were not sealed under this header. */
  open(header: EntryHeader, sealed: Uint8Array): Uint8Array | null;
}

export type SealRefusal =
  | "notReady"
  /** The node has not got the data key: its HSM is away, or the group has no key yet. */
  | "keysUnavailable"
  /** The group's keys were revoked: it has halted. */
  | "keyRevoked";

/** What the log on disk still held when the node started. */
export interface RecoveredReplica {
  readonly hardState: HardState;
  /** The newest snapshot on disk, or null; entries at or below it are not in `entries`. */
  readonly snapshot: SnapshotMeta | null;
  /** Contiguous, from just after the snapshot (or 1); ends before the first damaged one. */
  readonly entries: readonly Entry[];
  /**
   * The highest index that this replica once held durably, when damage to synced records left
   * `entries` short of it; else 0. Until a leader has refilled the log, the replica takes no part
   * in any quorum.
   */
  readonly damagedThrough: Index;
}

/** One change of membership. Additions get a new ReplicaId from the entry that adds them. */
export type MemberChange =
  | { readonly op: "addVoter" | "addLearner"; readonly node: NodeId; readonly disk: number }
  | { readonly op: "promote" | "demote" | "remove"; readonly replica: ReplicaId };

/** Changes in one proposal: enough to replace every member at once. */
export const changesMax: number = 2 * votersMax;

export type ConsensusInput<Message> =
  | { readonly kind: "recovered"; readonly replica: RecoveredReplica }
  /** `from` is the node whose link it came by: where an answer to an unknown replica goes. */
  | { readonly kind: "message"; readonly from: NodeId; readonly message: Message }
  | { readonly kind: "timer" }
  | {
      readonly kind: "propose";
      readonly request: RequestId;
      readonly type: EntryType;
      readonly payload: Uint8Array;
    }
  | { readonly kind: "read"; readonly request: RequestId; readonly mode: ReadMode }
  | {
      readonly kind: "change";
      readonly request: RequestId;
      readonly changes: readonly MemberChange[];
    }
  | { readonly kind: "transfer"; readonly request: RequestId; readonly to: ReplicaId }
  | { readonly kind: "persisted"; readonly token: Token }
  /**
   * There was no room for `token`: nothing of it is on disk, nor of any later token that was given
   * out before this answer, and all that waited for those is dropped.
   */
  | { readonly kind: "persistFailed"; readonly token: Token }
  /** The host refused a proposal for lack of room: another voter may have some. */
  | { readonly kind: "noRoom" }
  | { readonly kind: "applied"; readonly index: Index }
  | {
      readonly kind: "logRead";
      readonly request: RequestId;
      /** Contiguous from the asked index, maybe fewer than asked; null when unreadable. */
      readonly entries: readonly Entry[] | null;
    }
  | {
      readonly kind: "snapshotTaken";
      readonly request: RequestId;
      readonly snapshot: SnapshotMeta | null;
    }
  | {
      readonly kind: "chunkRead";
      readonly request: RequestId;
      readonly bytes: Uint8Array | null;
    }
  | { readonly kind: "chunkWritten"; readonly request: RequestId; readonly ok: boolean }
  /** `snapshot` is installed and its state restored; null when it was refused. */
  | {
      readonly kind: "restored";
      readonly request: RequestId;
      readonly snapshot: SnapshotMeta | null;
    }
  | { readonly kind: "signed"; readonly request: RequestId; readonly signature: Uint8Array | null }
  | { readonly kind: "verified"; readonly request: RequestId; readonly ok: boolean }
  | { readonly kind: "unreachable"; readonly node: NodeId }
  /** It must not sleep on: its leader's node has failed or started anew, or its own has started. */
  | { readonly kind: "wake" }
  /** The switches of a replica whose keys or duties are away: see `Permissions`. */
  | { readonly kind: "permitted"; readonly permissions: Permissions }
  /**
   * Of all that is applied here nothing is to stay in the log: a snapshot as soon as there can be
   * one, and no entries before it kept for others. Wakes nobody. Nothing comes of it while the
   * replica may not apply, and it is over when a snapshot could not be taken: ask again.
   */
  | { readonly kind: "compactNow" };

/** `index`: a round of the quorum (thesis section 6.4). `lease`: by the clock (section 6.4.1). */
export type ReadMode = "index" | "lease";

export interface Permissions {
  /** False: never campaign, hand leadership over when there. Votes and appends go on. */
  readonly mayLead: boolean;
  /**
   * False: store what is committed but apply nothing and take no snapshot. One that comes is handed over
   * for its restore all the same, for it may be all that helps; the host answers when it can.
   */
  readonly mayApply: boolean;
}

export type ConsensusEffect<Message> =
  | {
      readonly kind: "send";
      readonly to: NodeId;
      readonly message: Message;
      /** Held back until this token is durable; 0 goes at once. */
      readonly after: Token;
    }
  | {
      readonly kind: "persist";
      readonly token: Token;
      /** Null when unchanged. */
      readonly hardState: HardState | null;
      /** Entries from here on are void; 0 keeps all. Takes effect before `entries`. */
      readonly truncateFrom: Index;
      readonly entries: readonly Entry[];
      /** The log now begins after this snapshot, whose file is already durable; else null. */
      readonly installed: SnapshotMeta | null;
      /** The damage that recovery told of is made good, though the log may not reach as far again. */
      readonly repaired: boolean;
    }
  /** Committed entries in order, each exactly once; answered by `applied`. */
  | { readonly kind: "apply"; readonly entries: readonly Entry[] }
  /** The read may be answered once `index` is applied. */
  | {
      readonly kind: "readReady";
      readonly request: RequestId;
      readonly index: Index;
      readonly after: Token;
    }
  | {
      readonly kind: "answer";
      readonly request: RequestId;
      readonly result: ConsensusResult;
      readonly after: Token;
    }
  | {
      readonly kind: "readLog";
      readonly request: RequestId;
      readonly from: Index;
      /** Exclusive. */
      readonly to: Index;
      readonly bytesMax: number;
    }
  | {
      readonly kind: "takeSnapshot";
      readonly request: RequestId;
      readonly index: Index;
      readonly term: Term;
      readonly configuration: Uint8Array;
    }
  | {
      readonly kind: "readChunk";
      readonly request: RequestId;
      readonly snapshot: SnapshotMeta;
      readonly offset: number;
      readonly bytesMax: number;
    }
  /** Chunks of one snapshot come in order; offset 0 discards what an earlier transfer left. */
  | {
      readonly kind: "writeChunk";
      readonly request: RequestId;
      readonly snapshot: SnapshotMeta;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** All chunks are written: verify the whole, make it durable, restore the state from it. */
  | { readonly kind: "restore"; readonly request: RequestId; readonly snapshot: SnapshotMeta }
  /** Entries up to here are in a durable snapshot and need not be kept. */
  | { readonly kind: "compact"; readonly through: Index }
  | { readonly kind: "sign"; readonly request: RequestId; readonly bytes: Uint8Array }
  | {
      readonly kind: "verify";
      readonly request: RequestId;
      readonly replica: ReplicaId;
      readonly bytes: Uint8Array;
      readonly signature: Uint8Array;
    }
  /** Replaces any earlier wish; Infinity asks for nothing. Microseconds. */
  | { readonly kind: "wakeAt"; readonly at: number }
  | { readonly kind: "event"; readonly event: ConsensusEvent };

/** How a proposal, read, change or transfer ended. Refusals are values. */
export type ConsensusResult =
  /** Committed at `index`; for data the state machine's own answer follows its application. */
  | { readonly kind: "committed"; readonly index: Index; readonly term: Term }
  | { readonly kind: "transferred" }
  /** Nothing was done, nothing will be. `leader` is where to try next, if known. */
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly leader: NodeId | null }
  /** It may still take effect: the entry was appended, and leadership was lost. */
  | { readonly kind: "unknown"; readonly leader: NodeId | null };

export type RefusalReason =
  | "notLeader"
  | "notReady"
  | "transferring"
  | "overloaded"
  | "noSpace"
  | "tooLarge"
  | "changePending"
  | "badChange"
  | "badTarget"
  | "noLease"
  | "timeout"
  | "removed"
  | "damaged"
  | Exclude<SealRefusal, "notReady">;

/** What people may want to see; no decision and no oracle may rest on it. */
export type ConsensusEvent =
  | { readonly name: "roleChanged"; readonly role: string; readonly term: Term }
  | { readonly name: "leaderKnown"; readonly leader: ReplicaId; readonly term: Term }
  /** It has no deadline any more and says nothing; \`leader\` 0: under no leader. */
  | { readonly name: "asleep"; readonly term: Term; readonly leader: ReplicaId }
  /** \`by\`: the kind of the input, or of the message, that woke it. */
  | { readonly name: "awoke"; readonly by: string; readonly term: Term }
  | { readonly name: "removed" }
  | { readonly name: "repaired" }
  | { readonly name: "unknownEntryType"; readonly type: number; readonly index: Index }
  /** Its leader's limits are wider: the entry is not taken. */
  | { readonly name: "entryTooLarge"; readonly index: Index; readonly bytes: number }
  /** Of a format that this version does not know: the entry is not taken. */
  | { readonly name: "unknownConfiguration"; readonly index: Index };

/** One replica of one group. The implementation owns its state and mutates it in `step` alone. */
export interface Consensus<Message, View> {
  step(now: number, input: ConsensusInput<Message>, out: ConsensusEffect<Message>[]): void;
  /** Read-only; valid until the next step. */
  readonly view: View;
  /** The whole state as plain data, for digest, pack and unpack (see plain.ts). */
  readonly state: unknown;
}
