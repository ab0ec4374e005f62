/**
 * How those outside a healed core are linked into it. They stay as broken as they were; but in one
 * healing of four they keep one-way links, a bridge or a chain into the core, and then just these:
 * whoever is half heard does most harm.
 */
import type { Draw } from "../lab/draw.js";
import type { SimNetwork } from "./network.js";

/** Ordinal of no fault: these cuts last until all is healed. */
const healing = -1;

export function linkRest(
  network: Pick<SimNetwork, "join" | "cut">,
  { core, rest }: { readonly core: readonly number[]; readonly rest: readonly number[] },
  draw: Draw,
): void {
  const shape = shapes[draw.integer(0, 11)];
  const bridge = draw.pick(core);
  if (shape === undefined) return;
  for (const [at, outside] of rest.entries()) {
    for (const inside of core) {
      const linked =
        shape === "oneWay" || inside === (shape === "bridge" ? bridge : core[at % core.length]);
      if (linked) network.join(outside, inside);
      if (shape === "oneWay" || !linked) network.cut(inside, outside, healing, true);
      if (!linked) network.cut(outside, inside, healing, true);
    }
  }
}

const shapes = ["oneWay", "bridge", "chain"] as const;
