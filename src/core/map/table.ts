/** Items by number, with a digest that is kept up to date: nothing ever loops over all of them. */
import { digestOf } from "../plain.js";

/** Items are values: a change puts another one in its place. */
export class Table<Item> {
  readonly #items = new Map<number, Item>();
  #sumA = 0;
  #sumB = 0;

  get size(): number {
    return this.#items.size;
  }

  get(id: number): Item | undefined {
    return this.#items.get(id);
  }

  set(id: number, item: Item): void {
    this.delete(id);
    this.#items.set(id, item);
    this.#count(id, item, 1);
  }

  delete(id: number): void {
    const item = this.#items.get(id);
    if (item === undefined) return;
    this.#items.delete(id);
    this.#count(id, item, -1);
  }

  clear(): void {
    this.#items.clear();
    this.#sumA = 0;
    this.#sumB = 0;
  }

  /** Ascending by id. */
  all(): Item[] {
    return [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item);
  }

  /** Equal for equal items, in whatever order they came. */
  get sums(): readonly [number, number] {
    return [this.#sumA, this.#sumB];
  }

  #count(id: number, item: Item, sign: 1 | -1): void {
    const [a, b] = digestOf({ id, item });
    this.#sumA = (this.#sumA + sign * a) | 0;
    this.#sumB = (this.#sumB + sign * b) | 0;
  }
}
