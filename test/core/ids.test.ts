import { expect, test } from "vitest";
import { InvariantError } from "../../src/core/assert.js";
import { groupId, groupIdMax, idMax, incarnation, nodeId } from "../../src/core/ids.js";
import { parseSnapshotName } from "../../src/core/wal/snapshot-codec.js";

test("ids: a group and its incarnation have 32 bits, others 53", () => {
  for (const mint of [groupId, incarnation]) {
    expect(mint(groupIdMax)).toBe(groupIdMax);
    expect(() => mint(groupIdMax + 1)).toThrow(InvariantError);
  }
  expect(nodeId(idMax)).toBe(idMax);
  for (const wrong of [-1, 0.5, idMax + 1, NaN])
    expect(() => nodeId(wrong)).toThrow(InvariantError);
});

test("ids: a file that names a group or an incarnation of 2^32: no snapshot", () => {
  expect(parseSnapshotName("snapshot.4294967295.1.1.1.1")).not.toBe(null);
  expect(parseSnapshotName("snapshot.4294967296.1.1.1.1")).toBe(null);
  expect(parseSnapshotName("snapshot.1.4294967296.1.1.1")).toBe(null);
});
