/**
 * The library, sessions and logins of a simulated SoftHSM: groups of cases as google/pkcs11test has them,
 * answers as version 2.6.1 gave them.
 */
import { describe, expect, it } from "vitest";
import { ckf, cka, ckm, ckr, cks } from "../../../src/core/hsm/cryptoki/constants.js";
import type { VendorProfile } from "../../../src/core/hsm/profile.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import { tokenSlot } from "../../../src/sim/hsm/module.js";
import { Client, aesGen, gcm, lasting, set } from "./client.js";

const none = new Uint8Array(0);
const softhsm = vendorProfile("softhsm");
const data = new Uint8Array(32).fill(0x41);

describe("the library", () => {
  it("is initialised once, and does nothing before", () => {
    const c = new Client();
    expect(c.rv({ fn: "initialize" })).toBe(ckr.cryptokiAlreadyInitialized);
    c.value({ fn: "finalize" });
    expect(c.rv({ fn: "finalize" })).toBe(ckr.cryptokiNotInitialized);
    expect(c.rv({ fn: "slots" })).toBe(ckr.cryptokiNotInitialized);
    expect(c.rv({ fn: "sessionInfo", session: c.session })).toBe(ckr.cryptokiNotInitialized);
  });

  it("lists the token, and an empty one beside it", () => {
    const c = new Client();
    const slots = c.value({ fn: "slots" });
    const initialised = slots.filter(({ flags }) => (flags & ckf.tokenInitialized) !== 0);
    expect(slots).toHaveLength(2);
    expect(initialised.map(({ label, serial }) => [label, serial])).toEqual([["t1", "s1"]]);
    const spare = slots.find(({ label }) => label === "")!.slot;
    expect(c.rv({ fn: "openSession", slot: spare })).toBe(ckr.tokenNotRecognized);
    expect(c.rv({ fn: "openSession", slot: 5 })).toBe(ckr.slotIdInvalid);
    const mechanisms = c.value({ fn: "mechanisms", slot: tokenSlot });
    const kwpFlags = mechanisms.find(({ type }) => type === ckm.aesKeyWrapPad)!.flags;
    expect(kwpFlags).toBe(0x6_0000);
    expect(c.rv({ fn: "mechanisms", slot: 5 })).toBe(ckr.slotIdInvalid);
  });

  it("gives handles anew after C_Initialize, which old ones then seem to be", () => {
    const c = new Client();
    const old = c.generate([...c.aesTemplate, ...lasting, { type: cka.label, value: data }]);
    const [session] = [c.session];
    c.value({ fn: "finalize" });
    c.value({ fn: "initialize" });
    expect(c.rv({ fn: "sessionInfo", session })).toBe(ckr.sessionHandleInvalid);
    c.session = c.open();
    expect(c.session).toBe(session);
    c.value({ fn: "login", session });
    const other = c.generate(c.aesTemplate);
    expect(other).toBe(old);
    expect(c.read(other, cka.label)).toEqual([none]);
  });
});

describe("sessions", () => {
  it("end when they are closed, and the rest go on", () => {
    const c = new Client();
    const second = c.open();
    c.value({ fn: "closeSession", session: second });
    expect(c.rv({ fn: "sessionInfo", session: second })).toBe(ckr.sessionHandleInvalid);
    expect(c.rv({ fn: "closeSession", session: second })).toBe(ckr.sessionHandleInvalid);
    expect(c.value({ fn: "sessionInfo", session: c.session }).state).toBe(cks.rwUser);
  });

  it("take their own objects with them, which others saw until then", () => {
    const c = new Client();
    const second = c.open();
    const key = c.generate(c.aesTemplate, second);
    expect(c.read(key, cka.token)).toEqual([Uint8Array.of(0)]);
    c.value({ fn: "closeSession", session: second });
    expect(c.readRv(key, cka.token)).toBe(ckr.objectHandleInvalid);
  });

  it("log out with the last of them, and then every handle is void", () => {
    const c = new Client();
    const key = c.generate([...c.aesTemplate, ...lasting]);
    const open = c.generate([...c.aesTemplate, ...lasting, ...set(cka.private, false)]);
    c.value({ fn: "closeSession", session: c.session });
    c.session = c.open();
    expect(c.value({ fn: "sessionInfo", session: c.session }).state).toBe(cks.rwPublic);
    expect(c.readRv(key, cka.id)).toBe(ckr.objectHandleInvalid);
    expect(c.readRv(open, cka.id)).toBe(ckr.objectHandleInvalid);
    expect(c.token.objects.size).toBe(2);
  });

  it("die of idleness where the device says so; a YubiHSM's keep their places", () => {
    const places = (profile: VendorProfile): number => {
      const c = new Client(profile);
      const info = { fn: "sessionInfo", session: c.session } as const;
      c.open();
      for (const atUs of [30_000_000, 60_000_000]) {
        c.nowUs = atUs;
        c.value(info);
      }
      c.nowUs = 90_000_001;
      expect(c.rv(info)).toBe(ckr.sessionHandleInvalid);
      expect(c.rv(info)).toBe(ckr.sessionHandleInvalid);
      return c.module.sessions;
    };
    expect(places(vendorProfile("generic", { idleExpiryMs: 30_000 }))).toBe(1);
    expect(places(vendorProfile("yubihsm2"))).toBe(2);
  });

  it("are as many as one likes", () => {
    const c = new Client();
    for (let count = 0; count < 5000; count++) c.open();
    expect(c.module.sessions).toBe(5001);
    const few = new Client(vendorProfile("yubihsm2"));
    while (few.module.sessions < 16) few.open();
    expect(few.rv({ fn: "openSession", slot: tokenSlot })).toBe(ckr.sessionCount);
  });
});

describe("logins", () => {
  it("are for all sessions, and happen once", () => {
    const c = new Client(softhsm, false);
    const second = c.open();
    c.value({ fn: "login", session: second });
    expect(c.value({ fn: "sessionInfo", session: c.session }).state).toBe(cks.rwUser);
    expect(c.rv({ fn: "login", session: c.session })).toBe(ckr.userAlreadyLoggedIn);
  });

  it("hide and show private objects, by new handles each time", () => {
    const c = new Client();
    const key = c.generate([...c.aesTemplate, ...lasting]);
    const open = c.generate([...c.aesTemplate, ...lasting, ...set(cka.private, false)]);
    const find = { fn: "find", session: c.session, template: [], max: 9 } as const;
    expect(c.value(find)).toEqual([key, open]);
    c.value({ fn: "logout", session: c.session });
    expect(c.value(find)).toEqual([open]);
    const encrypt = { fn: "encrypt", session: c.session, mechanism: gcm(), data } as const;
    expect(c.rv({ ...encrypt, key })).toBe(ckr.objectHandleInvalid);
    expect(c.rv({ ...encrypt, key: open })).toBe(ckr.ok);
    c.value({ fn: "login", session: c.session });
    const [again] = c.value(find);
    expect(again).not.toBe(key);
    expect(c.rv({ ...encrypt, key })).toBe(ckr.objectHandleInvalid);
    c.value({ ...encrypt, key: again! });
  });

  it("are needed to make what is private, and destroy session keys when they end", () => {
    const c = new Client(softhsm, false);
    const call = { fn: "generateKey", session: c.session, mechanism: aesGen } as const;
    expect(c.rv({ ...call, template: c.aesTemplate })).toBe(ckr.userNotLoggedIn);
    const open = c.generate([...c.aesTemplate, ...set(cka.private, false)]);
    c.value({ fn: "login", session: c.session });
    const key = c.generate(c.aesTemplate);
    c.value({ fn: "logout", session: c.session });
    c.value({ fn: "login", session: c.session });
    expect(c.readRv(key, cka.id)).toBe(ckr.objectHandleInvalid);
    expect(c.readRv(open, cka.id)).toBe(ckr.ok);
  });

  it("with a wrong PIN fail once, are guarded from then on, and never lock SoftHSM", () => {
    const c = new Client(softhsm, false);
    const login = { fn: "login", session: c.session } as const;
    for (let wrong = 1; wrong <= 12; wrong++) {
      c.pin = `wrong ${wrong}`;
      expect(c.rv(login)).toBe(ckr.pinIncorrect);
      expect(c.rv(login)).toBe(-1);
    }
    const flags = (): number => c.value({ fn: "slots" })[0]!.flags;
    expect([c.token.wrongPins, c.token.locked]).toEqual([12, false]);
    expect(flags() & ckf.userPinCountLow).not.toBe(0);
    c.pin = null;
    expect(c.rv(login)).toBe(-2);
    c.pin = "1234";
    c.value(login);
    expect(flags() & ckf.userPinCountLow).toBe(0);
  });

  it("lock other tokens, which say so before", () => {
    const c = new Client(vendorProfile("aws-cloudhsm"), false);
    const login = { fn: "login", session: c.session } as const;
    const flags = (): number => c.value({ fn: "slots" })[0]!.flags;
    for (let wrong = 1; wrong <= 5; wrong++) {
      expect((flags() & ckf.userPinFinalTry) !== 0).toBe(wrong === 5);
      c.pin = `wrong ${wrong}`;
      expect(c.rv(login)).toBe(ckr.pinIncorrect);
    }
    expect(flags() & ckf.userPinLocked).not.toBe(0);
    c.pin = "1234";
    expect(c.rv(login)).toBe(ckr.pinLocked);
  });
});
