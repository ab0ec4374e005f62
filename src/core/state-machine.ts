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
   * The state of these slots, from which `importSlots` makes an equal state. That of no slots (`from`
   * equal to `to`) is the empty state, which can be imported into any range.
   */
  exportSlots(slots: SlotRange): Uint8Array;
  /** Replaces the state of these slots; false when the bytes cannot be understood, then no change. */
  importSlots(slots: SlotRange, bytes: Uint8Array): boolean;
  /** Two 32-bit words that are equal for equal states, however they were reached. */
  digest(): readonly [number, number];
}

/** From `from` up to but not including `to`. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}
