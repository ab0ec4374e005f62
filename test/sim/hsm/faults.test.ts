/** What each fault does to a module, and what it counts. */
import { describe, expect, it } from "vitest";
import { keyBytes } from "../../../src/core/bytes.js";
import { cka, cko, ckr, cks } from "../../../src/core/hsm/cryptoki/constants.js";
import {
  type TokenFaultKind,
  type TokenFaultRule,
  TokenFaults,
} from "../../../src/sim/hsm/faults.js";
import { tokenSlot } from "../../../src/sim/hsm/module.js";
import { Bench, always, keyTemplate } from "./fault-bench.js";

const cases: { [Kind in TokenFaultKind]: () => void } = {
  sessionsLost() {
    const b = new Bench({ kind: "sessionsLost" });
    expect(b.rv(b.random)).toBe(ckr.sessionHandleInvalid);
    expect(b.effective()).toBe(1);
    expect(b.faulty.module.loggedIn).toBe(false);
  },
  sessionLost() {
    const b = new Bench({ kind: "sessionLost" }, { fn: "generateRandom" });
    const other = b.value({ fn: "openSession", slot: tokenSlot });
    expect(b.rv(b.random)).toBe(ckr.sessionHandleInvalid);
    // The login lives in the other session.
    expect(b.value({ fn: "sessionInfo", session: other }).state).toBe(cks.rwUser);
    expect(b.effective()).toBe(1);
  },
  loginLost() {
    const b = new Bench({ kind: "loginLost" });
    expect(b.value(b.info).state).toBe(cks.rwPublic);
    expect(b.rv(b.encrypt)).toBe(ckr.objectHandleInvalid);
    expect(b.value(b.find)).toEqual([]);
    expect(b.rv(b.generate)).toBe(ckr.userNotLoggedIn);
    expect(b.effective()).toBe(1);
  },
  initLost() {
    const b = new Bench({ kind: "initLost", failures: 2 });
    expect(b.rv(b.random)).toBe(ckr.cryptokiNotInitialized);
    expect(b.rv({ fn: "initialize" })).toBe(ckr.generalError);
    b.restart();
    expect(b.rv({ fn: "initialize" })).toBe(ckr.generalError);
    b.open();
    expect(b.effective()).toBe(3);
  },
  deviceError() {
    const b = new Bench({ kind: "deviceError" });
    expect([b.rv(b.random), b.rv(b.encrypt), b.rv({ fn: "slots" })]).toEqual([0x30, 0x30, 0x30]);
    expect(b.effective()).toBe(3);
    b.value({ fn: "finalize" });
    b.open();
    b.value(b.random);
  },
  tokenAway() {
    const b = new Bench({ kind: "tokenAway", forUs: 500, silent: false });
    expect(b.rv(b.info)).toBe(ckr.tokenNotPresent);
    expect(b.value({ fn: "slots" })).toEqual([]);
    b.nowUs = 1500;
    b.value(b.encrypt);
    const quiet = new Bench({ kind: "tokenAway", forUs: 500, silent: true });
    expect(quiet.value(quiet.info).state).toBe(cks.rwUser);
    quiet.value({ fn: "openSession", slot: tokenSlot });
    expect(quiet.value(quiet.find)).toEqual([]);
    expect(quiet.rv(quiet.encrypt)).toBe(ckr.objectHandleInvalid);
    expect(quiet.rv(quiet.generate)).toBe(ckr.generalError);
    expect(quiet.effective()).toBe(3);
    quiet.value({ fn: "finalize" });
    expect(quiet.rv({ fn: "initialize" })).toBe(ckr.generalError);
    expect(quiet.rv(quiet.random)).toBe(ckr.cryptokiNotInitialized);
    quiet.nowUs = 1500;
    quiet.open();
  },
  tokenSwapped() {
    const b = new Bench({ kind: "tokenSwapped", forUs: 500 });
    expect(b.rv(b.random)).toBe(ckr.sessionHandleInvalid);
    expect(b.value({ fn: "slots" })[0]).toMatchObject({ label: "t1", serial: "s1-other" });
    b.session = b.value({ fn: "openSession", slot: tokenSlot });
    b.value({ fn: "login", session: b.session });
    expect(b.value(b.find)).toEqual([]);
    b.nowUs = 1500;
    expect(b.rv(b.random)).toBe(ckr.sessionHandleInvalid);
    expect(b.value({ fn: "slots" })[0]).toMatchObject({ serial: "s1" });
    expect(b.token.objects.size).toBe(2);
    expect(b.effective()).toBe(2);
  },
  throttled() {
    const b = new Bench({ kind: "throttled" });
    expect(b.rv(b.encrypt)).toBe(ckr.functionFailed);
    b.value(b.encrypt);
    expect(b.effective()).toBe(1);
  },
  refused() {
    const b = new Bench({ kind: "refused", rv: ckr.mechanismInvalid }, { fn: "encrypt" });
    b.value(b.random);
    expect(b.rv(b.encrypt)).toBe(ckr.mechanismInvalid);
    expect(b.effective()).toBe(1);
  },
  hang() {
    const b = new Bench({ kind: "hang" });
    expect([b.call(b.random), b.call({ fn: "slots" })]).toEqual([null, null]);
    expect(b.effective()).toBe(2);
    b.restart();
    b.open();
    const done = new Bench({ kind: "hang", done: true });
    expect([done.call(done.generate), done.call(done.generate)]).toEqual([null, null]);
    expect(done.token.objects.size).toBe(3);
  },
  slow() {
    const b = new Bench({ kind: "slow", delayUs: 77 });
    expect(b.faulty.call(b.nowUs, b.info)).toMatchObject({ answer: { rv: 0 }, delayUs: 77 });
    expect(b.faulty.call(b.nowUs, b.info).delayUs).toBe(0);
  },
  full() {
    const b = new Bench({ kind: "full" }, { fn: "generateKey" });
    expect(b.rv(b.generate)).toBe(ckr.functionFailed);
    const passing = new Bench({ kind: "full" }, { fn: "generateKey" });
    passing.value({ ...passing.generate, template: keyTemplate(3, false) });
    expect([b.effective(), passing.effective()]).toEqual([1, 0]);
    expect(b.token.objects.size).toBe(2);
  },
  fullPartly() {
    const b = new Bench({ kind: "fullPartly" });
    expect(b.rv(b.generate)).toBe(ckr.functionFailed);
    expect(b.value(b.find)).toHaveLength(3);
    expect(b.value({ ...b.find, template: keyTemplate(3).slice(3, 4) })).toEqual([]);
    const pair = new Bench({ kind: "fullPartly" });
    expect(pair.rv(pair.pair)).toBe(ckr.functionFailed);
    const halves = [cko.publicKey, cko.privateKey].map((value) =>
      pair.value({ ...pair.find, template: [{ type: cka.class, value }] }),
    );
    expect(halves.map((found) => found.length)).toEqual([1, 0]);
    expect([b.effective(), pair.effective()]).toEqual([1, 1]);
  },
  readOnly() {
    const b = new Bench({ kind: "readOnly" }, { fn: "destroyObject" });
    const destroy = { fn: "destroyObject", session: b.session, object: b.keys[0]! } as const;
    expect(b.rv(destroy)).toBe(ckr.sessionReadOnly);
    b.value(destroy);
    expect(b.effective()).toBe(1);
  },
  pinRejected() {
    const b = new Bench({ kind: "pinRejected" });
    b.faulty.module.loseLogin();
    const login = { fn: "login", session: b.session } as const;
    expect(b.rv(login)).toBe(ckr.pinIncorrect);
    // The guard does not send it again, right as it is.
    expect(b.rv(login)).toBe(-1);
    expect([b.token.pin, b.token.wrongPins, b.effective()]).toEqual(["1234", 1, 1]);
  },
  pinLocked() {
    const b = new Bench({ kind: "pinLocked" });
    b.faulty.module.loseLogin();
    expect(b.rv({ fn: "login", session: b.session })).toBe(ckr.pinLocked);
    expect([b.token.locked, b.effective()]).toEqual([true, 1]);
  },
  zeroized() {
    const b = new Bench({ kind: "zeroized" });
    b.faulty.module.loseLogin();
    expect(b.rv({ fn: "login", session: b.session })).toBe(ckr.pinLocked);
    expect([b.token.locked, b.token.objects.size, b.effective()]).toEqual([true, 0, 1]);
  },
  keyUnreplicated() {
    const b = new Bench({ kind: "keyUnreplicated" }, always);
    const sessions = [1, 2].map(() => b.value({ fn: "openSession", slot: tokenSlot }));
    const codes = sessions.map((session) => b.rv({ ...b.encrypt, session }));
    expect(codes.toSorted((x, y) => x - y)).toEqual([ckr.ok, ckr.objectHandleInvalid]);
    expect(b.effective()).toBe(1);
  },
  keyMade() {
    const b = new Bench({ kind: "keyMade" });
    b.value(b.generate);
    expect(b.value({ ...b.find, template: keyTemplate(3).slice(3, 4) })).toHaveLength(2);
    expect(b.effective()).toBe(1);
  },
  findStale() {
    const b = new Bench({ kind: "findStale" }, always);
    const before = b.value(b.find);
    b.value(b.generate);
    b.value({ fn: "destroyObject", session: b.session, object: b.keys[0]! });
    expect(b.value(b.find)).toEqual(before);
    expect(b.rv(b.encrypt)).toBe(ckr.objectHandleInvalid);
    expect(b.effective()).toBe(1);
  },
  keyDestroyed() {
    const b = new Bench({ kind: "keyDestroyed" });
    expect(b.rv(b.encrypt)).toBe(ckr.objectHandleInvalid);
    expect(b.value(b.find)).toEqual([b.keys[1]]);
    expect(b.effective()).toBe(1);
  },
  keyHidden() {
    const b = new Bench({ kind: "keyHidden" });
    expect(b.value(b.find)).toEqual([b.keys[0]]);
    expect(b.value(b.find)).toEqual(b.keys);
    expect(b.effective()).toBe(1);
  },
  keyDoubled() {
    const b = new Bench({ kind: "keyDoubled" });
    b.value(b.find);
    expect(b.value(b.find)).toHaveLength(3);
    expect(b.effective()).toBe(1);
  },
  handlesMoved() {
    const b = new Bench({ kind: "handlesMoved" });
    expect(b.rv(b.encrypt)).toBe(ckr.userNotLoggedIn);
    b.value({ fn: "login", session: b.session });
    const read = { fn: "attributes", session: b.session, types: [cka.id] } as const;
    const ids = b.keys.map((object) => b.value({ ...read, object })[0]);
    expect(ids).toEqual([Uint8Array.of(2), Uint8Array.of(1)]);
    expect(b.effective()).toBe(1);
  },
  attributesIgnored() {
    const b = new Bench({ kind: "attributesIgnored" });
    const object = b.value(b.generate);
    const types = [cka.sensitive, cka.extractable, cka.value];
    const read = b.value({ fn: "attributes", session: b.session, object, types });
    expect([read[0], read[1], read[2]!.length]).toEqual([Uint8Array.of(0), Uint8Array.of(1), 32]);
    expect(b.effective()).toBe(1);
  },
  flagMisread() {
    const b = new Bench({ kind: "flagMisread", type: cka.sensitive });
    const types = [cka.token, cka.sensitive];
    const read = { fn: "attributes", session: b.session, object: b.keys[0]!, types } as const;
    expect(b.value(read)).toEqual([Uint8Array.of(1), Uint8Array.of(0)]);
    expect(b.value(read)).toEqual([Uint8Array.of(1), Uint8Array.of(1)]);
    expect(b.effective()).toBe(1);
  },
  answerLost() {
    const b = new Bench({ kind: "answerLost", rv: ckr.deviceError });
    expect(b.rv(b.generate)).toBe(ckr.deviceError);
    expect(b.token.objects.size).toBe(3);
    expect(b.effective()).toBe(1);
  },
  operationLeft() {
    const b = new Bench({ kind: "operationLeft" });
    expect(b.rv(b.encrypt)).toBe(ckr.operationActive);
    expect(b.rv(b.find)).toBe(ckr.operationActive);
    b.value(b.random);
    expect(b.effective()).toBe(2);
    const session = b.value({ fn: "openSession", slot: tokenSlot });
    b.value({ ...b.encrypt, session });
    b.value({ fn: "closeSession", session: b.session });
    expect(b.rv(b.find)).toBe(ckr.sessionHandleInvalid);
  },
  bufferTooSmall() {
    const b = new Bench({ kind: "bufferTooSmall" });
    expect(b.rv(b.encrypt)).toBe(ckr.bufferTooSmall);
    expect(b.rv(b.encrypt)).toBe(ckr.operationActive);
    b.value({ ...b.encrypt, session: b.value({ fn: "openSession", slot: tokenSlot }) });
    expect(b.effective()).toBe(2);
  },
  bytesCut() {
    const b = new Bench({ kind: "bytesCut" });
    const data = b.value(b.encrypt);
    expect(data).toEqual(b.value(b.encrypt).slice(0, -8));
    expect(b.rv({ ...b.encrypt, fn: "decrypt", data })).toBe(ckr.generalError);
    expect(b.effective()).toBe(1);
  },
  outputStale() {
    const b = new Bench({ kind: "outputStale" }, { nth: 2 });
    const first = b.value(b.encrypt);
    const other = { ...b.encrypt, data: Uint8Array.of(4, 5, 6, 7) };
    expect(b.value(other)).toEqual(first);
    expect(b.value(other)).toHaveLength(20);
    expect(b.effective()).toBe(1);
  },
  bytesCorrupted() {
    const b = new Bench({ kind: "bytesCorrupted" });
    const data = b.value(b.encrypt);
    expect(b.rv({ ...b.encrypt, fn: "decrypt", data })).toBe(ckr.generalError);
    expect(b.effective()).toBe(1);
  },
};

describe("faults of a token", () => {
  for (const [kind, shows] of Object.entries(cases)) it(kind, shows);

  it("strike in their window, on their calls, as likely as they say", () => {
    const calls = (rule: Partial<TokenFaultRule>, word: number): number[] => {
      const effect = { kind: "slow", delayUs: 1 } as const;
      const whole = { id: 4, chance: 500, fromUs: 10, toUs: 20, effect, ...rule };
      const faults = new TokenFaults([whole], () => word);
      return [9, 10, 11, 19, 20].filter((now) => faults.strike(now, "sign").length > 0);
    };
    expect(calls({}, 499)).toEqual([10, 11, 19]);
    expect(calls({}, 500)).toEqual([]);
    expect(calls({ nth: 2 }, 0)).toEqual([11]);
    expect(calls({ fn: ["sign", "verify"] }, 0)).toEqual([10, 11, 19]);
    expect(calls({ fn: "verify" }, 0)).toEqual([]);
  });

  it("strike only the key, and only the session, that they name", () => {
    const refusal = { kind: "refused", rv: ckr.functionFailed } as const;
    const ofKey = new Bench(refusal, { ...always, label: "k2" });
    for (const [at, object] of ofKey.keys.entries()) {
      const template = [{ type: cka.label, value: keyBytes(`k${at + 1}`) }];
      ofKey.nowUs = 0;
      ofKey.value({ fn: "setAttributes", session: ofKey.session, object, template });
    }
    ofKey.nowUs = 1000;
    const codes = ofKey.keys.map((key) => ofKey.rv({ ...ofKey.encrypt, key }));
    expect(codes).toEqual([ckr.ok, ckr.functionFailed]);
    expect(ofKey.rv(ofKey.random)).toBe(ckr.ok);
    const ofSession = new Bench(refusal, { ...always, session: "1" });
    const other = ofSession.value({ fn: "openSession", slot: tokenSlot });
    expect(ofSession.session).toBe("1");
    expect(ofSession.rv(ofSession.random)).toBe(ckr.functionFailed);
    expect(ofSession.rv({ fn: "generateRandom", session: other, lengthBytes: 8 })).toBe(ckr.ok);
  });

  it("end when they are taken away, and what they count stays", () => {
    const b = new Bench({ kind: "tokenSwapped", forUs: 900 });
    expect(b.rv(b.random)).toBe(ckr.sessionHandleInvalid);
    b.faults.end(1);
    expect(b.value({ fn: "slots" })[0]).toMatchObject({ serial: "s1" });
    expect(b.faults.counts.get(1)).toEqual({ fired: 1, effective: 1 });
  });
});
