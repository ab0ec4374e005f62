import { setTimeout as passMs } from "node:timers/promises";
import { SystemClock } from "../../src/real/clock.js";
import { clockConformance } from "../conformance/clock.js";

clockConformance("the machine's", (wake) => {
  const clock = new SystemClock(wake);
  return {
    clock,
    // A timer may be early by the part of a millisecond that it cannot express.
    pass: (us) => passMs(Math.ceil(us / 1_000) + 1),
    until: async (isSo) => {
      while (!isSo()) await passMs(1);
    },
    stepWall: null,
    close: () => clock.stop(),
  };
});
