import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { TokenAnswer } from "../../../src/core/hsm/cryptoki/calls.js";
import { SideBySide, type TokenSide } from "./differential.js";
import { sequences } from "./differential-steps.js";
import { Driver, type Place, makePlace } from "./pkcs11/driver.js";

const library = inject("softhsm");
const label = "twin";

describe.skipIf(library === null)("a token beside SoftHSM", () => {
  let places: Place[];
  let drivers: Driver[];
  const sideOf = (driver: Driver): TokenSide => ({
    ask: async (call) => {
      const answer = await driver.send(call);
      if (answer === "lost") throw new Error(`the library died in ${call.fn}`);
      return answer;
    },
  });

  beforeAll(async () => {
    places = await Promise.all([makePlace(library!, label), makePlace(library!, label)]);
    drivers = places.map(({ options }) => new Driver(options));
    await Promise.all(drivers.map((driver) => driver.start()));
  });
  afterAll(async () => {
    await Promise.all(drivers.map(({ module }) => module.close()));
    for (const place of places) place.remove();
  });

  async function agree(left: TokenSide, right: TokenSide, count: number, how = {}): Promise<void> {
    const pair = new SideBySide(left, right, label);
    const property = fc.asyncProperty(sequences, async (steps) => {
      await pair.clear();
      for (const step of steps) await pair.step(step);
    });
    const run = await fc.check(property, { numRuns: count, seed: 20_261_125, ...how });
    if (!run.failed) return;
    const { message } = run.errorInstance as Error;
    throw new Error(`${message}
after ${run.numRuns} sequences: ${fc.stringify(run.counterexample)}`);
  }

  test("SoftHSM answers as SoftHSM does: what is compared does not differ by itself", async () => {
    await agree(sideOf(drivers[0]!), sideOf(drivers[1]!), 30);
  });

  test("a token that differs in one return value or attribute is found out", async () => {
    const right = sideOf(drivers[1]!);
    const bent = (bend: (answer: TokenAnswer, fn: string) => TokenAnswer): TokenSide => ({
      ask: async (call) => bend(await right.ask(call), call.fn),
    });
    const left = sideOf(drivers[0]!);
    const unshrunk = { endOnFailure: true };
    const otherCode = bent((answer, fn) =>
      fn === "wrapKey" && answer.rv === 0x6a ? ({ ...answer, rv: 0x69 } as TokenAnswer) : answer,
    );
    await expect(agree(left, otherCode, 100, unshrunk)).rejects.toThrow(/wrap: 0x69/);
    const otherFlag = bent((answer, fn) =>
      fn === "attributes" && answer.rv === 0
        ? {
            rv: 0,
            value: (answer.value as Uint8Array[]).map((value) =>
              value.length === 1 ? Uint8Array.of(1) : value,
            ),
          }
        : answer,
    );
    await expect(agree(left, otherFlag, 100, unshrunk)).rejects.toThrow(/attributes/);
  });
});
