/** What stands at one position of a replicated log. */
import type { Index, Term } from "./ids.js";

/**
 * The union is open: a later version adds kinds at the end. A replica that meets a type it does not
 * know stops with a typed error rather than skip it, for skipping would let replicas diverge.
 */
export const entryType = {
  /** A new leader's first entry (thesis section 6.4); carries nothing. */
  blank: 0,
  /** A command for the state machine, inside a session's envelope. */
  data: 1,
  /** A configuration (thesis chapter 4), in force from the moment it is appended. */
  configuration: 2,
  /** Opens or closes a client session (thesis section 6.3). */
  session: 3,
  /** A data key, wrapped for each member. */
  key: 4,
  /** A step in the life of a group: create, split, merge, destroy, release or accept slots. */
  groupLife: 5,
  /** What a person with the admin role asked for, with who and when. */
  admin: 6,
} as const;

export type EntryType = (typeof entryType)[keyof typeof entryType];

/** The highest type of entry that this version knows. */
export const entryTypeMax: number = entryType.admin;

/** True for what is about the group or its cluster, not about the data of clients. */
export function isControl({ type }: Entry): boolean {
  return type === entryType.groupLife || type === entryType.admin;
}

export interface Entry {
  readonly term: Term;
  readonly index: Index;
  readonly type: EntryType;
  /** The epoch of the data key that `payload` is sealed under; 0 when it is clear. */
  readonly keyEpoch: number;
  /** What was proposed, sealed by the leader before it was appended. */
  readonly payload: Uint8Array;
}

/** What identifies a snapshot and what a receiver needs before it opens the state. */
export interface SnapshotMeta {
  /** The last entry that the state contains. */
  readonly index: Index;
  readonly term: Term;
  /** The configuration in force at `index`, in its canonical encoding. */
  readonly configuration: Uint8Array;
  /** Bytes of the whole snapshot file. */
  readonly sizeBytes: number;
  /** CRC-32 over the whole snapshot file. */
  readonly checksum: number;
}

/** What a replica must never forget (thesis figure 3.1); `commit` is only a hint and may lag. */
export interface HardState {
  readonly term: Term;
  readonly vote: number;
  readonly commit: Index;
}
