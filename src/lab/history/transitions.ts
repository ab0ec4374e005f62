import type { Operation } from "./operation.js";
import type { Model } from "./models/model.js";
import type { MemoryMeter } from "./memory.js";

/** No step of the model leads on from here. */
export const ILLEGAL = -1;
const UNTRIED = -2;
/** Larger tables are not worth their memory: beyond it the model is asked each time. */
const CACHED_STEPS_MAX = 1 << 20;
/** A guess at what an interned state costs besides its text. */
const STATE_BYTES = 128;

/** The states of one part as small integers, and the model's steps between them, each computed once. */
export class Transitions<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #samples: readonly Operation<Input, Output>[];
  readonly #abstract: ((state: State) => State) | undefined;
  readonly #meter: MemoryMeter;
  readonly #ids = new Map<string, number>();
  readonly #states: State[] = [];
  readonly #classes: number;
  readonly #cachedStates: number;
  #table: Int32Array;
  #bytes = 0;
  /** Set once memory ran short; answers since then are not to be used. */
  exhausted = false;

  constructor(
    model: Model<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    samples: readonly Operation<Input, Output>[],
    meter: MemoryMeter,
  ) {
    this.#model = model;
    this.#samples = samples;
    this.#abstract = model.abstraction?.(operations);
    this.#meter = meter;
    this.#classes = samples.length;
    this.#cachedStates = Math.floor(CACHED_STEPS_MAX / Math.max(1, samples.length));
    this.#table = new Int32Array(0);
    this.#intern(model.initial);
  }

  state(id: number): State {
    return this.#states[id]!;
  }

  /** The state that an operation of this class leads to, or ILLEGAL. State 0 is the initial one. */
  step(state: number, stepClass: number): number {
    const at = state * this.#classes + stepClass;
    if (at < this.#table.length) {
      const known = this.#table[at]!;
      if (known !== UNTRIED) return known;
    }
    const { input, output } = this.#samples[stepClass]!;
    const next = this.#model.step(this.#states[state]!, input, output);
    const id = next === undefined ? ILLEGAL : this.#intern(next);
    // Interning may have replaced the table.
    if (at < this.#table.length) this.#table[at] = id;
    return id;
  }

  close(): void {
    this.#meter.release(this.#bytes);
    this.#bytes = 0;
  }

  #intern(exact: State): number {
    const state = this.#abstract === undefined ? exact : this.#abstract(exact);
    const key = this.#model.stateKey(state);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#states.length;
    if (!this.#take(STATE_BYTES + key.length * 2)) return 0;
    this.#states.push(state);
    this.#ids.set(key, id);
    if (id < this.#cachedStates && (id + 1) * this.#classes > this.#table.length) this.#growTable();
    return id;
  }

  #growTable(): void {
    const rows = Math.min(this.#cachedStates, Math.max(8, this.#states.length * 2));
    const grown = rows * this.#classes;
    if (!this.#take((grown - this.#table.length) * 4)) return;
    const table = new Int32Array(grown).fill(UNTRIED, this.#table.length);
    table.set(this.#table);
    this.#table = table;
  }

  #take(bytes: number): boolean {
    if (!this.#meter.reserve(bytes)) {
      this.exhausted = true;
      return false;
    }
    this.#bytes += bytes;
    return true;
  }
}
