/** What is said of slots that are not served as the map says, and of groups with too many of them. */
import { describe, expect, it } from "vitest";
import type { GroupId } from "../../src/core/ids.js";
import type { SlotSpan } from "../../src/core/store/slot-table.js";
import { disputedSlots, unevenLoads } from "../../src/sim/served.js";
import { type TestMap, group, madeMap } from "../core/map/maps.js";

type Spans = Map<GroupId, SlotSpan[]>;

/** The stores as the map has them. */
function storesOf({ map }: TestMap): Spans {
  const spans: Spans = new Map();
  for (const { group: owner, from, to, epoch } of map.state.owners) {
    const own = spans.get(owner as GroupId) ?? [];
    spans.set(owner as GroupId, [...own, { from, to, state: "owned", epoch, cameAt: 0 }]);
  }
  return spans;
}

function disputed(test: TestMap, stores: Spans): string[] {
  return disputedSlots(test.map.state, (asked) => stores.get(asked) ?? null);
}

describe("slots that are served otherwise than the map says", () => {
  it("none where the stores agree with it", () => {
    const test = madeMap(3, 3);
    expect(disputed(test, storesOf(test))).toEqual([]);
  });

  it("one that its owner has released, and one that it has at another epoch", () => {
    const test = madeMap(3, 1, 2);
    const { from, to, epoch } = test.map.state.owners[0]!;
    const span: SlotSpan = { from, to, state: "owned", epoch, cameAt: 0 };
    const own = `group 2 at epoch ${epoch}`;
    const released = disputed(test, new Map([[group(2), [{ ...span, state: "released" }]]]));
    expect(released[0]).toBe(`slot 0 is of ${own}, and served by nobody`);
    const older = disputed(test, new Map([[group(2), [{ ...span, epoch: epoch + 1 }]]]));
    expect(older[0]).toBe(`slot 0 is of ${own}, and served by group 2 at epoch ${epoch + 1}`);
    expect(older).toHaveLength(2);
  });

  it("one that two groups serve", () => {
    const test = madeMap(3, 2);
    const stores = storesOf(test);
    const [first] = stores.get(group(2))!;
    stores.set(group(3), [...stores.get(group(3))!, { ...first!, to: first!.from + 1 }]);
    expect(disputed(test, stores)).toEqual([
      expect.stringMatching(/served by group 2 at epoch \d+ and group 3 at epoch \d+$/),
    ]);
  });

  it("those of a group that says nothing", () => {
    const test = madeMap(3, 1, 4);
    expect(disputed(test, new Map())).toHaveLength(4);
  });
});

describe("groups that have more or less than their share", () => {
  const move = (test: TestMap, slots: { from: number; to: number }, to: number): void =>
    test.finish(test.begin({ kind: "moveSlots", slots, to: group(to) }).id);

  it("none when the map is made, nor after a spread", () => {
    const test = madeMap(3, 3, 64);
    expect(unevenLoads(test.map.state)).toEqual([]);
    move(test, { from: 0, to: 40 }, 2);
    expect(unevenLoads(test.map.state).length).toBeGreaterThan(0);
    test.finish(test.begin({ kind: "spread" }).id);
    expect(unevenLoads(test.map.state)).toEqual([]);
  });

  it("says who has what, and what it should have", () => {
    const test = madeMap(3, 2, 16);
    move(test, { from: 0, to: 16 }, 3);
    expect(unevenLoads(test.map.state)).toEqual([
      "group 2 has 0 slots, and should have 7 to 9",
      "group 3 has 16 slots, and should have 7 to 9",
    ]);
  });

  it("goes by weights", () => {
    const test = madeMap(3, 1, 16);
    const create = { kind: "create", group: 0, weight: 3, nodes: [], replication: 3 } as const;
    test.finish(test.begin(create).id);
    expect(unevenLoads(test.map.state)[1]).toBe("group 3 has 0 slots, and should have 10 to 14");
  });
});
