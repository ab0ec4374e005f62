import { describe, expect, test } from "vitest";
import type { NetworkEvents } from "../../src/core/ports/network.js";
import { Decisions } from "../../src/sim/decisions.js";
import { eventKind } from "../../src/sim/events.js";
import { SimNetwork } from "../../src/sim/network.js";
import { Scheduler } from "../../src/sim/scheduler.js";

interface Arrival {
  readonly atUs: number;
  readonly from: number;
  readonly value: number;
}

class World {
  readonly scheduler = new Scheduler();
  readonly arrivals: Arrival[][] = [[], [], []];
  readonly links: string[] = [];
  readonly effects: number[] = [];
  readonly network: SimNetwork;
  readonly nodes: { events: NetworkEvents | null; boot: number; diskId: number }[];

  constructor(seed = 1) {
    this.nodes = [0, 1, 2].map((node) => ({
      boot: 7,
      diskId: 100 + node,
      events: {
        frameArrived: (from, frame) =>
          this.arrivals[node]!.push({ atUs: this.scheduler.nowUs, from, value: frame[0]! }),
        linkUp: (peer, boot, disk) => this.links.push(`${node + 1} up ${peer} ${boot} ${disk}`),
        linkDown: (peer) => this.links.push(`${node + 1} down ${peer}`),
      },
    }));
    this.network = new SimNetwork(seed, this.scheduler, this.nodes, 3, {
      decisions: new Decisions(seed, { listed: null }),
      watch: { effective: (fault) => this.effects.push(fault) },
    });
    for (const node of [0, 1, 2]) this.network.started(node);
    this.run(100_000);
  }

  run(forUs: number): void {
    const endUs = this.scheduler.nowUs + forUs;
    this.scheduler.add(endUs, 255);
    while (this.scheduler.next()) {
      const { kind, a, b, payload } = this.scheduler;
      if (kind === eventKind.frames) this.network.arrive(a, b, payload as Uint8Array[]);
      if (kind === eventKind.greet) this.network.greet(a);
      if (kind === eventKind.linkDown) this.network.linkDown(a, b);
      if (kind === 255) return;
    }
  }

  /** `count` frames one after another, a millisecond apart, from node 1 to node 2. */
  stream(count: number): Arrival[] {
    const before = this.arrivals[1]!.length;
    for (let n = 0; n < count; n++) {
      this.network.send(0, 1, [Uint8Array.of(n)], this.scheduler.nowUs);
      this.run(1_000);
    }
    this.run(2_000_000);
    return this.arrivals[1]!.slice(before);
  }
}

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
