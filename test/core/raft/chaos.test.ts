import fc from "fast-check";
import { expect, test } from "vitest";
import { digestOf } from "../../../src/core/plain.js";
import { runs } from "../../setup/soak.js";
import { anyScript, converges, runScript } from "./chaos.js";

/** Too many voters with damaged logs leave no quorum for ever: only safety is asked then. */
const damages = (acts: readonly { readonly kind: string }[]): boolean =>
  acts.some(({ kind }) => kind === "damage");

test("chaos: loss, delay, crashes, damage and changes: every step is safe, and it heals", () => {
  fc.assert(
    fc.property(anyScript, (script) => {
      const cluster = runScript(script);
      if (!damages(script.acts)) expect(converges(cluster)).toBeNull();
    }),
    { numRuns: runs(150), seed: 20_260_101, endOnFailure: true },
  );
});

test("chaos: replicas packed and unpacked between any two steps: nothing comes out otherwise", () => {
  let packed = 0;
  fc.assert(
    fc.property(anyScript, fc.integer({ min: 1, max: 5 }), (script, every) => {
      let steps = 0;
      const repacks = (): boolean => ++steps % every === 0 && ++packed > 0;
      const repacked = runScript(script, { repacks });
      expect(statesOf(repacked)).toEqual(statesOf(runScript(script)));
    }),
    { numRuns: runs(20), seed: 20_260_102, endOnFailure: true },
  );
  expect(packed).toBeGreaterThan(1_000);
});

test("chaos: sleeping replicas become rows, or not: nothing comes out otherwise", () => {
  const sleepAfterUs = 150_000;
  let rows = 0;
  let leaders = 0;
  fc.assert(
    fc.property(anyScript, fc.integer({ min: 1, max: 3 }), (script, every) => {
      let asked = 0;
      const becomesRow = (): boolean => ++asked % every === 0 && ++rows > 0;
      const inRows = runScript(script, { sleepAfterUs, becomesRow });
      leaders += inRows.marks.of("wokeToLead");
      expect(statesOf(inRows)).toEqual(statesOf(runScript(script, { sleepAfterUs })));
    }),
    { numRuns: runs(60), seed: 20_260_103, endOnFailure: true },
  );
  expect(rows).toBeGreaterThan(200);
  expect(leaders).toBeGreaterThan(20);
});

function statesOf(cluster: ReturnType<typeof runScript>): object[] {
  return [...cluster.nodes.values()].map(({ alive, applied, raft, replica }) => {
    // A node that was never started has no replica.
    return { alive, applied, state: replica === 0 ? null : digestOf(raft.state) };
  });
}
