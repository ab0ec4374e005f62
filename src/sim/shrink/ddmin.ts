import type { Trying } from "./attempts.js";

/**
 * Delta debugging (Zeller and Hildebrandt 2002), by complements only: cut away pieces, large ones
 * first, as long as what is left still fails. Pieces are taken from the end, since what came last
 * did least.
 *
 * `fails` is asked about proper sublists only, and gives what is left their order. What comes back
 * fails if `items` did; it is minimal against every single removal if the last sweep removed
 * nothing, which `minimal.ts` proves separately.
 */
export function* ddmin<T>(
  items: readonly T[],
  fails: (kept: readonly T[]) => Trying<boolean>,
): Trying<readonly T[]> {
  if (items.length === 0) return items;
  if (yield* fails([])) return [];
  let left = items;
  for (let piece = halfUp(left.length); left.length > 0; piece = halfUp(piece)) {
    left = yield* sweep(left, Math.min(piece, left.length), fails);
    if (piece === 1) return left;
  }
  return left;
}

function* sweep<T>(
  items: readonly T[],
  piece: number,
  fails: (kept: readonly T[]) => Trying<boolean>,
): Trying<readonly T[]> {
  let left = items;
  for (let end = left.length; end > 0; end -= piece) {
    const start = Math.max(0, end - piece);
    // Nothing left at all was asked before the first sweep.
    if (start === 0 && end === left.length) continue;
    const kept = [...left.slice(0, start), ...left.slice(end)];
    if (yield* fails(kept)) left = kept;
  }
  return left;
}

function halfUp(n: number): number {
  return Math.ceil(n / 2);
}
