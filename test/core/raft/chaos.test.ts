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
      const repacked = runScript(script, () => ++steps % every === 0 && ++packed > 0);
      expect(statesOf(repacked)).toEqual(statesOf(runScript(script)));
    }),
    { numRuns: runs(20), seed: 20_260_102, endOnFailure: true },
  );
  expect(packed).toBeGreaterThan(1_000);
});

function statesOf(cluster: ReturnType<typeof runScript>): object[] {
  return [...cluster.nodes.values()].map(({ alive, applied, raft, replica }) => {
    // A node that was never started has no replica.
    return { alive, applied, state: replica === 0 ? null : digestOf(raft.state) };
  });
}
