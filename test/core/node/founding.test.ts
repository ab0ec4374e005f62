/** Groups that a node is to found at its start, when they are many. */
import { expect, test } from "vitest";
import { groupId } from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { World } from "./world.js";

test("founding: more groups than the log has room for at once: all are there in the end", () => {
  const groups = 2_500;
  const world = new World(1);
  const node = world.node(1);
  // A batch fills half a segment, and the next one has to be made first.
  node.wal = { segmentBytes: 262_144, batchBytesMax: 131_072 };
  const founding = Array.from({ length: groups }, (_, at) => world.founding(at + 1, [1]));
  node.start(multiRaft({ raft: { sleepAfterUs: 100_000 }, founding }));
  const has = (group: number): boolean => node.host!.viewOf(groupId(group)) !== null;
  world.until("the last of them is there", () => has(groups));
  world.ticks(500);
  const missing = Array.from({ length: groups }, (_, at) => at + 1).filter((at) => !has(at));
  expect(missing).toEqual([]);
  expect(node.marks.essentialWriteRefused).toBeGreaterThan(0);
});
