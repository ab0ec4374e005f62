import type { Operation } from "./operation.js";
import type { Model } from "./models/model.js";

/**
 * One part of a history, laid out for the search. "Place `p`" is just before return number `p`, returns counted in
 * order of time; an operation is pending at `p` when it was called before that return and has not returned earlier.
 *
 * A configuration of the search is a place, a state, and two rows of words:
 * - `done`: one bit per slot of a pending closed operation that may change the state (a *change*), set once it took
 *   effect. Slots are used again after the return.
 * - `debt`: fields that say how much worse off the configuration is: 1 for a pending read that is not satisfied yet,
 *   and for each class of open changes how many of them were used up. Each field has a guard bit above it, so that
 *   whole words can be compared field by field (see memo.ts).
 */
export interface Problem {
  readonly returns: number;
  readonly returnOp: Int32Array;
  /** For `returnOp[p]`: whether it is a read. */
  readonly isRead: Uint8Array;
  /** By operation: equal numbers step alike. */
  readonly stepClass: Int32Array;
  readonly stepClasses: number;
  /** By step class: an operation that stands for it. */
  readonly classSample: readonly number[];
  /** By operation: the bit of a change in `done`, or the bit of a read in `debt`. */
  readonly bit: Int32Array;
  /** Closed changes pending at each place, the soonest return first. */
  readonly changes: Rows;
  /** For each entry of `changes`: the nearest one before it at that place that steps alike, or -1. */
  readonly twin: Int32Array;
  /** Closed reads pending at each place, the soonest return first. */
  readonly reads: Rows;
  /** Closed reads called after the return before each place. */
  readonly newReads: Rows;
  /** All closed reads in order of call. */
  readonly readOrder: readonly number[];
  /** By place: where in `readOrder` those begin that are called later. */
  readonly nextRead: Int32Array;
  /** The open changes, in classes that step alike, each in order of call. */
  readonly open: readonly OpenClass[];
  readonly doneWords: number;
  readonly debtWords: number;
  /** The guard bits of each word of `debt`. */
  readonly guards: Int32Array;
}

export interface OpenClass {
  readonly stepClass: number;
  readonly operations: readonly number[];
  /** The first place at which each operation is pending. */
  readonly places: readonly number[];
  readonly word: number;
  readonly shift: number;
  /** All ones, as wide as the count. */
  readonly mask: number;
}

/** Lists of operations, one for each place: those of `p` are `list[start[p]]` to `list[start[p + 1] - 1]`. */
export interface Rows {
  readonly start: Int32Array;
  readonly list: Int32Array;
}

/** What each operation costs in the layout and the search, besides its entries in rows; rounded up. */
const WORDS_PER_OPERATION = 32;

/** Lays out a part, or says how many bytes the layout would take when that is above `bytesMax`. */
export function layOut<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  bytesMax: number,
):
  | { readonly problem: Problem; readonly bytes: number }
  | { readonly problem: null; readonly bytes: number } {
  const timeline = placesOf(operations);
  const { from, until, returnOp } = timeline;
  const read = operations.map((operation) => model.readOnly(operation.input, operation.output));
  let words = operations.length * WORDS_PER_OPERATION;
  operations.forEach((_, op) => {
    if (until[op]! >= 0) words += 2 * (until[op]! - from[op]! + 1);
  });
  const bytes = words * 4;
  if (bytes > bytesMax) return { problem: null, bytes };

  const classes = classify(model, operations);
  const isClosed = (op: number): boolean => until[op]! >= 0;
  const closed = [...returnOp];
  const closedReads = closed.filter((op) => read[op]!);
  const closedChanges = closed.filter((op) => !read[op]!);
  const bit = new Int32Array(operations.length);
  const doneBits = assignSlots(timeline, bit, (op) => isClosed(op) && !read[op]!);
  const readSlots = assignSlots(timeline, bit, (op) => isClosed(op) && read[op]!);
  for (const op of closedReads) bit[op] = bit[op]! * 2;
  const last = returnOp.length;
  const openChanges = timeline.callOrder.filter(
    (op) => !isClosed(op) && !read[op]! && from[op]! < last,
  );
  const fields = openFields(openChanges, classes.stepClass, from, readSlots * 2);
  const changes = rows(last, closedChanges, (op) => [from[op]!, until[op]!]);
  const readOrder = timeline.callOrder.filter((op) => isClosed(op) && read[op]!);
  const problem: Problem = {
    returns: last,
    returnOp,
    isRead: Uint8Array.from(returnOp, (op) => (read[op]! ? 1 : 0)),
    ...classes,
    bit,
    changes,
    twin: twinsOf(changes, classes),
    reads: rows(last, closedReads, (op) => [from[op]!, until[op]!]),
    newReads: rows(last, closedReads, (op) => [from[op]!, from[op]!]),
    readOrder,
    nextRead: nextReads(last, readOrder, from),
    open: fields.open,
    doneWords: (doneBits + 31) >>> 5,
    debtWords: fields.words,
    guards: guardsOf(fields, readSlots),
  };
  return { problem, bytes };
}

interface Timeline {
  /** By operation: the first place at which it is pending. */
  readonly from: Int32Array;
  /** By operation: the place of its own return, or -1. */
  readonly until: Int32Array;
  readonly returnOp: Int32Array;
  readonly callOrder: readonly number[];
  /** All calls (as `op * 2`) and returns (as `op * 2 + 1`) in order; calls first where times are equal. */
  readonly events: readonly number[];
}

function placesOf(operations: readonly Operation[]): Timeline {
  const events: number[] = [];
  operations.forEach((operation, op) => {
    events.push(op * 2);
    if (operation.return !== null) events.push(op * 2 + 1);
  });
  const timeOf = (event: number): number => {
    const operation = operations[event >> 1]!;
    return (event & 1) === 0 ? operation.call : operation.return!;
  };
  events.sort((a, b) => timeOf(a) - timeOf(b) || (a & 1) - (b & 1) || a - b);
  const from = new Int32Array(operations.length);
  const until = new Int32Array(operations.length).fill(-1);
  const returned: number[] = [];
  const callOrder: number[] = [];
  for (const event of events) {
    const op = event >> 1;
    if ((event & 1) === 0) {
      from[op] = returned.length;
      callOrder.push(op);
    } else {
      until[op] = returned.length;
      returned.push(op);
    }
  }
  return { from, until, returnOp: Int32Array.from(returned), callOrder, events };
}

function classify<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
): Pick<Problem, "stepClass" | "stepClasses" | "classSample"> {
  const numbers = new Map<string, number>();
  const classSample: number[] = [];
  const stepClass = new Int32Array(operations.length);
  operations.forEach((operation, op) => {
    const key = model.operationKey(operation.input, operation.output);
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
      classSample.push(op);
    }
    stepClass[op] = number;
  });
  return { stepClass, stepClasses: numbers.size, classSample };
}

/** Gives each chosen operation the lowest slot that is free from its call to its return; answers how many there are. */
function assignSlots(
  timeline: Timeline,
  slot: Int32Array,
  chosen: (op: number) => boolean,
): number {
  const free: number[] = [];
  let slots = 0;
  for (const event of timeline.events) {
    const op = event >> 1;
    if (!chosen(op)) continue;
    if ((event & 1) === 0) slot[op] = free.pop() ?? slots++;
    else free.push(slot[op]!);
  }
  return slots;
}

/**
 * Open changes that step alike are interchangeable, so only how many were used matters: whatever a linearization does
 * with the later ones can be done with the earlier ones, at the same moments.
 */
function openFields(
  openChanges: readonly number[],
  stepClass: Int32Array,
  from: Int32Array,
  bitsBefore: number,
): { readonly open: readonly OpenClass[]; readonly words: number } {
  const members = new Map<number, number[]>();
  for (const op of openChanges) {
    const list = members.get(stepClass[op]!);
    if (list === undefined) members.set(stepClass[op]!, [op]);
    else list.push(op);
  }
  const open: OpenClass[] = [];
  let bits = bitsBefore;
  for (const [number, operations] of members) {
    const width = 32 - Math.clz32(operations.length);
    // A field and its guard never straddle two words.
    if ((bits & 31) + width + 1 > 32) bits = (bits + 31) & ~31;
    open.push({
      stepClass: number,
      operations,
      places: operations.map((op) => from[op]!),
      word: bits >>> 5,
      shift: bits & 31,
      mask: (1 << width) - 1,
    });
    bits += width + 1;
  }
  return { open, words: (bits + 31) >>> 5 };
}

function guardsOf(
  fields: { readonly open: readonly OpenClass[]; readonly words: number },
  readSlots: number,
): Int32Array {
  const guards = new Int32Array(fields.words);
  for (let slot = 0; slot < readSlots; slot++) {
    const guard = slot * 2 + 1;
    guards[guard >>> 5]! |= 1 << (guard & 31);
  }
  for (const { word, shift, mask } of fields.open) guards[word]! |= (mask + 1) << shift;
  return guards;
}

function rows(
  places: number,
  inOrder: readonly number[],
  span: (op: number) => readonly [first: number, last: number],
): Rows {
  const start = new Int32Array(places + 1);
  for (const op of inOrder) {
    const [first, last] = span(op);
    for (let place = first; place <= last; place++) start[place + 1]!++;
  }
  for (let place = 0; place < places; place++) start[place + 1]! += start[place]!;
  const list = new Int32Array(start[places]!);
  const filled = start.slice(0, places);
  for (const op of inOrder) {
    const [first, last] = span(op);
    for (let place = first; place <= last; place++) list[filled[place]!++] = op;
  }
  return { start, list };
}

function twinsOf(
  { start, list }: Rows,
  { stepClass, stepClasses }: Pick<Problem, "stepClass" | "stepClasses">,
): Int32Array {
  const twin = new Int32Array(list.length).fill(-1);
  const newest = new Int32Array(stepClasses).fill(-1);
  for (let place = 0; place + 1 < start.length; place++) {
    for (let at = start[place]!; at < start[place + 1]!; at++) {
      const number = stepClass[list[at]!]!;
      const before = newest[number]!;
      if (before >= start[place]!) twin[at] = list[before]!;
      newest[number] = at;
    }
  }
  return twin;
}

function nextReads(places: number, readOrder: readonly number[], from: Int32Array): Int32Array {
  const next = new Int32Array(places);
  let at = 0;
  for (let place = 0; place < places; place++) {
    while (at < readOrder.length && from[readOrder[at]!]! <= place) at++;
    next[place] = at;
  }
  return next;
}
