import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SlotAssignment, assignSlots } from "../../../src/core/ring/assign-slots.js";
import { Contest } from "../../../src/core/ring/contest.js";
import { rendezvous } from "../../../src/core/ring/rendezvous.js";
import type { HashTarget } from "../../../src/core/ring/scheme.js";
import { mix32 } from "../../../src/core/hash.js";
import { runs } from "../../setup/soak.js";
import { equal } from "./schemes.js";

const weight = fc.integer({ min: 1, max: 9 });
const groupLists = fc.uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 14 }), weight }), {
  selector: ({ id }) => id,
  minLength: 1,
  maxLength: 12,
});
const caps = fc.constantFrom(1_000, 1_050, 1_100, 1_500, 10_000);
const slotCounts = fc.constantFrom(1, 2, 7, 64, 300);

/** Any owners at all: groups that are there, mostly some few of them; groups that are not; none. */
const requests: fc.Arbitrary<SlotAssignment> = fc
  .tuple(slotCounts, groupLists, caps)
  .chain(([slotCount, groups, capThousandths]) => {
    const anyone = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.constant(null));
    const listed = fc.nat(groups.length - 1).map((at) => groups[at]!.id);
    const early = fc.nat(groups.length >> 1).map((at) => groups[at % groups.length]!.id);
    const ownersOf = (owner: fc.Arbitrary<number | null>) =>
      fc.array(owner, { minLength: slotCount, maxLength: slotCount });
    return fc.record({
      slotCount: fc.constant(slotCount),
      groups: fc.constant(groups),
      capThousandths: fc.constant(capThousandths),
      previous: fc.oneof(
        ownersOf(anyone),
        ownersOf(listed),
        ownersOf(early),
        ownersOf(fc.oneof({ weight: 9, arbitrary: listed }, anyone)),
        fc.constant(null),
      ),
    });
  });

/** The bounds of a group's load as the definition has them, in big integers. */
function boundsOf(
  request: SlotAssignment,
  { weight: own }: HashTarget,
): { least: number; most: number } {
  const sum = BigInt(request.groups.reduce((total, group) => total + group.weight, 0));
  const [slots, cap] = [BigInt(request.slotCount), BigInt(request.capThousandths)];
  const share = slots * BigInt(own);
  return {
    least: Number((share * 1_000n) / (sum * cap)),
    most: Number((share * cap + sum * 1_000n - 1n) / (sum * 1_000n)),
  };
}

function loadOf(owners: readonly (number | null)[] | null, { id }: HashTarget): number {
  return owners?.filter((owner) => owner === id).length ?? 0;
}

function changed(request: SlotAssignment, owners: readonly number[]): number {
  return owners.filter((owner, slot) => owner !== (request.previous?.[slot] ?? null)).length;
}

/** The fewest changes that can bring all loads within their bounds, whoever decides. */
function fewestChanges(request: SlotAssignment): number {
  const { groups, previous, slotCount } = request;
  const ids = new Set<number | null>(groups.map(({ id }) => id));
  const left = previous?.filter((owner) => !ids.has(owner)).length ?? slotCount;
  const over = groups.map((group) => loadOf(previous, group) - boundsOf(request, group).most);
  const under = groups.map((group) => boundsOf(request, group).least - loadOf(previous, group));
  const sum = (numbers: readonly number[]) =>
    numbers.reduce((total, n) => total + Math.max(0, n), 0);
  return Math.max(left + sum(over), sum(under));
}

/** Which of the promises are broken, by name. */
function broken(request: SlotAssignment, owners: readonly number[]): string[] {
  const { groups, previous } = request;
  const wrong = new Set<string>();
  for (const group of groups) {
    const { least, most } = boundsOf(request, group);
    const load = loadOf(owners, group);
    if (load > most) wrong.add("above its most");
    if (load < least) wrong.add("below its least");
    const before = loadOf(previous, group);
    const gave = (previous ?? []).filter((was, slot) => was === group.id && owners[slot] !== was);
    const others = groups.filter((other) => other !== group);
    const lacked = others.some((other) => loadOf(previous, other) < boundsOf(request, other).least);
    if (gave.length > 0 && before <= most && !lacked) wrong.add("moved for nothing");
  }
  if (changed(request, owners) > fewestChanges(request)) wrong.add("moved more than it must");
  if (owners.some((owner) => groups.every(({ id }) => id !== owner))) wrong.add("given to nobody");
  return [...wrong];
}

const cap = 1_100;
const slotCount = 4_096;
const first = (groups: readonly HashTarget[]): number[] =>
  assignSlots({ slotCount, groups, capThousandths: cap, previous: null });

/** All slots, those of the group's best draws first. */
function byDraw(groups: readonly HashTarget[], group: number): number[] {
  const contest = new Contest(groups);
  const draws = Array.from({ length: slotCount }, (_, slot) => contest.draw(group, mix32(slot)));
  return [...draws.keys()].sort((a, b) => draws[b]! - draws[a]!);
}

describe("slot assignment", () => {
  it("slots: anything before, any groups: all promises, with the fewest changes there can be", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const owners = assignSlots(request);
        expect(broken(request, owners)).toEqual([]);
        expect(changed(request, owners)).toBe(fewestChanges(request));
      }),
      { numRuns: runs(2_000) },
    );
  });

  it("slots: the same again: nothing changes", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const owners = assignSlots(request);
        expect(assignSlots({ ...request, previous: owners })).toEqual(owners);
      }),
    );
  });

  it("slots: groups in another order: the same owners", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const reversed = { ...request, groups: request.groups.toReversed() };
        expect(assignSlots(reversed)).toEqual(assignSlots(request));
      }),
    );
  });

  it("slots: a group goes: only its slots move", () => {
    const owners = first(equal(16));
    for (const gone of [1, 7, 16]) {
      const groups = equal(16).filter(({ id }) => id !== gone);
      const now = assignSlots({ slotCount, groups, capThousandths: cap, previous: owners });
      for (const [slot, owner] of now.entries()) {
        if (owners[slot] !== gone) expect(owner).toBe(owners[slot]);
      }
    }
  });

  it("slots: a group comes: it gets its least, and nothing else moves", () => {
    const owners = first(equal(16));
    const now = assignSlots({
      slotCount,
      groups: equal(17),
      capThousandths: cap,
      previous: owners,
    });
    const moved = now.filter((owner, slot) => owner !== owners[slot]);
    expect(moved).toEqual(moved.map(() => 17));
    expect(moved.length).toBe(Math.floor(slotCount / 17 / 1.1));
  });

  it("slots: a group has too many: it gives up those of its poorest draws", () => {
    const groups = equal(3);
    const previous = Array.from({ length: slotCount }, () => 1);
    const owners = assignSlots({ slotCount, groups, capThousandths: cap, previous });
    const ranked = byDraw(groups, 0);
    const kept = ranked.slice(0, Math.ceil((slotCount / 3) * 1.1));
    expect(new Set(kept)).toEqual(new Set(ranked.filter((slot) => owners[slot] === 1)));
  });

  it("slots: a group lacks some: it takes those of its best draws", () => {
    const groups = equal(5);
    const previous = first(equal(4));
    // So wide a cap that the others have no slot too many.
    const owners = assignSlots({ slotCount, groups, capThousandths: 1_500, previous });
    const ranked = byDraw(groups, 4);
    const taken = ranked.filter((slot) => owners[slot] === 5);
    expect(taken.length).toBe(Math.floor(slotCount / 5 / 1.5));
    expect(taken).toEqual(ranked.slice(0, taken.length));
  });

  it("slots: a wide cap, none before: plain rendezvous", () => {
    const groups = equal(12).map(({ id }) => ({ id, weight: 1 + (id % 3) }));
    const owners = assignSlots({ slotCount, groups, capThousandths: 10_000, previous: null });
    const { locate } = rendezvous.build(groups);
    expect(owners).toEqual(owners.map((_, slot) => locate(mix32(slot))));
  });

  it("slots: few for each group: bounded where plain rendezvous is not", () => {
    const groups = equal(256);
    const request = { slotCount, groups, capThousandths: cap, previous: null };
    expect(broken(request, first(groups))).toEqual([]);
    const plain = rendezvous.build(groups);
    const owners = Array.from({ length: slotCount }, (_, slot) => plain.locate(mix32(slot)));
    expect(broken(request, owners)).toEqual(["above its most", "below its least"]);
  });

  it("slots: planted: slots dealt out in turn, and a fresh assignment each time: seen", () => {
    const groups = equal(17);
    const request = { slotCount, groups, capThousandths: cap, previous: first(equal(16)) };
    const dealt = Array.from({ length: slotCount }, (_, slot) => 1 + (slot % 17));
    expect(broken(request, dealt)).toContain("moved more than it must");
    expect(broken(request, first(groups))).toContain("moved more than it must");
    expect(broken(request, assignSlots(request))).toEqual([]);
    const grown = { ...request, groups: equal(16) };
    expect(broken(grown, dealt)).toEqual(
      expect.arrayContaining(["moved for nothing", "given to nobody"]),
    );
  });

  it("slots: a request that is not as stated: thrown", () => {
    const sound = { slotCount: 4, groups: equal(2), capThousandths: cap, previous: null };
    for (const bad of [
      { slotCount: 0 },
      { slotCount: 2 ** 20 + 1 },
      { slotCount: 1.5 },
      { groups: [] },
      { capThousandths: 999 },
      { capThousandths: 10_001 },
      { previous: [1, 2, null] },
    ]) {
      expect(() => assignSlots({ ...sound, ...bad })).toThrow();
    }
    expect(assignSlots({ ...sound, previous: [1, 2, null, 3] })).toHaveLength(4);
  });

  it("slots: pinned owners: a change of the rules is a new version", () => {
    const owners = assignSlots({
      slotCount: 16,
      groups: equal(4),
      capThousandths: cap,
      previous: null,
    });
    expect(owners.join(" ")).toMatchInlineSnapshot(`"1 1 3 3 3 2 1 3 3 2 1 2 4 2 4 4"`);
  });
});
