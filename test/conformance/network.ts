/** What every implementation of the Network port must keep. Reaches into none of them. */
import { describe, expect, test } from "vitest";
import { frameOverheadBytes } from "../../src/core/framing/frame.js";
import { type NodeId, nodeId } from "../../src/core/ids.js";
import { type MakeNetwork, Nodes } from "./network-kit.js";

const [one, two, three] = [nodeId(1), nodeId(2), nodeId(3)] as const;
const smallBytes = 64;
const small = (count: number): number[] => Array.from({ length: count }, () => smallBytes);

export function networkConformance(name: string, makeNetwork: MakeNetwork): void {
  describe(`network conformance: ${name}`, () => {
    links(makeNetwork);
    frames(makeNetwork);
    strangers(makeNetwork);
    deaths(makeNetwork);
    cuts(makeNetwork);
    queues(makeNetwork);
  });
}

function links(makeNetwork: MakeNetwork): void {
  test("network: links: come up on both ends, with boot and disk of the other", async () => {
    const nodes = await Nodes.make(makeNetwork, 3);
    const { greeting } = nodes.under;
    expect(new Set(nodes.ids.map((node) => greeting(node).disk)).size).toBe(3);
    for (const node of nodes.ids) {
      const others = nodes.ids.filter((other) => other !== node);
      const known = others.map((other) => nodes.life(node).up.get(other));
      expect(known).toEqual(others.map((other) => greeting(other)));
      expect(nodes.life(node).up.size).toBe(2);
    }
  });

  test("network: a frame sent as soon as its link is up: finds it up at the other end", async () => {
    const nodes = await Nodes.make(makeNetwork, 3);
    nodes.onUp = (node, peer) => nodes.send(node, peer, ...small(3));
    await nodes.stop(two);
    await nodes.under.start(two);
    await nodes.linked();
    for (const other of [one, three]) {
      expect((await nodes.received(two, other, 3)).length).toBe(3);
      expect((await nodes.received(other, two, 3)).length).toBe(3);
    }
  });
}

function frames(makeNetwork: MakeNetwork): void {
  test("network: batch after batch to one peer: all arrive, whole, in order, once", async () => {
    const nodes = await Nodes.make(makeNetwork, 2);
    const sent: number[] = [];
    for (let batch = 0; batch < 30; batch++) {
      const sizes = Array.from({ length: batch % 4 }, (_, at) => frameOverheadBytes + at * 977);
      sent.push(...nodes.send(one, two, ...sizes));
      // Some are sent in one breath, some one after another.
      if (batch % 3 === 0) await nodes.under.until(() => true);
    }
    expect(await nodes.received(two, one, sent.length)).toEqual(sent);
  });

  test("network: frames up to the limit: arrive whole, in order with small ones", async () => {
    const nodes = await Nodes.make(makeNetwork, 2);
    const { frameBytesMax } = nodes.under;
    const sizes = [smallBytes, frameBytesMax, smallBytes, frameBytesMax - 1, smallBytes];
    const there = nodes.send(one, two, ...sizes);
    const back = nodes.send(two, one, ...sizes);
    expect(await nodes.received(two, one, there.length)).toEqual(there);
    expect(await nodes.received(one, two, back.length)).toEqual(back);
  });

  test("network: an answer from inside an arrival: is no arrival inside that call", async () => {
    const nodes = await Nodes.make(makeNetwork, 2);
    nodes.onFrame = (node, from) => {
      if (nodes.got(node, from).length < 20) nodes.send(node, from, smallBytes);
    };
    nodes.send(one, two, smallBytes);
    expect((await nodes.received(two, one, 20)).length).toBe(20);
    expect(nodes.got(one, two).length).toBe(19);
  });

  test("network: many peers at once: each gets what is its own from each, in order", async () => {
    const nodes = await Nodes.make(makeNetwork, 8);
    const pairs = nodes.ids.flatMap((from) =>
      nodes.ids.filter((to) => to !== from).map((to) => ({ from, to, sent: [] as number[] })),
    );
    for (let batch = 0; batch < 10; batch++) {
      for (const { from, to, sent } of pairs) sent.push(...nodes.send(from, to, ...small(2)));
      await nodes.under.until(() => true);
    }
    for (const { from, to, sent } of pairs) {
      expect(await nodes.received(to, from, sent.length)).toEqual(sent);
    }
  });
}

function strangers(makeNetwork: MakeNetwork): void {
  /** What anybody gets of what everybody sends to `whom`; whatever else is under way must arrive. */
  async function strayed(whom: (nodes: Nodes, from: NodeId) => NodeId[]): Promise<number> {
    const nodes = await Nodes.make(makeNetwork, 3);
    const others = nodes.ids.flatMap((from) => nodes.ids.map((to) => [from, to] as const));
    const pairs = others.filter(([from, to]) => from !== to);
    for (const from of nodes.ids) {
      for (const to of whom(nodes, from)) nodes.send(from, to, ...small(2));
    }
    await nodes.under.settle();
    const strays = nodes.ids.flatMap((node) => nodes.life(node).got);
    for (const [from, to] of pairs) {
      const sent = nodes.send(from, to, smallBytes);
      expect((await nodes.received(to, from, 1)).slice(-1)).toEqual(sent);
    }
    return strays.length;
  }

  test("network: a peer that there is not: nobody gets its frames, nobody is harmed", async () => {
    // Close to the nodes' own numbers, and far beyond them.
    const numbers = [0, 4, 5, 6, 7, 8, 9, 10, 1_000_000, Number.MAX_SAFE_INTEGER];
    expect(await strayed(() => numbers.map(nodeId))).toBe(0);
  });

  test("network: to oneself: nobody gets the frames, nobody is harmed", async () => {
    expect(await strayed((_nodes, from) => [from])).toBe(0);
  });
}

function deaths(makeNetwork: MakeNetwork): void {
  test("network: a peer is away: frames for it are dropped, not kept", async () => {
    const nodes = await Nodes.make(makeNetwork, 3);
    await nodes.stop(two);
    await nodes.under.until(() => [one, three].every((node) => !nodes.life(node).up.has(two)));
    nodes.send(one, two, ...small(3));
    await nodes.under.settle();
    nodes.send(one, two, ...small(3));
    const between = nodes.send(one, three, ...small(3));
    expect(await nodes.received(three, one, 3)).toEqual(between);
    await nodes.under.start(two);
    await nodes.linked();
    await nodes.under.settle();
    const after = nodes.send(one, two, ...small(3));
    expect(await nodes.received(two, one, 3)).toEqual(after);
  });

  test("network: a process starts anew: is known by its new boot, and carries frames", async () => {
    const nodes = await Nodes.make(makeNetwork, 3);
    for (let start = 0; start < 3; start++) {
      const { boot, disk } = nodes.under.greeting(two);
      await nodes.stop(two);
      await nodes.under.start(two);
      await nodes.linked();
      expect(nodes.life(one).up.get(two)!.boot).toBeGreaterThan(boot);
      expect(nodes.life(one).up.get(two)!.disk).toBe(disk);
      const sent = [nodes.send(one, two, smallBytes), nodes.send(two, three, smallBytes)];
      expect(await nodes.received(two, one, 1)).toEqual(sent[0]);
      expect((await nodes.received(three, two, 1)).slice(-1)).toEqual(sent[1]);
    }
  });

  test("network: a process dies while it sends: what comes of it is whole, and of no later time", async () => {
    const nodes = await Nodes.make(makeNetwork, 3);
    for (let start = 0; start < 3; start++) {
      nodes.send(two, one, ...small(20), nodes.under.frameBytesMax, ...small(20));
      nodes.send(one, two, ...small(20), nodes.under.frameBytesMax, ...small(20));
      if (start > 0) await nodes.under.until(() => true);
      await nodes.stop(two);
      // Nothing leaves a process that is no more.
      const ghosts = nodes.send(two, one, ...small(3));
      await nodes.under.start(two);
      // The other end may not have missed it yet.
      for (let n = 0; n < 40; n++) {
        nodes.send(one, two, smallBytes);
        await nodes.under.until(() => true);
      }
      await nodes.linked();
      await nodes.under.settle();
      expect(nodes.got(one, two).filter((frame) => ghosts.includes(frame))).toEqual([]);
    }
  });
}

function cuts(makeNetwork: MakeNetwork): void {
  test("network: a cut link: carries nothing, harms no other, and carries again", async ({
    skip,
  }) => {
    const nodes = await Nodes.make(makeNetwork, 3);
    const { cut, settle } = nodes.under;
    if (cut === null) return skip("this world cannot cut a link");
    const bothWays = (): number[] => [nodes.got(two, one), nodes.got(one, two)].flat();
    await cut(one, two, true);
    await settle();
    const before = bothWays();
    for (let batch = 0; batch < 3; batch++) {
      nodes.send(one, two, ...small(2));
      nodes.send(two, one, ...small(2));
      await settle();
    }
    expect(bothWays()).toEqual(before);
    const around = [nodes.send(one, three, smallBytes), nodes.send(three, two, smallBytes)];
    expect(await nodes.received(three, one, 1)).toEqual(around[0]);
    expect(await nodes.received(two, three, 1)).toEqual(around[1]);
    // Whoever knows that the link is down has its frames dropped; who does not may have them late.
    const dropped = [
      ...(nodes.life(one).up.has(two) ? [] : nodes.send(one, two, smallBytes)),
      ...(nodes.life(two).up.has(one) ? [] : nodes.send(two, one, smallBytes)),
    ];
    await cut(one, two, false);
    await passes(nodes, one, two);
    await passes(nodes, two, one);
    expect(bothWays().filter((frame) => dropped.includes(frame))).toEqual([]);
  });
}

/** Sends until something that is sent now arrives: a link may take a while to see that it is mended. */
async function passes(nodes: Nodes, from: NodeId, to: NodeId): Promise<void> {
  const sent: number[] = [];
  for (let tries = 0; tries < 50; tries++) {
    sent.push(...nodes.send(from, to, smallBytes));
    await nodes.under.settle();
    if (nodes.got(to, from).some((frame) => sent.includes(frame))) return;
  }
  throw new Error(`nothing passes from ${from} to ${to} any more`);
}

function queues(makeNetwork: MakeNetwork): void {
  test.for([
    ["in one batch", (count: number) => [count]],
    ["one by one", (count: number) => Array.from({ length: count }, () => 1)],
  ] as const)(
    "network: a full queue, %s: drops what is too much, and empties",
    async ([, batches], { skip }) => {
      const nodes = await Nodes.make(makeNetwork, 3);
      const { queue } = nodes.under;
      if (queue === null) return skip("this world names no bound");
      const { frameBytes, framesMax } = queue;
      const fill = (times: number): number[] =>
        batches(Math.floor(framesMax * times)).flatMap((count) =>
          nodes.send(one, two, ...Array.from({ length: count }, () => frameBytes)),
        );
      for (let round = 0; round < 3; round++) {
        const before = nodes.got(two, one).length;
        const sent = fill(2.5);
        const other = nodes.send(one, three, smallBytes);
        const got = (await nodes.received(two, one, before + 1)).slice(before);
        expect(got.length).toBeLessThanOrEqual(framesMax);
        // The first ones found room; the rest keep their order.
        expect(got[0]).toBe(sent[0]);
        expect(got).toEqual(got.toSorted((a, b) => a - b));
        expect((await nodes.received(three, one, round + 1)).slice(round)).toEqual(other);
        // What was dropped takes no room, nor does what has arrived.
        const again = fill(0.5);
        const all = await nodes.received(two, one, before + got.length + again.length);
        expect(all.slice(-again.length)).toEqual(again);
      }
    },
  );
}
