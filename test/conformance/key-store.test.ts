/** The promises over every `Hsm` that there is; and over two that are bad on purpose. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Hsm, HsmEvents } from "../../src/core/ports/hsm.js";
import { keyStoreOf, type ClosableHsm } from "../../src/real/keys/key-store-of.js";
import { hsmMakers, softwareHsm, type MadeHsm } from "./hsm-subjects.js";
import { checkClose, storeChecks, type StoreSubject } from "./key-store.js";

for (const { name, make } of hsmMakers) {
  const made = await make();
  describe.skipIf(made === null)(`key store: ${name}`, () => {
    let subject: StoreSubject;
    beforeAll(() => {
      subject = { store: keyStoreOf(made!.connect), admin: made!.admin };
    });
    afterAll(() => made!.clean());

    test.each(storeChecks)("$name", ({ check }) => check(subject));

    test("close: what waits is answered, and nothing goes on", () => checkClose(subject));
  });
}

async function failed(subject: StoreSubject): Promise<string[]> {
  const names: string[] = [];
  for (const { name, check } of storeChecks) {
    await check(subject).catch(() => names.push(name));
  }
  return names;
}

describe("key store: the suite fails what is bad on purpose", () => {
  let made: MadeHsm;
  beforeAll(async () => {
    made = await softwareHsm();
  });
  afterAll(() => made.clean());

  test("one that refuses everything passes nothing", async () => {
    const error = { code: "authenticationFailed", rv: 0, policy: null, during: "it" } as const;
    const refuses = (events: HsmEvents): ClosableHsm => ({
      submit: (op) => events.hsmDone(op, { ok: false, error }),
      close: () => Promise.resolve(),
    });
    const subject = { store: keyStoreOf(refuses), admin: made.admin };
    expect(await failed(subject)).toEqual(storeChecks.map(({ name }) => name));
  });

  test("one that accepts what it must refuse passes nothing that has a refusal in it", async () => {
    const accepts = (events: HsmEvents): ClosableHsm => {
      const value = { kind: "bytes", bytes: new Uint8Array(32) } as const;
      const inner: Hsm & ClosableHsm = made.connect({
        hsmDone: (op, result) => events.hsmDone(op, result.ok ? result : { ok: true, value }),
      });
      return inner;
    };
    const store = keyStoreOf(accepts);
    const names = storeChecks.map(({ name }) => name);
    const passed = names.filter(
      (
        (all) => (each: string) =>
          !all.includes(each)
      )(await failed({ store, admin: made.admin })),
    );
    expect(passed).toEqual(["capabilities and health"]);
    await store.close();
  });
});
