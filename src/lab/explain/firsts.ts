/** What every replica of a group goes through, and what is refused again and again, is told once. */
import type { TraceEvent } from "../../core/trace/schema.js";

export class Firsts {
  readonly #seen = new Set<string>();

  /** True for all that is no entry, too. */
  isFirst({ kind, group, data }: TraceEvent): boolean {
    if (kind === "job") return this.#isNew(`job/${data.index}`);
    if (kind !== "slots") return true;
    const { incarnation, index, step, slots, epoch, outcome, changed } = data;
    const life = `slots/${group}/${incarnation}`;
    if (changed) return this.#isNew(`${life}/${index}`);
    return this.#isNew(`${life}/${step}/${slots.join("-")}/${epoch}/${outcome}`);
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
