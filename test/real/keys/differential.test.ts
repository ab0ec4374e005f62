import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { TokenAnswer } from "../../../src/core/hsm/cryptoki/calls.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import type { TokenCrypto } from "../../../src/sim/hsm/crypto.js";
import { SimToken } from "../../../src/sim/hsm/module.js";
import { realCrypto } from "../../../src/sim/hsm/real-crypto.js";
import { DurableToken } from "../../../src/sim/hsm/token.js";
import { runs } from "../../setup/soak.js";
import { SideBySide, type TokenSide } from "./differential.js";
import { readTypes, sequences } from "./differential-steps.js";
import { comparable } from "./differential-unlike.js";
import { Driver, type Place, makePlace, pin } from "./pkcs11/driver.js";

const library = inject("softhsm");
const label = "twin";

const bentEncrypt: TokenCrypto["encrypt"] = (...asked) => {
  const answer = realCrypto.encrypt(...asked);
  return typeof answer === "number" || answer.length === 0
    ? answer
    : answer.with(0, answer[0]! ^ 1);
};

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

  const simulated = (
    profile: Parameters<typeof vendorProfile>[1] = {},
    crypto: Partial<TokenCrypto> = {},
  ): TokenSide => {
    const token = new DurableToken({ label, serial: "simulated", pin, seed: [1, 2, 3, 4] });
    const module = new SimToken({
      token,
      profile: vendorProfile("softhsm", profile),
      crypto: { ...realCrypto, ...crypto },
      pin: () => pin,
      rejectedPins: new Set(),
    });
    return { ask: (call) => Promise.resolve(module.call(0, call)) };
  };

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
      await pair.survey(readTypes);
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

  test("the simulated token answers as SoftHSM does", async () => {
    await agree(comparable(sideOf(drivers[0]!)), comparable(simulated()), runs(100));
  });

  test.each([
    ["its second session refused", simulated({ sessionsMax: 1 }), /open: 0xb1/],
    ["one bit of a ciphertext", simulated({}, { encrypt: bentEncrypt }), /encrypt/],
  ])("a simulated token that differs is found out: %s", async (_, differs, message) => {
    const right = comparable(differs);
    const left = comparable(sideOf(drivers[0]!));
    await expect(agree(left, right, 100, { endOnFailure: true })).rejects.toThrow(message);
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
