import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type PlacementNode,
  placeReplicas,
  replacement,
} from "../../../src/core/ring/place-replicas.js";
import { runs } from "../../setup/soak.js";

const capThousandths = 1_100;
const zones = ["a", "b", "c", "d"];

const nodeLists: fc.Arbitrary<PlacementNode[]> = fc.uniqueArray(
  fc.record({
    id: fc.integer({ min: 1, max: 30 }),
    zone: fc.constantFrom(...zones),
    weight: fc.integer({ min: 1, max: 4 }),
    load: fc.nat(6),
    state: fc.constantFrom("active" as const, "active" as const, "draining" as const),
  }),
  { selector: ({ id }) => id, maxLength: 10 },
);
const group = fc.nat(1_000_000);
const replication = fc.integer({ min: 1, max: 7 });

const isActive = ({ state }: PlacementNode): boolean => state === "active";
const countIn = (zone: string, nodes: readonly PlacementNode[]): number =>
  nodes.filter((node) => node.zone === zone).length;

/** Of the definition, by fractions of big integers: load < ceil(cap * share). */
function isBelowCap(
  node: PlacementNode,
  active: readonly PlacementNode[],
  toPlace: number,
): boolean {
  const total = active.reduce((sum, { load }) => sum + load, toPlace);
  const weightSum = active.reduce((sum, { weight }) => sum + weight, 0);
  const share = BigInt(total) * BigInt(node.weight) * BigInt(capThousandths);
  const unit = BigInt(weightSum) * 1_000n;
  return BigInt(node.load) < (share + unit - 1n) / unit;
}

/** Which promises the next choice breaks, given who holds the group already and who else may not. */
function brokenBy(
  chosen: PlacementNode,
  nodes: readonly PlacementNode[],
  holders: readonly PlacementNode[],
  rest: { readonly toPlace: number; readonly barred?: readonly number[] },
): string[] {
  const active = nodes.filter(isActive);
  const barred = [...holders.map(({ id }) => id), ...(rest.barred ?? [])];
  const could = active.filter(({ id }) => !barred.includes(id));
  const fewest = Math.min(...could.map(({ zone }) => countIn(zone, holders)));
  const wrong: string[] = [];
  if (!could.includes(chosen)) wrong.push("not to be chosen");
  if (countIn(chosen.zone, holders) > fewest) wrong.push("zone not spread");
  const apart = could.filter(({ zone }) => countIn(zone, holders) === fewest);
  const hasRoom = (node: PlacementNode): boolean => isBelowCap(node, active, rest.toPlace);
  if (!hasRoom(chosen) && apart.some(hasRoom)) wrong.push("above its cap");
  const isCrowded = !apart.some(hasRoom) && !isBelowCap(chosen, apart, 1);
  if (isCrowded) wrong.push("above its cap within the zones");
  return wrong;
}

function brokenByAll(nodes: readonly PlacementNode[], ids: readonly number[]): string[] {
  const chosen = ids.map((id) => nodes.find((node) => node.id === id)!);
  return chosen.flatMap((node, at) =>
    brokenBy(node, nodes, chosen.slice(0, at), { toPlace: ids.length }),
  );
}

function idle(count: number, weight = 1): PlacementNode[] {
  return Array.from({ length: count }, (_, at) => ({
    id: at + 1,
    zone: zones[at % 3]!,
    weight,
    load: 0,
    state: "active",
  }));
}

/** Places groups one after another, each seeing the loads that the earlier ones made. */
function fill(nodes: readonly PlacementNode[], groups: number, replicas: number): PlacementNode[] {
  const now = nodes.map((node) => ({ ...node }));
  for (let each = 1; each <= groups; each++) {
    const placed = placeReplicas({
      group: each,
      nodes: now,
      replication: replicas,
      capThousandths,
    });
    if (placed.kind !== "placed") throw new Error("refused");
    for (const node of now) if (placed.nodes.includes(node.id)) node.load++;
  }
  return now;
}

describe("replica placement", () => {
  it("replicas: any nodes: distinct, active, over zones, within caps; refused if too few", () => {
    fc.assert(
      fc.property(group, nodeLists, replication, (id, nodes, count) => {
        const placed = placeReplicas({ group: id, nodes, replication: count, capThousandths });
        if (nodes.filter(isActive).length < count) {
          expect(placed).toEqual({ kind: "refused", reason: "tooFewNodes" });
          return;
        }
        if (placed.kind !== "placed") return expect.unreachable("there were enough nodes");
        expect(new Set(placed.nodes).size).toBe(count);
        expect(brokenByAll(nodes, placed.nodes)).toEqual([]);
        const there = new Set(nodes.filter(isActive).map(({ zone }) => zone));
        const used = new Set(placed.nodes.map((node) => nodes.find((n) => n.id === node)!.zone));
        expect(used.size).toBe(Math.min(count, there.size));
      }),
      { numRuns: runs(3_000) },
    );
  });

  it("replicas: planted: the first nodes of the list: each broken promise is seen", () => {
    const node = (id: number, zone: string, load: number): PlacementNode => ({
      id,
      zone,
      load,
      weight: 1,
      state: "active",
    });
    const nodes = [node(1, "a", 0), node(2, "a", 0), node(3, "b", 9), node(4, "b", 0)];
    const crowded = [node(1, "a", 0), node(2, "b", 26), node(3, "b", 19)];
    expect(brokenByAll(crowded, [1, 2])).toEqual(["above its cap within the zones"]);
    expect(brokenByAll(crowded, [1, 3])).toEqual([]);
    expect(brokenByAll(nodes, [1, 2])).toEqual(["zone not spread"]);
    expect(brokenByAll(nodes, [1, 3])).toEqual(["above its cap"]);
    expect(brokenByAll(nodes, [1, 1])).toEqual(["not to be chosen", "zone not spread"]);
    expect(brokenByAll(nodes, [1, 4])).toEqual([]);
  });

  it("replicas: nodes in another order: the same", () => {
    fc.assert(
      fc.property(group, nodeLists, replication, (id, nodes, count) => {
        const request = { group: id, nodes, replication: count, capThousandths };
        const reversed = { ...request, nodes: nodes.toReversed() };
        expect(placeReplicas(reversed)).toEqual(placeReplicas(request));
      }),
    );
  });

  it("replicas: a thousand groups: no node above its cap, none far below its share", () => {
    for (const { load } of fill(idle(12), 1_000, 3)) {
      expect(load).toBeLessThanOrEqual(Math.ceil(250 * 1.1));
      expect(load).toBeGreaterThan(250 * 0.8);
    }
  });

  it("replicas: zones of unequal weight: each node within the cap of its zone's share", () => {
    // Each of the three zones must have a replica of each group: a small zone carries as much.
    const nodes = idle(12).filter(({ id }) => id % 3 !== 0 || id === 3 || id === 6);
    const weighted = nodes.map((node) => ({ ...node, weight: 1 + (node.id % 2) }));
    const weightSum = weighted.reduce((sum, { weight }) => sum + weight, 0);
    for (const { zone, load, weight } of fill(weighted, 1_000, 3)) {
      const own = weighted.filter((node) => node.zone === zone);
      const zoneSum = own.reduce((sum, node) => sum + node.weight, 0);
      const share = weight * Math.max(1_000 / zoneSum, 3_000 / weightSum);
      expect(load).toBeLessThanOrEqual(Math.ceil(share * 1.1));
    }
  });

  it("replicas: many groups on idle nodes: spread by weight alone", () => {
    const nodes = idle(6).map((node) => ({ ...node, zone: "a", weight: node.id === 1 ? 5 : 1 }));
    const counts = new Map<number, number>();
    for (let id = 0; id < 4_000; id++) {
      const placed = placeReplicas({ group: id, nodes, replication: 1, capThousandths });
      if (placed.kind !== "placed") return expect.unreachable("there are nodes");
      counts.set(placed.nodes[0]!, (counts.get(placed.nodes[0]!) ?? 0) + 1);
    }
    expect(Math.abs(counts.get(1)! - 2_000)).toBeLessThan(160);
    for (let id = 2; id <= 6; id++) expect(Math.abs(counts.get(id)! - 400)).toBeLessThan(95);
  });

  it("replicas: a node comes or goes: only groups that it wins or had are placed otherwise", () => {
    const placedOn = (nodes: readonly PlacementNode[], id: number): readonly number[] => {
      const placed = placeReplicas({ group: id, nodes, replication: 3, capThousandths: 10_000 });
      return placed.kind === "placed" ? placed.nodes : [];
    };
    const nodes = idle(9).map((node) => ({ ...node, zone: "a" }));
    let others = 0;
    for (let id = 0; id < 500; id++) {
      const before = placedOn(nodes, id);
      const after = placedOn(nodes.slice(1), id);
      expect(after).toEqual(expect.arrayContaining(before.filter((node) => node !== 1)));
      if (!before.includes(1)) others++;
    }
    expect(others).toBeGreaterThan(200);
  });

  it("replicas: requests that are not as stated: thrown", () => {
    const sound = { group: 1, nodes: idle(3), replication: 3, capThousandths };
    const [node] = sound.nodes;
    for (const bad of [
      { replication: 0 },
      { replication: 65 },
      { capThousandths: 999 },
      { nodes: [node!, node!] },
      { nodes: [{ ...node!, load: -1 }] },
      { nodes: [{ ...node!, weight: 0 }] },
    ]) {
      expect(() => placeReplicas({ ...sound, ...bad })).toThrow();
    }
    expect(placeReplicas({ ...sound, nodes: [] }).kind).toBe("refused");
  });

  it("replicas: pinned choice: a change of the rules is seen", () => {
    const placed = placeReplicas({ group: 7, nodes: idle(9), replication: 5, capThousandths });
    expect(placed).toMatchInlineSnapshot(`
      {
        "kind": "placed",
        "nodes": [
          1,
          6,
          8,
          2,
          9,
        ],
      }
    `);
  });
});

describe("replacement of a replica", () => {
  const members = (nodes: readonly PlacementNode[], count: number): number[] =>
    nodes.slice(0, count).map(({ id }) => id);

  it("replacement: any members, any leaves: zones stay spread, caps kept, no member chosen", () => {
    fc.assert(
      fc.property(group, nodeLists, replication, fc.nat(), (id, nodes, count, pick) => {
        const own = members(nodes, count);
        if (own.length === 0) return;
        const leaving = own[pick % own.length]!;
        const request = { group: id, nodes, members: own, leaving, capThousandths };
        const replaced = replacement(request);
        const free = nodes.filter((node) => isActive(node) && !own.includes(node.id));
        if (free.length === 0) {
          expect(replaced.kind).toBe("refused");
          return;
        }
        if (replaced.kind !== "replaced") return expect.unreachable("there was a node");
        const node = nodes.find((each) => each.id === replaced.node)!;
        const stay = nodes.filter((each) => own.includes(each.id) && each.id !== leaving);
        expect(brokenBy(node, nodes, stay, { toPlace: 1, barred: [leaving] })).toEqual([]);
        const reversed = { ...request, nodes: nodes.toReversed(), members: own.toReversed() };
        expect(replacement(reversed)).toEqual(replaced);
      }),
      { numRuns: runs(2_000) },
    );
  });

  it("replacement: three zones, one node of a zone leaves: another of that zone comes", () => {
    const nodes = idle(9);
    for (let id = 0; id < 100; id++) {
      const placed = placeReplicas({ group: id, nodes, replication: 3, capThousandths });
      if (placed.kind !== "placed") return expect.unreachable("there are nodes");
      const leaving = placed.nodes[id % 3]!;
      const request = { group: id, members: placed.nodes, leaving, capThousandths };
      const replaced = replacement({ ...request, nodes });
      if (replaced.kind !== "replaced") return expect.unreachable("there are nodes");
      expect(replaced.node % 3).toBe(leaving % 3);
      // Gone for good, it can't be in the list, and that changes nothing.
      const left = nodes.filter((node) => node.id !== leaving);
      expect(replacement({ ...request, nodes: left })).toEqual(replaced);
    }
  });

  it("replacement: who leaves is no member: thrown", () => {
    const request = { group: 1, nodes: idle(4), members: [1, 2, 3], leaving: 4, capThousandths };
    expect(() => replacement(request)).toThrow("who leaves is a member");
  });
});
