import { type Figure, median } from "./figure.js";
import { isolationOf, troubles } from "./isolation.js";

const seeds = [1, 2, 3, 4, 5];

/** How much longer the other groups' clients wait while one group is in trouble. */
export function benchIsolation(): readonly Figure[] {
  return troubles.map((trouble) => {
    const runs = seeds.map((seed) => isolationOf(trouble, seed));
    return {
      name: `isolation/${trouble.name}`,
      value: median(runs.map(({ withUs }) => withUs)),
      unit: "us at p99",
      against: "the same seed without the trouble",
      ratio: median(runs.map(({ withUs, withoutUs }) => withUs / withoutUs)),
    };
  });
}
