/** A client in a hostile world: whatever happens, what it says of its operations is true. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MarkName } from "../../../src/core/marks.js";
import { clientMarks } from "../../../src/core/client/marks.js";
import { runs } from "../../setup/soak.js";
import { type Decision, type Happening, happenings } from "./happenings.js";
import { HostileWorld } from "./hostile-world.js";

const decision: fc.Arbitrary<Decision> = fc.record({
  what: fc.oneof(
    ...Object.entries(happenings).map(([what, weight]) => ({
      weight,
      arbitrary: fc.constant(what as Happening),
    })),
  ),
  word: fc.nat(0xffff),
});
const story = fc.record({
  seed: fc.nat(0xffff),
  decisions: fc.array(decision, { minLength: 1, maxLength: 300, size: "max" }),
});

const rare = [
  "clientAnswerDropped",
  "clientAttemptForgotten",
  "clientGroupForgotten",
  "clientHintIgnored",
  "clientLateAnswerTaken",
  "clientMapInstalled",
  "clientMapRefused",
  "clientOperationsFull",
  "clientRenumbered",
  "clientSessionFull",
  "clientSessionLost",
  "clientSessionMoved",
];

describe("client: hostile world", () => {
  const reached = new Set<MarkName>();
  const outcomes = new Map<string, number>();

  test("each operation ends in time, and its outcome is what happened", () => {
    fc.assert(
      fc.property(story, ({ seed, decisions }) => {
        const world = new HostileWorld(seed);
        for (const each of decisions) world.decide(each);
        world.silence();
        world.calm();
        world.end(seed);
        for (const name of world.marks.counts.keys()) reached.add(name);
        for (const { outcome } of world.operations.values()) {
          const kind = outcome?.kind ?? "none";
          outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        }
        expect(world.broken).toBeNull();
      }),
      { numRuns: runs(1_500) },
    );
  });

  test("the stories had every outcome and reached every rare branch", () => {
    expect([...outcomes.keys()].sort()).toEqual(["done", "expired", "failed", "unknown"]);
    expect([...reached].sort()).toEqual(rare);
    expect(Object.keys(clientMarks).sort()).toEqual(rare);
  });
});
