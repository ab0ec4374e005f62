/** Which rare branch was reached how often. */
import type { MarkName, Marks } from "../../src/core/marks.js";

export class CountedMarks implements Marks {
  readonly counts = new Map<MarkName, number>();

  hit(name: MarkName): void {
    this.counts.set(name, this.of(name) + 1);
  }

  of(name: MarkName): number {
    return this.counts.get(name) ?? 0;
  }

  has(name: MarkName): boolean {
    return this.counts.has(name);
  }
}
