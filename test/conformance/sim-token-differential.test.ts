/** The simulated SoftHSM and a real one, asked the same: random sequences, and answers that must agree. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, inject, test } from "vitest";
import { vendorProfile } from "../../src/core/hsm/profiles/index.js";
import { SimToken } from "../../src/sim/hsm/module.js";
import { realCrypto } from "../../src/sim/hsm/real-crypto.js";
import { DurableToken } from "../../src/sim/hsm/token.js";
import { SideBySide, type TokenSide } from "../real/keys/differential.js";
import { sequences } from "../real/keys/differential-steps.js";
import { Driver, type Place, makePlace } from "../real/keys/pkcs11/driver.js";

const library = inject("softhsm");
const label = "twin";
const soaking = (process.env["QUORUMLAB_SOAK"] ?? "") !== "";
const sequencesMax = soaking ? 5_000 : 150;

describe.skipIf(library === null)("the simulated token beside SoftHSM", () => {
  let place: Place;
  let driver: Driver;

  beforeAll(async () => {
    place = await makePlace(library!, label);
    driver = new Driver(place.options);
    await driver.start();
  });
  afterAll(async () => {
    await driver.module.close();
    place.remove();
  });

  test("answers the same", async () => {
    const real: TokenSide = {
      ask: async (call) => {
        const answer = await driver.send(call);
        if (answer === "lost") throw new Error(`the library died in ${call.fn}`);
        return answer;
      },
    };
    const seed = [2, 6, 1, 0] as const;
    const token = new SimToken({
      token: new DurableToken({ label, serial: "twin", pin: "1234", seed }),
      profile: vendorProfile("softhsm"),
      crypto: realCrypto,
      pin: () => "1234",
      rejectedPins: new Set(),
    });
    const simulated: TokenSide = {
      ask: async (call) => await Promise.resolve(token.call(0, call)),
    };
    const pair = new SideBySide(real, simulated, label);
    const property = fc.asyncProperty(sequences, async (steps) => {
      await pair.clear();
      for (const step of steps) await pair.step(step);
    });
    const run = await fc.check(property, { numRuns: sequencesMax, seed: 20_261_126 });
    if (!run.failed) return;
    const { message } = run.errorInstance as Error;
    throw new Error(`${message}\nafter ${run.numRuns}: ${fc.stringify(run.counterexample)}`);
  });
});
