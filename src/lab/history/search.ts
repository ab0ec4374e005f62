import type { Operation } from "./operation.js";
import type { Foresight, Model } from "./models/model.js";
import type { MemoryMeter } from "./memory.js";
import { Memo, RECORD_PLACE, RECORD_STATE, RECORD_WORDS } from "./memo.js";
import type { OpenClass, Problem } from "./problem.js";
import { ILLEGAL, Transitions } from "./transitions.js";

/** "more": the budget of steps ran out, and `run` may go on. "memory": nothing more can be found out. */
export type SearchOutcome = "ok" | "illegal" | "more" | "memory";

const FRAME_RECORD = 0;
const FRAME_CURSOR = 1;
const FRAME_ORDER = 2;
/** The state before, when the frame was reached by an open operation that satisfied no read; else NO_STATE. */
const FRAME_BEFORE = 3;
const FRAME_WORDS = 4;
const NO_STATE = -1;
/** A step is a step of the model; scanning so many memo records costs as much. */
const SCANS_PER_STEP = 16;
/** So many reads that are yet to be called are looked at. */
const FORESEEN_READS = 16;

/**
 * The search for a linearization of one part: Wing and Gong's (1993) depth-first search with Lowe's memo, in Lowe's
 * just-in-time order ("Testing for linearizability", 2017): an operation takes effect only when some pending
 * operation must return. Any linearization can be brought into this order by moving each effect later, so nothing is
 * lost, and far fewer configurations are met than when effects are tried as soon as they are possible.
 *
 * What is pruned, and why the answer stays exact:
 *
 * 1. A pending read that is legal now takes effect now, without a branch. It changes no state, everything that had to
 *    come before it has, and so in any completion it may be moved here.
 * 2. Open operations that step alike are counted, not told apart (see problem.ts); those that change nothing are
 *    never used; and since none of them has to happen, a configuration that used up fewer is at least as good (see
 *    memo.ts).
 * 3. After an open operation that satisfied no read, an operation that leads to the same state as it would have
 *    without it is not tried: the configuration without the open operation was at the same place, owed less, and
 *    tries it too.
 * 4. Of two pending changes that step alike, the one that returns sooner takes effect first: if they took effect the
 *    other way round, they could change places.
 * 5. The model's foresight drops states from which a read that is still to come can't be satisfied.
 *
 * States that no operation of the part can tell apart are one (`abstraction` of the model), which merges
 * configurations and prunes none.
 *
 * Each pruned configuration is thus impossible, or no better than one that is met. Of all configurations that are met
 * and can be completed take one with the fewest changes to go: its next one is met, or one at least as good is, with
 * still fewer to go. So if any can be completed, the search does not end before it finds the end.
 */
export class PartSearch<State, Input, Output> {
  readonly #problem: Problem;
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #transitions: Transitions<State, Input, Output>;
  readonly #foresight: Foresight<State> | undefined;
  readonly #memo: Memo;
  readonly #frames: Int32Array;
  readonly #order: Int32Array;
  readonly #best: Int32Array;
  #depth = 0;
  #orderLength = 0;
  #bestLength = 0;
  #bestPlace = 0;
  /** Below it, `#best` equals `#order`. */
  #sharedLength = 0;
  #outcome: SearchOutcome = "more";
  steps = 0;

  constructor(options: {
    readonly model: Model<State, Input, Output>;
    readonly operations: readonly Operation<Input, Output>[];
    readonly problem: Problem;
    readonly memo: Memo;
    readonly meter: MemoryMeter;
    readonly foresight: boolean;
  }) {
    const { model, operations, problem, memo, meter } = options;
    this.#problem = problem;
    this.#operations = operations;
    this.#memo = memo;
    const samples = problem.classSample.map((op) => operations[op]!);
    this.#transitions = new Transitions(model, operations, samples, meter);
    this.#foresight = options.foresight ? model.foresight?.(operations) : undefined;
    this.#frames = new Int32Array((operations.length + 1) * FRAME_WORDS);
    this.#order = new Int32Array(operations.length);
    this.#best = new Int32Array(operations.length);
    if (!memo.reset(problem.doneWords, problem.guards, meter)) this.#outcome = "memory";
    else if (problem.returns === 0) this.#outcome = "ok";
    else this.#begin();
  }

  /** Searches on for about `steps` steps. */
  run(steps: number): SearchOutcome {
    const limit = this.steps + steps;
    let scanned = this.#memo.scanned;
    while (this.#outcome === "more" && this.steps < limit) {
      this.#advance();
      if (this.#memo.scanned - scanned >= SCANS_PER_STEP) {
        scanned += SCANS_PER_STEP;
        this.steps++;
      }
    }
    return this.#outcome;
  }

  /** The longest order of operations that was found to be legal, and the operation that it could not let return. */
  longest(): { readonly order: readonly number[]; readonly blocked: number | null } {
    this.#keepLongest();
    const order = [...this.#best.subarray(0, this.#bestLength)];
    const done = this.#bestPlace >= this.#problem.returns;
    return { order, blocked: done ? null : this.#problem.returnOp[this.#bestPlace]! };
  }

  /** Gives memory back. */
  close(): void {
    this.#transitions.close();
    this.#memo.close();
  }

  #begin(): void {
    const record = this.#memo.draft();
    if (record < 0) {
      this.#outcome = "memory";
      return;
    }
    const { records } = this.#memo;
    records.fill(
      0,
      record,
      record + RECORD_WORDS + this.#problem.doneWords + this.#problem.debtWords,
    );
    this.#callReads(record, 0, 0);
    this.#enter(record, this.#passReturns(record, 0, 0), 0, NO_STATE);
  }

  /** Tries the next candidate of the newest configuration, or leaves it. */
  #advance(): void {
    const { changes, open } = this.#problem;
    const frame = (this.#depth - 1) * FRAME_WORDS;
    const { records } = this.#memo;
    const record = this.#frames[frame + FRAME_RECORD]!;
    const place = records[record + RECORD_PLACE]!;
    const state = records[record + RECORD_STATE]!;
    const before = this.#frames[frame + FRAME_BEFORE]!;
    const first = changes.start[place]!;
    const count = changes.start[place + 1]! - first;
    const cursor = this.#frames[frame + FRAME_CURSOR]!++;
    if (cursor < count) {
      const op = changes.list[first + cursor]!;
      const twin = this.#problem.twin[first + cursor]!;
      if (this.#isDone(record, op) || (twin >= 0 && !this.#isDone(record, twin))) return;
      const next = this.#stepUnlessIdle(state, before, this.#problem.stepClass[op]!);
      if (next !== ILLEGAL) this.#tryChange(record, op, next);
    } else if (cursor - count < open.length) {
      const candidate = open[cursor - count]!;
      const used = this.#used(record, candidate);
      if (used >= candidate.operations.length || candidate.places[used]! > place) return;
      const next = this.#stepUnlessIdle(state, before, candidate.stepClass);
      if (next !== ILLEGAL && next !== state) this.#tryOpen(record, candidate, used, next);
    } else {
      this.#leave();
    }
  }

  #isDone(record: number, change: number): boolean {
    const bit = this.#problem.bit[change]!;
    return (this.#memo.records[record + RECORD_WORDS + (bit >>> 5)]! & (1 << (bit & 31))) !== 0;
  }

  /** The next state; ILLEGAL also when the step makes the open operation just before it idle (pruning 3). */
  #stepUnlessIdle(state: number, before: number, stepClass: number): number {
    this.steps++;
    const next = this.#transitions.step(state, stepClass);
    if (before === NO_STATE || next === ILLEGAL) return next;
    return this.#transitions.step(before, stepClass) === next ? ILLEGAL : next;
  }

  #used(record: number, { word, shift, mask }: OpenClass): number {
    const debt = record + RECORD_WORDS + this.#problem.doneWords;
    return (this.#memo.records[debt + word]! >>> shift) & mask;
  }

  #tryChange(from: number, op: number, next: number): void {
    const draft = this.#copy(from);
    if (draft < 0) return;
    const bit = this.#problem.bit[op]!;
    this.#memo.records[draft + RECORD_WORDS + (bit >>> 5)]! |= 1 << (bit & 31);
    this.#follow(draft, op, next, NO_STATE);
  }

  #tryOpen(from: number, candidate: OpenClass, used: number, next: number): void {
    const draft = this.#copy(from);
    if (draft < 0) return;
    const { records } = this.#memo;
    const debt = draft + RECORD_WORDS + this.#problem.doneWords;
    records[debt + candidate.word]! += 1 << candidate.shift;
    this.#follow(draft, candidate.operations[used]!, next, records[draft + RECORD_STATE]!);
  }

  #copy(from: number): number {
    const draft = this.#memo.draft();
    if (draft < 0) {
      this.#outcome = "memory";
      return draft;
    }
    const words = RECORD_WORDS + this.#problem.doneWords + this.#problem.debtWords;
    const { records } = this.#memo;
    for (let word = RECORD_PLACE; word < words; word++)
      records[draft + word] = records[from + word]!;
    return draft;
  }

  /** Goes on from a draft in which `op` has just led to `state`. `before` is NO_STATE unless `op` is open. */
  #follow(draft: number, op: number, state: number, before: number): void {
    const { records } = this.#memo;
    const orderBefore = this.#orderLength;
    const place = records[draft + RECORD_PLACE]!;
    this.#order[this.#orderLength++] = op;
    this.#satisfyReads(draft, place, state);
    const satisfied = this.#orderLength > orderBefore + 1;
    const now = this.#passReturns(draft, place, state);
    if (this.#transitions.exhausted) this.#outcome = "memory";
    else this.#enter(draft, now, state, satisfied ? NO_STATE : before);
    if (
      this.#depth === 0 ||
      this.#frames[(this.#depth - 1) * FRAME_WORDS + FRAME_RECORD] !== draft
    ) {
      if (this.#outcome !== "ok") this.#dropOrder(orderBefore);
    }
  }

  /** Makes the draft the newest configuration, if it is new and not hopeless. */
  #enter(draft: number, place: number, state: number, before: number): void {
    const { records } = this.#memo;
    records[draft + RECORD_PLACE] = place;
    records[draft + RECORD_STATE] = state;
    if (place === this.#problem.returns) {
      this.#outcome = "ok";
      this.#keepLongest();
      return;
    }
    if (this.#foresight !== undefined && !this.#hasHope(draft, place, state)) {
      if (this.#depth === 0) this.#outcome = "illegal";
      return;
    }
    const added = this.#memo.add(draft);
    if (added === "memory") this.#outcome = "memory";
    if (added !== "added") return;
    const frame = this.#depth++ * FRAME_WORDS;
    this.#frames[frame + FRAME_RECORD] = draft;
    this.#frames[frame + FRAME_CURSOR] = 0;
    this.#frames[frame + FRAME_ORDER] = this.#orderLength;
    this.#frames[frame + FRAME_BEFORE] = before;
  }

  #leave(): void {
    this.#keepLongest();
    this.#depth--;
    if (this.#depth === 0) this.#outcome = "illegal";
    else this.#dropOrder(this.#frames[(this.#depth - 1) * FRAME_WORDS + FRAME_ORDER]!);
  }

  #dropOrder(length: number): void {
    this.#orderLength = length;
    if (length < this.#sharedLength) this.#sharedLength = length;
  }

  /** Every pending read that is legal in `state` takes effect (pruning 1). */
  #satisfyReads(draft: number, place: number, state: number): void {
    const { reads, bit, stepClass, doneWords } = this.#problem;
    const { records } = this.#memo;
    const debt = draft + RECORD_WORDS + doneWords;
    const end = reads.start[place + 1]!;
    for (let at = reads.start[place]!; at < end; at++) {
      const op = reads.list[at]!;
      const word = debt + (bit[op]! >>> 5);
      const mask = 1 << (bit[op]! & 31);
      if ((records[word]! & mask) === 0) continue;
      if (this.#transitions.step(state, stepClass[op]!) === ILLEGAL) continue;
      records[word]! &= ~mask;
      this.#order[this.#orderLength++] = op;
    }
  }

  /** Reads called at `place` take effect at once or become debt. */
  #callReads(draft: number, place: number, state: number): void {
    const { newReads, bit, stepClass, doneWords } = this.#problem;
    const { records } = this.#memo;
    const debt = draft + RECORD_WORDS + doneWords;
    const end = newReads.start[place + 1]!;
    for (let at = newReads.start[place]!; at < end; at++) {
      const op = newReads.list[at]!;
      if (this.#transitions.step(state, stepClass[op]!) === ILLEGAL) {
        records[debt + (bit[op]! >>> 5)]! |= 1 << (bit[op]! & 31);
      } else {
        this.#order[this.#orderLength++] = op;
      }
    }
  }

  /** Lets every operation return that took effect; answers the first place whose operation did not. */
  #passReturns(draft: number, from: number, state: number): number {
    const { returns, returnOp, isRead, bit, doneWords } = this.#problem;
    const { records } = this.#memo;
    let place = from;
    while (place < returns) {
      const mask = 1 << (bit[returnOp[place]!]! & 31);
      const read = isRead[place] === 1;
      const word = draft + RECORD_WORDS + (read ? doneWords : 0) + (bit[returnOp[place]!]! >>> 5);
      const set = (records[word]! & mask) !== 0;
      if (set === read) return place;
      if (!read) records[word]! &= ~mask;
      if (++place < returns) this.#callReads(draft, place, state);
    }
    return place;
  }

  /** Whether each read that is pending and not satisfied, and the next ones to be called, may still be (pruning 5). */
  #hasHope(draft: number, place: number, state: number): boolean {
    const { reads, bit, doneWords, nextRead, readOrder, returnOp } = this.#problem;
    const { records } = this.#memo;
    const now = this.#operations[returnOp[place]!]!.return!;
    const value = this.#transitions.state(state);
    const debt = draft + RECORD_WORDS + doneWords;
    const end = reads.start[place + 1]!;
    for (let at = reads.start[place]!; at < end; at++) {
      const op = reads.list[at]!;
      const owed = (records[debt + (bit[op]! >>> 5)]! & (1 << (bit[op]! & 31))) !== 0;
      if (owed && !this.#foresight!(value, op, now)) return false;
    }
    const last = Math.min(nextRead[place]! + FORESEEN_READS, readOrder.length);
    for (let at = nextRead[place]!; at < last; at++) {
      if (!this.#foresight!(value, readOrder[at]!, now)) return false;
    }
    return true;
  }

  #keepLongest(): void {
    if (this.#orderLength <= this.#bestLength) return;
    const from = this.#sharedLength;
    this.#best.set(this.#order.subarray(from, this.#orderLength), from);
    this.#bestLength = this.#sharedLength = this.#orderLength;
    const newest = this.#depth === 0 ? -1 : this.#frames[(this.#depth - 1) * FRAME_WORDS]!;
    this.#bestPlace =
      this.#outcome === "ok"
        ? this.#problem.returns
        : newest < 0
          ? 0
          : this.#memo.records[newest + RECORD_PLACE]!;
  }
}
