/** One line of a benchmark: always a ratio against something measured in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly against: string;
  /** `value` divided by what it is measured against. */
  readonly ratio: number;
}

/** The middle one; of an even number the lower of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Runs both in turn, `pairs` times, and gives the median rates, and the median ratio of the pairs. */
export function alternate(
  pairs: number,
  ours: () => number,
  theirs: () => number,
): { readonly ours: number; readonly theirs: number; readonly ratio: number } {
  const a: number[] = [];
  const b: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // Whoever goes first is changed each time, so that a slowing machine favours neither.
    const first = pair % 2 === 0 ? ours() : theirs();
    const second = pair % 2 === 0 ? theirs() : ours();
    const [mine, other] = pair % 2 === 0 ? [first, second] : [second, first];
    a.push(mine);
    b.push(other);
    ratios.push(mine / other);
  }
  return { ours: median(a), theirs: median(b), ratio: median(ratios) };
}
