import { describe, expect, test } from "vitest";
import { type Arrival, World } from "./network-world.js";

const values = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ value }) => value);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test("network: greetings: every link comes up on both ends, with boot and disk", () => {
  const { links } = new World();
  expect([...links].sort()).toEqual([
    "1 up 2 7 101",
    "1 up 3 7 102",
    "2 up 1 7 100",
    "2 up 3 7 102",
    "3 up 1 7 100",
    "3 up 2 7 101",
  ]);
});

test("network: no faults: all arrive once, in order, within the usual delay", () => {
  const world = new World();
  const startUs = world.scheduler.nowUs;
  const arrivals = world.stream(100);
  expect(values(arrivals)).toEqual(upTo(100));
  arrivals.forEach(({ atUs }, n) => expect(atUs - startUs - n * 1_000).toBeLessThan(2_000));
  expect(world.effects).toEqual([]);
});

describe("rates", () => {
  test("network: loss: about that share vanishes", () => {
    const world = new World();
    world.network.rate("loss", 300, 4);
    const got = world.stream(200);
    expect(got.length).toBeGreaterThan(110);
    expect(got.length).toBeLessThan(170);
    expect(world.effects.length).toBe(200 - got.length);
    world.network.rate("loss", 0, 4);
    expect(world.stream(50).length).toBe(50);
  });

  test("network: duplicate: some arrive twice, none is missing", () => {
    const world = new World();
    world.network.rate("duplicate", 300, 4);
    const got = values(world.stream(100));
    expect(new Set(got).size).toBe(100);
    expect(got.length).toBe(100 + world.effects.length);
    expect(world.effects.length).toBeGreaterThan(10);
  });

  test.each(["delay", "reorder"] as const)("network: %s: order breaks, none is missing", (kind) => {
    const world = new World();
    world.network.rate(kind, 200, 4);
    const got = values(world.stream(100));
    expect(got).not.toEqual(upTo(100));
    expect([...got].sort((a, b) => a - b)).toEqual(upTo(100));
    expect(world.effects.length).toBeGreaterThan(5);
  });
});

describe("links", () => {
  test("network: cut one way: nothing there, all back, and all again after it", () => {
    const world = new World();
    world.network.cut(0, 1, 9, true);
    expect(world.stream(5)).toEqual([]);
    world.network.send(1, 0, [Uint8Array.of(1)], world.scheduler.nowUs);
    world.run(10_000);
    expect(world.arrivals[0]!.length).toBe(1);
    expect(world.effects).toEqual([9, 9, 9, 9, 9]);
    world.network.cut(0, 1, 9, false);
    expect(world.stream(5).length).toBe(5);
  });

  test("network: two cuts on one way: both must end", () => {
    const world = new World();
    world.network.cut(0, 1, 8, true);
    world.network.cut(0, 1, 9, true);
    world.network.cut(0, 1, 8, false);
    expect(world.stream(1)).toEqual([]);
    world.network.cut(0, 1, 9, false);
    expect(world.stream(1).length).toBe(1);
  });

  test("network: slowLink: takes many times as long", () => {
    const [usual, slow] = [new World(), new World()];
    slow.network.slow(0, 1, 3, 20);
    const startUs = usual.scheduler.nowUs;
    const [a, b] = [usual.stream(1)[0]!, slow.stream(1)[0]!];
    expect(b.atUs - startUs).toBe((a.atUs - startUs) * 20);
    expect(slow.effects).toEqual([3]);
  });

  test("network: fullQueue: what does not fit is dropped", () => {
    const world = new World();
    world.network.narrow(0, 1, 3, true);
    const frames = upTo(5).map((n) => Uint8Array.of(n));
    world.network.send(0, 1, frames, world.scheduler.nowUs);
    world.run(10_000);
    expect(values(world.arrivals[1]!)).toEqual([0]);
    expect(world.effects).toEqual([3]);
  });

  test("network: corrupt: closes the link for both ends, and a greeting opens it again", () => {
    const world = new World();
    world.links.length = 0;
    world.network.corrupt(0, 1, 3, true);
    world.stream(60);
    expect(world.effects.length).toBeGreaterThan(0);
    expect(world.links).toContain("1 down 2");
    expect(world.links).toContain("2 down 1");
    world.network.corrupt(0, 1, 3, false);
    world.run(1_000_000);
    expect(world.stream(5).length).toBe(5);
  });

  test("network: halfOpen: one end knows, the other sends into nothing until it ends", () => {
    const world = new World();
    world.links.length = 0;
    world.network.halfOpen(0, 1, 3, true);
    world.network.send(1, 0, [Uint8Array.of(1)], world.scheduler.nowUs);
    world.run(1_000_000);
    expect(world.links).toEqual(["1 down 2"]);
    expect(world.arrivals[0]).toEqual([]);
    world.network.halfOpen(0, 1, 3, false);
    world.run(1_000_000);
    expect(world.links.slice(1)).toContain("2 down 1");
    expect(world.stream(3).length).toBe(3);
  });
});

describe("faults that overlap", () => {
  const both = (set: (fault: number, on: boolean) => void): void => {
    set(8, true);
    set(9, true);
  };

  test("network: loss: the newest rate applies, then the older one again", () => {
    const world = new World();
    world.network.rate("loss", 1_000, 8);
    world.network.rate("loss", 1, 9);
    expect(world.stream(20).length).toBeGreaterThan(15);
    world.network.rate("loss", 0, 9);
    expect(world.stream(5)).toEqual([]);
    expect(world.effects.slice(-5)).toEqual([8, 8, 8, 8, 8]);
    world.network.rate("loss", 0, 8);
    expect(world.stream(5).length).toBe(5);
  });

  test("network: slowLink: an older one goes on when the newest ends, and the reverse", () => {
    for (const [first, last] of [
      [8, 9],
      [9, 8],
    ] as const) {
      const world = new World();
      world.network.slow(0, 1, 8, 10);
      world.network.slow(0, 1, 9, 20);
      world.network.slow(0, 1, first, 1);
      world.stream(1);
      world.network.slow(0, 1, last, 1);
      world.stream(1);
      expect(world.effects).toEqual([last]);
    }
  });

  test("network: fullQueue: one of two ends, and the queue still holds almost nothing", () => {
    const world = new World();
    const sent = (): number => {
      const before = world.arrivals[1]!.length;
      const frames = upTo(5).map((n) => Uint8Array.of(n));
      world.network.send(0, 1, frames, world.scheduler.nowUs);
      world.run(10_000);
      return world.arrivals[1]!.length - before;
    };
    both((by, on) => world.network.narrow(0, 1, by, on));
    world.network.narrow(0, 1, 9, false);
    expect(sent()).toBe(1);
    world.network.narrow(0, 1, 8, false);
    expect(sent()).toBe(5);
    expect(world.effects).toEqual([8]);
  });

  test("network: corrupt: one of two ends, and the other goes on", () => {
    const world = new World();
    both((by, on) => world.network.corrupt(0, 1, by, on));
    world.network.corrupt(0, 1, 9, false);
    world.stream(60);
    expect(new Set(world.effects)).toEqual(new Set([8]));
    world.network.corrupt(0, 1, 8, false);
    world.run(1_000_000);
    const { length } = world.effects;
    expect(world.stream(60).length).toBe(60);
    expect(world.effects.length).toBe(length);
  });

  test("network: halfOpen: lasts until both have ended", () => {
    const world = new World();
    both((by, on) => world.network.halfOpen(0, 1, by, on));
    world.network.halfOpen(0, 1, 9, false);
    world.run(1_000_000);
    world.network.send(1, 0, [Uint8Array.of(1)], world.scheduler.nowUs);
    world.run(10_000);
    expect(world.arrivals[0]).toEqual([]);
    expect(world.effects.at(-1)).toBe(8);
    world.network.halfOpen(0, 1, 8, false);
    world.run(1_000_000);
    expect(world.stream(3).length).toBe(3);
  });
});

describe("processes", () => {
  test("network: a process dies: its peers hear of it, what was under way is gone", () => {
    const world = new World();
    world.links.length = 0;
    world.network.send(0, 1, [Uint8Array.of(1)], world.scheduler.nowUs);
    world.nodes[0]!.events = null;
    world.network.stopped(0);
    world.run(50_000);
    expect(world.arrivals[1]).toEqual([]);
    expect([...world.links].sort()).toEqual(["2 down 1", "3 down 1"]);
  });

  test("network: a process dies behind a cut: the peer learns of it by the next greeting", () => {
    const world = new World();
    world.links.length = 0;
    world.network.cut(1, 0, 5, true);
    const { events } = world.nodes[0]!;
    world.nodes[0]!.events = null;
    world.network.stopped(0);
    world.run(500_000);
    expect(world.links).toEqual(["3 down 1"]);
    world.nodes[0] = Object.assign(world.nodes[0]!, { events, boot: 8 });
    world.network.started(0);
    world.network.cut(1, 0, 5, false);
    world.run(500_000);
    expect(world.links).toContain("2 down 1");
    expect(world.links).toContain("2 up 1 8 100");
  });
});
