/** Links of the nodes outside a healed core are as drawn, whatever was in force before. */
import { describe, expect, test } from "vitest";
import type { Draw } from "../../src/lab/draw.js";
import { linkRest } from "../../src/sim/healing.js";
import { World } from "./network-world.js";

const [core, rest] = [[0, 1], [2]] as const;

/** As if `shape` had been drawn: 0 one-way, 1 bridge, 2 chain; the bridge is node 2. */
function drawing(shape: number): Draw {
  const pick = <T>(from: readonly T[]): T => from[1]!;
  return { integer: () => shape, pick } as unknown as Draw;
}

/** Ways along which a frame arrives. */
function ways(world: World): string[] {
  const found: string[] = [];
  for (const from of [0, 1, 2]) {
    for (const to of [0, 1, 2]) {
      if (from === to) continue;
      const before = world.arrivals[to]!.length;
      world.network.send(from, to, [Uint8Array.of(1)], world.scheduler.nowUs);
      world.run(10_000);
      if (world.arrivals[to]!.length > before) found.push(`${from}${to}`);
    }
  }
  return found;
}

const broken: Readonly<Record<string, (world: World) => void>> = {
  "nothing in force": () => {},
  "all links of the rest cut": ({ network }) => {
    for (const inside of core) {
      network.cut(2, inside, 7, true);
      network.cut(inside, 2, 7, true);
    }
  },
  "links half-open": ({ network }) => {
    for (const inside of core) network.halfOpen(2, inside, 7, true);
  },
  "links closed by a restart behind a cut": (world) => {
    const { network, nodes } = world;
    network.cut(2, 0, 7, true);
    const { events } = nodes[0]!;
    Object.assign(nodes[0]!, { events: null });
    network.stopped(0);
    world.run(500_000);
    Object.assign(nodes[0]!, { events, boot: 8 });
    network.started(0);
  },
};

describe.each(Object.entries(broken))("healing: with %s", (_what, damage) => {
  test.each([
    { shape: 0, name: "one-way", expected: ["20", "21"] },
    { shape: 1, name: "bridge", expected: ["12", "21"] },
    { shape: 2, name: "chain", expected: ["02", "20"] },
  ])("healing: $name links", ({ shape, expected }) => {
    const world = new World();
    damage(world);
    world.run(200_000);
    world.network.heal((from, to) => from < 2 && to < 2);
    linkRest(world.network, { core, rest }, drawing(shape));
    world.run(1_000_000);
    expect(ways(world)).toEqual(["01", "10", ...expected].sort());
  });
});

test("healing: three times in four the rest stays as broken as it was", () => {
  for (let shape = 3; shape < 12; shape++) {
    const world = new World();
    world.network.cut(2, 0, 7, true);
    linkRest(world.network, { core, rest }, drawing(shape));
    expect(ways(world)).toEqual(["01", "02", "10", "12", "21"]);
  }
});
