/**
 * Who served one slot from when to when, and at which epoch: by the steps that groups applied. And
 * the answers about it that do not fit what its groups had applied.
 */
import type { TraceEvent } from "../../core/trace/schema.js";
import { clip, seconds, width } from "./layout.js";

/** A group serves the slot at an epoch. */
interface Term {
  readonly group: number;
  readonly epoch: number;
  readonly fromUs: number;
  /** Infinity while it lasts. */
  toUs: number;
  answers: number;
}

/** What a client was answered for the slot, and whether that fits what its groups had applied. */
export interface SlotAnswer {
  readonly node: number;
  readonly group: number;
  readonly epoch: number;
  readonly fits: boolean;
}

interface Stray {
  readonly operation: string;
  readonly client: number;
  readonly node: number;
  readonly group: number;
  readonly epoch: number;
  readonly atUs: number;
  /** What was served just then, in words. */
  readonly instead: string;
}

/** So many terms, and answers that do not fit, are told at most: the newest. */
const termsMax = 16;
const straysMax = 6;

export class SlotStory {
  readonly slot: number;
  /** In the order in which they began. */
  readonly #terms: Term[] = [];
  readonly #strays: Stray[] = [];
  /** Operation -> the newest answer. */
  readonly #answers = new Map<string, SlotAnswer>();
  /** `operation/node` -> when the client last asked. */
  readonly #asked = new Map<string, number>();

  constructor(slot: number) {
    this.slot = slot;
  }

  observe(event: TraceEvent, atUs: number): void {
    if (event.kind === "slots") this.#moved(event, atUs);
    else if (event.kind === "attempt" && event.data.slot === this.slot) {
      this.#asked.set(`${event.data.operation}/${event.data.to}`, atUs);
    } else if (event.kind === "reply" && event.data.slot === this.slot) {
      if (event.data.answer === "done") this.#answered(event, atUs);
    }
  }

  /** For a column of the timeline: the group, `-` for nobody, several with a `+`. */
  get now(): string {
    return this.#serving().join("+") || "-";
  }

  /** Null for an operation that has got none. */
  answerTo(operation: string): SlotAnswer | null {
    return this.#answers.get(operation) ?? null;
  }

  /** Operations whose answers do not fit, the first few. */
  get strays(): ReadonlySet<string> {
    return new Set(this.#strays.slice(0, straysMax).map(({ operation }) => operation));
  }

  get isEmpty(): boolean {
    return this.#terms.length === 0;
  }

  lines(): string[] {
    const left = this.#terms.slice(-termsMax);
    const rows = left.flatMap((term, at) => {
      const before = left.slice(0, at).map(({ toUs }) => toUs);
      const gapUs = term.fromUs - Math.max(...before);
      // Groups that serve it at the same time leave none.
      return gapUs > 0 && at > 0
        ? [gapText(Math.max(...before), term), termText(term)]
        : [termText(term)];
    });
    const last = this.#terms.at(-1);
    const lost = last !== undefined && this.#serving().length === 0;
    return [
      ...(left.length < this.#terms.length ? ["  (not shown: earlier ones)"] : []),
      ...rows,
      ...(lost ? [`  ${seconds(last.toUs)} on: nobody`] : []),
      ...this.#strayLines(),
    ].map((line) => clip(line, width));
  }

  #moved({ group, data }: TraceEvent<"slots">, atUs: number): void {
    const { slots, step, epoch, next, changed } = data;
    if (!changed || !covers(slots, this.slot)) return;
    // A replica that is late applies what is long over: only terms of older epochs end.
    if (step === "exportSlots") this.#end(group, epoch, atUs);
    if (step === "acceptSlots") this.#begin(group, epoch, atUs);
    if (step !== "keepSlots") return;
    this.#end(group, next, atUs);
    this.#begin(group, next, atUs);
  }

  #begin(group: number, epoch: number, atUs: number): void {
    if (this.#terms.some((term) => term.group === group && term.epoch >= epoch)) return;
    this.#terms.push({ group, epoch, fromUs: atUs, toUs: Infinity, answers: 0 });
  }

  #end(group: number, epoch: number, atUs: number): void {
    for (const term of this.#terms) {
      if (term.group === group && term.epoch < epoch && term.toUs === Infinity) term.toUs = atUs;
    }
  }

  /** It fits if the group served the slot at that epoch at some moment between request and answer. */
  #answered({ group, data }: TraceEvent<"reply">, atUs: number): void {
    const { operation, client, from: node, epoch } = data;
    const askedUs = this.#asked.get(`${operation}/${node}`) ?? atUs;
    const term = this.#terms.find((each) => each.group === group && each.epoch === epoch);
    const fits = term !== undefined && term.toUs >= askedUs;
    this.#answers.set(operation, { node, group, epoch, fits });
    if (fits) {
      term.answers++;
      return;
    }
    const serving = this.#terms.filter(({ toUs }) => toUs === Infinity);
    const instead = serving.map((each) => `group ${each.group} at epoch ${each.epoch}`);
    const stray = { operation, client, node, group, epoch, atUs };
    this.#strays.push({ ...stray, instead: instead.join(" and ") || "nobody" });
  }

  #serving(): number[] {
    return this.#terms.filter(({ toUs }) => toUs === Infinity).map(({ group }) => group);
  }

  #strayLines(): string[] {
    if (this.#strays.length === 0) return [];
    return [
      this.#strays.length === 1
        ? "  1 answer fits none of these:"
        : `  ${this.#strays.length} answers fit none of these:`,
      ...this.#strays
        .slice(-straysMax)
        .map(({ operation, client, node, group, epoch, atUs, instead }) => {
          const who = `n${node} answered client ${client} as group ${group} at epoch ${epoch}`;
          return `  ${seconds(atUs)} ${who}; it was ${instead} [${operation}]`;
        }),
    ];
  }
}

/** Whether one of these ranges, given by their ends two and two, holds the slot. */
export function covers(ranges: readonly number[], slot: number): boolean {
  for (let at = 0; at + 1 < ranges.length; at += 2) {
    if (ranges[at]! <= slot && slot < ranges[at + 1]!) return true;
  }
  return false;
}

function termText({ group, epoch, fromUs, toUs, answers }: Term): string {
  const to = toUs === Infinity ? "the end" : seconds(toUs);
  const answered = answers === 1 ? "1 answer" : `${answers} answers`;
  return `  ${seconds(fromUs)} to ${to}: group ${group} at epoch ${epoch}, ${answered}`;
}

function gapText(fromUs: number, { fromUs: toUs }: Term): string {
  return `  ${seconds(fromUs)} to ${seconds(toUs)}: nobody`;
}
