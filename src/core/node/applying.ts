/**
 * Hands the committed entries of one replica to its state machine, a slice of a turn at a time. A state
 * machine runs on the node's only thread, and nothing can interrupt one entry; but between two
 * entries the other groups get their turn, and a machine that stalls again and again has to rest.
 */
import { assert } from "../assert.js";
import type { Sealer } from "../consensus.js";
import type { Entry } from "../entry.js";
import type { NodeContext } from "./context.js";
import type { Sleeper } from "./wake-heap.js";

export interface Applier {
  /** False: the key that it is sealed under is not there; `giveBack` follows. */
  mayApply(entry: Entry): boolean;
  /** One entry, its payload opened. */
  applyEntry(entry: Entry): void;
  /** These were applied in one go, opened; `whole`: nothing of what `begin` was given is left. */
  sliceApplied(entries: readonly Entry[], whole: boolean): void;
}

/** Stalls are forgiven up to so many slices together: a pause of the process is no fault of a machine. */
const forgivenSlices = 10;
/** Longer than this nobody rests. */
const restUsMax = 4_000_000;

/** 1. At most one piece is under way. 2. It is asleep exactly while a piece has to wait. */
export class Applying implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #context: NodeContext;
  readonly #sealer: Sealer;
  readonly #to: Applier;
  #entries: readonly Entry[] = nothing;
  #at = 0;
  /** Time that stalls took and that is not forgiven yet, as it stood at `#owedAtUs`. */
  #owedUs = 0;
  #owedAtUs = 0;
  #restsUntilUs = 0;
  /** The next entry waits for its key. */
  #waits = false;

  constructor(context: NodeContext, sealer: Sealer, to: Applier) {
    this.#context = context;
    this.#sealer = sealer;
    this.#to = to;
  }

  /** Only when the piece before it is whole. */
  begin(entries: readonly Entry[]): void {
    this.#entries = entries;
    this.#at = 0;
    this.#go();
  }

  /** True: what waited for its key is given back. */
  giveBack(): boolean {
    if (!this.#waits) return false;
    this.#waits = false;
    this.#entries = nothing;
    return true;
  }

  #go(): void {
    if (this.#context.nowUs < this.#restsUntilUs) this.#sleep(this.#restsUntilUs);
    else this.#slice();
  }

  woken(): void {
    this.#slice();
  }

  /** What is left is never applied: the replica leaves. */
  stop(): void {
    this.#context.wakes.remove(this);
    this.#entries = nothing;
  }

  #slice(): void {
    const { clockUs, options } = this.#context;
    const { applySliceUs } = options;
    const entries = this.#entries;
    const from = this.#at;
    const startUs = clockUs();
    let endUs = startUs;
    let opened: Entry[] | null = null;
    do {
      const entry = entries[this.#at]!;
      this.#waits = !this.#to.mayApply(entry);
      if (this.#waits) break;
      const clear = this.#opened(entry);
      if (clear !== entry) opened ??= entries.slice(from, this.#at);
      opened?.push(clear);
      this.#at++;
      this.#to.applyEntry(clear);
      endUs = clockUs();
    } while (this.#at < entries.length && endUs - startUs < applySliceUs);
    // An entry that took a whole slice beyond the one that it was given.
    if (endUs - startUs >= 2 * applySliceUs) this.#stalled(endUs, endUs - startUs - applySliceUs);
    const whole = this.#at === entries.length;
    if (!whole && !this.#waits) this.#sleep(Math.max(endUs + 1, this.#restsUntilUs));
    if (this.#at === from) return;
    const isAll = whole && from === 0;
    const applied = isAll ? entries : entries.slice(from, this.#at);
    this.#to.sliceApplied(opened ?? applied, whole);
  }

  #opened(entry: Entry): Entry {
    if (entry.keyEpoch === 0) return entry;
    const payload = this.#sealer.open(entry, entry.payload);
    assert(payload !== null, "a committed entry opens under its own header", {
      index: entry.index,
    });
    return { ...entry, payload };
  }

  #stalled(nowUs: number, stallUs: number): void {
    const { options, marks } = this.#context;
    const { applySliceUs, applyStallOneIn } = options;
    const forgivenUs = Math.floor((nowUs - this.#owedAtUs) / applyStallOneIn);
    this.#owedUs = Math.max(0, this.#owedUs - forgivenUs) + stallUs;
    this.#owedAtUs = nowUs;
    const beyondUs = this.#owedUs - forgivenSlices * applySliceUs;
    if (beyondUs <= 0) return;
    marks.hit("stalledMachineRests");
    this.#restsUntilUs = nowUs + Math.min(restUsMax, beyondUs * applyStallOneIn);
  }

  #sleep(untilUs: number): void {
    this.#context.marks.hit("applyPutOff");
    this.#context.wakes.wakeAt(this, untilUs);
  }
}

const nothing: readonly Entry[] = [];
