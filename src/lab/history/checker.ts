import type { Operation, Part } from "./operation.js";
import type { Model } from "./models/model.js";
import { Memo } from "./memo.js";
import { MemoryMeter } from "./memory.js";
import { layOut } from "./problem.js";
import { PartSearch } from "./search.js";

/** "unknown": a budget ran out before the answer was found. */
export type Verdict = "ok" | "illegal" | "unknown";

export interface CheckOptions {
  /** How many steps of the model may be tried in all; 50 million by default. */
  readonly stepBudget?: number | undefined;
  /** How many bytes the searches may hold together; 512 MiB by default. */
  readonly memoryBytes?: number | undefined;
}

export interface CheckResult<Input = unknown, Output = unknown> {
  readonly verdict: Verdict;
  /** Operations that were judged. */
  readonly operations: number;
  readonly steps: number;
  readonly parts: number;
  /** When illegal: the part that is. When unknown: each part that is. When ok: none. */
  readonly reports: readonly PartReport<Input, Output>[];
}

/** How far a part without an answer, or with the answer no, could be explained. */
export interface PartReport<Input = unknown, Output = unknown> {
  readonly key: string;
  readonly verdict: "illegal" | "unknown";
  readonly why: "no order is legal" | "steps" | "memory";
  /** The longest legal order of operations that was met. */
  readonly linearized: readonly Operation<Input, Output>[];
  /** The operation that could not return after those; null when nothing was searched. */
  readonly blocked: Operation<Input, Output> | null;
  readonly operations: number;
}

const STEPS_DEFAULT = 50_000_000;
const MEMORY_BYTES_DEFAULT = 512 * 1024 * 1024;
const FIRST_TURN_STEPS = 1_000;
const TURN_GROWTH = 4;
/** With foresight a search stops early; this many steps without it find an order worth showing. */
const EXPLAIN_STEPS = 20_000;
const POOLED_MEMOS_MAX = 8;
const POOLED_MEMO_BYTES_MAX = 1 << 20;

/** Memos of finished parts, kept so that many small checks do not each allocate theirs. They carry no content over. */
const pooledMemos: Memo[] = [];

/**
 * Judges whether a history is linearizable (Herlihy and Wing 1990): whether each of its parts has an order of its
 * operations that the model allows and that keeps the order of operations which did not overlap.
 *
 * The parts take turns, the smallest first, with budgets that grow from turn to turn, so that one hard part cannot
 * hide the answer of another. The first part without such an order ends the check. Never throws for want of time or
 * memory: the verdict is then "unknown".
 */
export function checkOperations<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  options: CheckOptions = {},
): CheckResult<Input, Output> {
  const meter = new MemoryMeter(options.memoryBytes ?? MEMORY_BYTES_DEFAULT);
  const stepBudget = options.stepBudget ?? STEPS_DEFAULT;
  const parts = [...model.partition(operations)];
  parts.sort((a, b) => a.operations.length - b.operations.length);
  let waiting = parts.map((part) => new PartCheck(model, part, meter));
  const reports: PartReport<Input, Output>[] = [];
  let steps = 0;
  let illegal: PartReport<Input, Output> | null = null;
  let turn = FIRST_TURN_STEPS;
  while (waiting.length > 0 && illegal === null) {
    const undecided: PartCheck<State, Input, Output>[] = [];
    for (const check of waiting) {
      const left = stepBudget - steps;
      const outcome =
        illegal !== null ? "ok" : left > 0 ? check.run(Math.min(turn, left)) : "steps";
      steps += check.takeSteps();
      if (outcome === "more") {
        undecided.push(check);
        continue;
      }
      if (outcome === "illegal") illegal = check.report("illegal", "no order is legal");
      else if (outcome !== "ok") reports.push(check.report("unknown", outcome));
      check.close();
    }
    waiting = undecided;
    turn *= TURN_GROWTH;
  }
  for (const check of waiting) check.close();
  return {
    verdict: illegal !== null ? "illegal" : reports.length > 0 ? "unknown" : "ok",
    operations: parts.reduce((sum, part) => sum + part.operations.length, 0),
    steps,
    parts: parts.length,
    reports: illegal !== null ? [illegal] : reports,
  };
}

/** One part and its search, which is laid out at its first turn and gives its memory back when it is closed. */
class PartCheck<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #part: Part<Input, Output>;
  readonly #meter: MemoryMeter;
  #search: PartSearch<State, Input, Output> | null = null;
  #memo: Memo | null = null;
  #layoutBytes = 0;
  #stepsTaken = 0;

  constructor(model: Model<State, Input, Output>, part: Part<Input, Output>, meter: MemoryMeter) {
    this.#model = model;
    this.#part = part;
    this.#meter = meter;
  }

  run(steps: number): "ok" | "illegal" | "more" | "memory" {
    if (this.#search === null && !this.#open(true)) return "memory";
    return this.#search!.run(steps);
  }

  /** Steps since this was last asked. */
  takeSteps(): number {
    const steps = (this.#search?.steps ?? 0) - this.#stepsTaken;
    this.#stepsTaken += steps;
    return steps;
  }

  report(verdict: "illegal" | "unknown", why: PartReport["why"]): PartReport<Input, Output> {
    const { key, operations } = this.#part;
    let longest = this.#search?.longest() ?? { order: [], blocked: null };
    if (verdict === "illegal" && this.#model.foresight !== undefined) {
      this.close();
      if (this.#open(false)) {
        this.#search!.run(EXPLAIN_STEPS);
        const longer = this.#search!.longest();
        if (longer.order.length > longest.order.length) longest = longer;
      }
    }
    return {
      key,
      verdict,
      why,
      linearized: longest.order.map((op) => operations[op]!),
      blocked: longest.blocked === null ? null : operations[longest.blocked]!,
      operations: operations.length,
    };
  }

  close(): void {
    this.#search?.close();
    this.#search = null;
    this.#stepsTaken = 0;
    this.#meter.release(this.#layoutBytes);
    this.#layoutBytes = 0;
    const memo = this.#memo;
    this.#memo = null;
    if (memo === null || memo.bytes > POOLED_MEMO_BYTES_MAX) return;
    if (pooledMemos.length < POOLED_MEMOS_MAX) pooledMemos.push(memo);
  }

  #open(foresight: boolean): boolean {
    const operations = this.#part.operations;
    const room = this.#meter.bytesMax - this.#meter.bytes;
    const { problem, bytes } = layOut(this.#model, operations, room);
    if (problem === null || !this.#meter.reserve(bytes)) return false;
    this.#layoutBytes = bytes;
    this.#memo = pooledMemos.pop() ?? new Memo();
    this.#search = new PartSearch({
      model: this.#model,
      operations,
      problem,
      memo: this.#memo,
      meter: this.#meter,
      foresight,
    });
    return true;
  }
}
