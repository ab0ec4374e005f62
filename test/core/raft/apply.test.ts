/** Committed entries that are no longer in memory are read back in order to be applied. */
import { describe, expect, test } from "vitest";
import { raftDefaults } from "../../../src/core/raft/options.js";
import { Alone, type Effect, entriesTo, only } from "./alone.js";

/** Its ten entries are on disk only, and the reading of them has begun. */
function reading(): { alone: Alone; read: Extract<Effect, { kind: "readLog" }> } {
  const alone = new Alone({ entries: entriesTo(10, 1_000), raft: { cacheBytesMax: 1_000 } });
  alone.permit({ mayApply: false });
  alone.append(1, 10, [], 10);
  const [read] = only(alone.permit({ mayApply: true }), "readLog");
  return { alone, read: read! };
}

describe("apply", () => {
  test.each([
    ["nothing", null],
    ["no entry", []],
    ["other entries", entriesTo(3).slice(1)],
  ])("apply: the disk gives %s: it is asked again, but not at once", (_, entries) => {
    const { alone, read } = reading();
    let asked = 0;
    let { request } = read;
    const fromUs = alone.nowUs;
    while (alone.nowUs < fromUs + 10 * raftDefaults.resendUs) {
      const answer = alone.step({ kind: "logRead", request, entries });
      expect(only(answer, "readLog")).toEqual([]);
      let [again] = only(alone.append(1, 10, [], 10), "readLog");
      while (again === undefined) {
        const { wakeAtUs } = alone.raft.state;
        [again] = only(alone.timerAfter(wakeAtUs - alone.nowUs), "readLog");
        alone.append(1, 10, [], 10);
      }
      ({ request } = again);
      asked++;
    }
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThanOrEqual(10);
    expect(alone.marks.of("applyReadFailed")).toBe(asked);
    const read3 = alone.step({ kind: "logRead", request, entries: entriesTo(3) });
    expect(only(read3, "apply")).toHaveLength(1);
  });
});
