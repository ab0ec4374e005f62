/**
 * The hash ring (Karger et al. 1997): every target stands at many points of a circle, and a key
 * belongs to the first point at or after its hash.
 */
import { assert } from "../assert.js";
import { mix32 } from "../hash.js";
import { idWords } from "./id-words.js";
import { type HashScheme, inOrder, targetsMax, type HashTarget } from "./scheme.js";

/** How many points a ring may have. */
export const ringPointsMax: number = 4 * 1024 * 1024;
export const ringPointsPerWeightDefault = 160;

/**
 * A target has `pointsPerWeight` points for each unit of its weight, whatever the others have: where
 * they stand is decided by the target alone, or else more would move than must.
 */
export function hashRing(pointsPerWeight: number = ringPointsPerWeightDefault): HashScheme {
  assert(Number.isInteger(pointsPerWeight) && pointsPerWeight >= 1, "there are points", {
    pointsPerWeight,
  });
  return {
    name: `ring-${pointsPerWeight}`,
    build(targets) {
      const ordered = inOrder(targets);
      const { points, owners } = sortedPoints(ordered, pointsPerWeight);
      return { locate: (keyHash) => ordered[owners[firstFrom(points, keyHash)]!]!.id };
    },
  };
}

function sortedPoints(
  ordered: readonly HashTarget[],
  pointsPerWeight: number,
): { readonly points: Uint32Array; readonly owners: Uint16Array } {
  const count = ordered.reduce((sum, { weight }) => sum + weight * pointsPerWeight, 0);
  assert(count <= ringPointsMax, "a ring has no more points than ringPointsMax", { count });
  // Place on the circle and rank of the owner in one number: equal places are in order of ids, never
  // in that of the list.
  const keys = new Float64Array(count);
  let filled = 0;
  for (const [rank, { id, weight }] of ordered.entries()) {
    const [salt, step] = idWords(id);
    for (let point = 0; point < weight * pointsPerWeight; point++) {
      const place = mix32(salt + Math.imul(point, step | 1));
      keys[filled++] = place * targetsMax + rank;
    }
  }
  keys.sort();
  return {
    points: Uint32Array.from(keys, (key) => Math.floor(key / targetsMax)),
    owners: Uint16Array.from(keys, (key) => key % targetsMax),
  };
}

/** Where the first point at or after `place` stands; behind the last one comes the first. */
function firstFrom(points: Uint32Array, place: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]! < place) low = middle + 1;
    else high = middle;
  }
  return low === points.length ? 0 : low;
}
