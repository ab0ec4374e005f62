/**
 * What a group replicates. A user's own state machine implements this; sessions (exactly once),
 * snapshots and transfer come from around it.
 *
 * Everything here must be a function of the commands applied so far: no clock, no chance, no I/O.
 */
export interface StateMachine {
  /** Applies one command and returns its answer. Malformed commands get an answer, never a throw. */
  apply(command: Uint8Array, slot: number): Uint8Array;
  /** Answers a read; changes nothing. */
  query(question: Uint8Array, slot: number): Uint8Array;
  /**
   * The state of these slots, from which `importSlots` makes an equal state. Equal states give equal
   * bytes: the pieces of a move may be read from several replicas. That of no slots (`from` equal to
   * `to`) is the empty state, which can be imported into any range.
   */
  exportSlots(slots: SlotRange): Uint8Array;
  /** Replaces the state of these slots; false when the bytes cannot be understood, then no change. */
  importSlots(slots: SlotRange, bytes: Uint8Array): boolean;
  /** Two 32-bit words that are equal for equal states, however they were reached. */
  digest(): readonly [number, number];
  /**
   * Applies what a person with the admin role asked for, and returns the answer: the map of a cluster
   * is changed so. `who` and `atUs` (wall time, microseconds since 1970) are those of the node that
   * proposed it, `index` is where it stands in the log. Without this method such entries are answered
   * as malformed.
   */
  admin?(bytes: Uint8Array, who: string, atUs: number, index: number): Uint8Array;
  /** The map of the cluster, by which clients route, if this is what the meta group replicates. */
  map?(): MapVersion;
}

export interface MapVersion {
  /** From 1 on; rises with each change. */
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** From `from` up to but not including `to`. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}
