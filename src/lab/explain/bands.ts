/** Faults that are in force, each in a column of its own while it lasts. */
import type { TraceEvent } from "../../core/trace/schema.js";

/** More at once have no column. */
const columnsMax = 8;
const letters = "abcdefghijklmnopqrstuvwxyz";

export class Bands {
  /** Id of the fault in each column, null where there is none. */
  readonly #columns: (string | null)[] = [];
  readonly #lettersOf = new Map<string, string>();

  /** Takes in one event, which may be a fault that begins or ends. */
  observe({ kind, data }: TraceEvent): void {
    if (kind !== "fault") return;
    if (!data.active) this.#end(data.id);
    else if (data.forUs > 0) this.#begin(data.id);
  }

  /** The letter of each fault in force, in its column. */
  get text(): string {
    return this.#columns
      .map((id) => (id === null ? " " : (this.#lettersOf.get(id) ?? " ")))
      .join("");
  }

  /** Columns that were ever in use. */
  get columns(): number {
    return this.#columns.length;
  }

  #begin(id: string): void {
    const free = this.#columns.indexOf(null);
    const at = free >= 0 ? free : this.#columns.length;
    if (at >= columnsMax) return;
    if (!this.#lettersOf.has(id)) {
      this.#lettersOf.set(id, letters[this.#lettersOf.size % letters.length]!);
    }
    this.#columns[at] = id;
  }

  #end(id: string): void {
    const at = this.#columns.indexOf(id);
    if (at >= 0) this.#columns[at] = null;
  }
}
