import { type Figure, median } from "./figure.js";
import { type Placement, commitsPerSecond } from "./spread.js";

const seeds = [1, 2, 3];
const sizes = [1, 2, 4, 8] as const;

/** How the commits grow with the groups; those that share nodes show how busy a node is. */
export function benchSpread(): readonly Figure[] {
  return (["apart", "together"] as const).flatMap((placement) => figures(placement));
}

function figures(placement: Placement): readonly Figure[] {
  const rates = sizes.map((groups) => {
    return median(seeds.map((seed) => commitsPerSecond(groups, placement, seed)));
  });
  return sizes.map((groups, at) => ({
    name: `spread/${placement}-${groups}`,
    value: rates[at]!,
    unit: "commits/s",
    against: `${groups} times one group`,
    ratio: rates[at]! / (groups * rates[0]!),
  }));
}
