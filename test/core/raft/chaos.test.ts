import fc from "fast-check";
import { expect, test } from "vitest";
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
