import type { Attempts, Trying } from "./attempts.js";

/**
 * Makes a number smaller as long as `accept` says that it still fails: the floor at once if that
 * will do, then halves, then fewer digits. A dozen runs at most, and a number that people can read.
 */
export function* lower(
  attempts: Attempts,
  value: number,
  floor: number,
  accept: (smaller: number) => Trying<boolean>,
): Trying {
  if (value <= floor || attempts.spent) return;
  if (yield* accept(floor)) return;
  let least = value;
  for (let halvings = 0; halvings < halvingsMax; halvings++) {
    const half = floor + Math.floor((least - floor) / 2);
    const smaller = Math.max(floor, rounded(half, 2));
    if (smaller >= least || smaller === floor || !(yield* accept(smaller))) break;
    least = smaller;
  }
  for (const digits of [1, 2]) {
    const round = rounded(least, digits);
    if (round < least && round > floor && (yield* accept(round))) return;
  }
}

const halvingsMax = 8;

/** Down to so many leading digits. */
function rounded(value: number, digits: number): number {
  let unit = 1;
  while (Math.floor(value / unit) >= (digits === 1 ? 10 : 100)) unit *= 10;
  return Math.floor(value / unit) * unit;
}
