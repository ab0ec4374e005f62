/** What each fault does to a module, what it counts, and that the machine gets over it. */
import { describe, expect, it } from "vitest";
import type {
  Template,
  TokenAnswer,
  TokenCall,
  TokenValues,
} from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, cko, ckr, cks } from "../../../src/core/hsm/cryptoki/constants.js";
import { curveOfBits } from "../../../src/core/hsm/der.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import { keyBytes } from "../../../src/core/bytes.js";
import { type RandomState, below, seededRandom } from "../../../src/core/random.js";
import { cheapCrypto } from "../../../src/sim/hsm/cheap-crypto.js";
import {
  type TokenFaultEffect,
  type TokenFaultKind,
  type TokenFaultRule,
  TokenFaults,
} from "../../../src/sim/hsm/faults.js";
import { FaultyToken } from "../../../src/sim/hsm/faulty-token.js";
import { SimToken, tokenSlot } from "../../../src/sim/hsm/module.js";
import type { DurableToken } from "../../../src/sim/hsm/token.js";
import { newToken, tokenRig } from "./token-rig.js";

const keyTemplate = (label: number, token = true): Template => [
  { type: cka.class, value: cko.secretKey },
  { type: cka.keyType, value: ckk.aes },
  { type: cka.token, value: token },
  { type: cka.id, value: Uint8Array.of(label) },
  { type: cka.sensitive, value: true },
  { type: cka.valueLen, value: 32 },
];
const gcm = {
  type: ckm.aesGcm,
  parameter: {
    kind: "gcm",
    iv: new Uint8Array(12),
    associatedData: new Uint8Array(0),
    tagBits: 128,
  },
} as const;

/** A rule that strikes more than once. */
const always = { every: true } as const;

/** One session, logged in, with two keys, and a fault that strikes from `armed` on. */
class Bench {
  nowUs = 0;
  readonly token: DurableToken = newToken();
  readonly rejectedPins: Set<string> = new Set();
  readonly faults: TokenFaults;
  faulty: FaultyToken;
  session = "";
  keys: string[] = [];

  constructor(effect: TokenFaultEffect, given: Partial<TokenFaultRule> & { every?: true } = {}) {
    const { every, ...rule } = given;
    const nth = every === undefined ? { nth: 1 } : {};
    const whole = { id: 1, chance: 1000, fromUs: 1000, toUs: 2000, ...nth, effect, ...rule };
    this.faults = new TokenFaults([whole], () => 0);
    this.faulty = this.restart();
    this.open();
    this.keys = [1, 2].map((label) =>
      this.value({
        fn: "generateKey",
        session: this.session,
        mechanism: { type: ckm.aesKeyGen },
        template: keyTemplate(label),
      }),
    );
    this.nowUs = 1000;
  }

  restart(): FaultyToken {
    const { token, rejectedPins } = this;
    const profile = vendorProfile("softhsm");
    const pin = (): string => "1234";
    const options = { token, profile, crypto: cheapCrypto, pin, rejectedPins };
    this.faulty = new FaultyToken(new SimToken(options), this.faults);
    return this.faulty;
  }

  open(): void {
    this.value({ fn: "initialize" });
    this.session = this.value({ fn: "openSession", slot: tokenSlot });
    this.value({ fn: "login", session: this.session });
  }

  call(call: TokenCall): TokenAnswer | null {
    return this.faulty.call(this.nowUs, call).answer;
  }

  rv(call: TokenCall): number {
    return this.call(call)!.rv;
  }

  value<C extends TokenCall>(call: C): TokenValues[C["fn"]] {
    const answer = this.call(call)!;
    if (answer.rv !== 0) throw new Error(`${call.fn} gave ${answer.rv}`);
    return answer.value as TokenValues[C["fn"]];
  }

  get random(): TokenCall {
    return { fn: "generateRandom", session: this.session, lengthBytes: 8 };
  }

  get info(): TokenCall & { fn: "sessionInfo" } {
    return { fn: "sessionInfo", session: this.session };
  }

  get encrypt(): TokenCall & { fn: "encrypt" } {
    const data = Uint8Array.of(1, 2, 3);
    return { fn: "encrypt", session: this.session, mechanism: gcm, key: this.keys[0]!, data };
  }

  get find(): TokenCall & { fn: "find" } {
    const template = keyTemplate(0).slice(0, 2);
    return { fn: "find", session: this.session, template, max: 9 };
  }

  get pair(): TokenCall & { fn: "generateKeyPair" } {
    const lasts = { type: cka.token, value: true };
    const parameters = { type: cka.ecParams, value: curveOfBits(256)!.parameters };
    return {
      fn: "generateKeyPair",
      session: this.session,
      mechanism: { type: ckm.ecKeyPairGen },
      publicTemplate: [lasts, parameters],
      privateTemplate: [lasts],
    };
  }

  get generate(): TokenCall & { fn: "generateKey" } {
    const mechanism = { type: ckm.aesKeyGen };
    return { fn: "generateKey", session: this.session, mechanism, template: keyTemplate(3) };
  }

  effective(): number {
    return this.faults.counts.get(1)!.effective;
  }
}

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

/** What the machine gets over by itself once it stops. */
const passing: readonly TokenFaultEffect[] = [
  { kind: "sessionsLost" },
  { kind: "loginLost" },
  { kind: "initLost", failures: 2 },
  { kind: "deviceError" },
  { kind: "tokenAway", forUs: 3_000_000, silent: false },
  { kind: "tokenAway", forUs: 3_000_000, silent: true },
  { kind: "tokenSwapped", forUs: 3_000_000 },
  { kind: "throttled" },
  { kind: "hang" },
  { kind: "slow", delayUs: 2_000_000 },
  { kind: "full" },
  { kind: "readOnly" },
  { kind: "keyHidden" },
  { kind: "handlesMoved" },
  { kind: "attributesIgnored" },
  { kind: "answerLost", rv: ckr.deviceError },
  { kind: "operationLeft" },
  { kind: "bytesCorrupted" },
];

describe("the machine under faults of the token", () => {
  it("answers everything, uses no wrong key, and serves again once they are over", () => {
    const effective = new Map<TokenFaultKind, number>();
    for (let seed = 1; seed <= 60; seed++) underFaults(seed, effective);
    for (const { kind } of passing) expect(effective.get(kind) ?? 0, kind).toBeGreaterThan(0);
  }, 60_000);
});

const forUs = 40_000_000;
const data = (n: number): Uint8Array => new Uint8Array(24).fill(n);

function underFaults(seed: number, effective: Map<TokenFaultKind, number>): void {
  const random = seededRandom([seed, 3, 1, 4]);
  const rules = drawRules(random);
  const { rig, faults, token } = tokenRig({
    seed,
    faults: rules,
    options: { verifyEachUse: true },
  });
  rig.value("done", { kind: "open" });
  const none = new Uint8Array(0);
  const spec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false } as const;
  const make = (label: string) =>
    ({ kind: "generate", name: { label, version: 1 }, spec, ifMissing: true }) as const;
  const keys = ["a", "b", "c"].map((label) => rig.value("key", make(label)).key.reference);
  const sealed = keys.map((key, at) =>
    rig.value("bytes", { kind: "encrypt", key, associatedData: none, bytes: data(at) }),
  );
  const opens = (at: number) =>
    ({
      kind: "decrypt",
      key: keys[at]!,
      associatedData: none,
      bytes: sealed[at]!.bytes,
    }) as const;
  rig.now = Math.max(rig.now, startUs);
  while (rig.now < startUs + forUs) {
    const at = below(random, keys.length);
    const answered = rig.ask(below(random, 4) === 0 ? make(`n${below(random, 9)}`) : opens(at));
    if (answered.ok && answered.value.kind === "bytes") {
      expect(answered.value.bytes, `seed ${seed}`).toEqual(data(at));
    }
    rig.run(below(random, 1_000_000));
  }
  faults.heal();
  rig.run(60_000_000);
  for (const at of keys.keys()) {
    expect(rig.ask(opens(at)), `seed ${seed}`).toEqual({
      ok: true,
      value: { kind: "bytes", bytes: data(at) },
    });
  }
  for (const [op, given] of rig.answers) expect(given, `seed ${seed}, op ${op}`).toHaveLength(1);
  expect(token.locked).toBe(false);
  for (const { id, effect } of rules) {
    const count = faults.counts.get(id)!.effective;
    effective.set(effect.kind, (effective.get(effect.kind) ?? 0) + count);
  }
}

/** Where they tell, and of what is rare. What alters a ciphertext on its way out nobody can notice. */
const rareCalls: Partial<Record<TokenFaultKind, TokenFaultRule["fn"]>> = {
  full: ["generateKey", "createObject"],
  readOnly: ["generateKey", "setAttributes"],
  attributesIgnored: "generateKey",
  bytesCorrupted: "generateRandom",
  keyHidden: "find",
};

/** The opening and the first keys are not what this is about. */
const startUs = 30_000_000;

function drawRules(random: RandomState): TokenFaultRule[] {
  return Array.from({ length: 4 }, (_, id) => {
    const effect = passing[below(random, passing.length)]!;
    const fromUs = startUs + below(random, forUs);
    const seldom = 20 + below(random, 100);
    const fn = rareCalls[effect.kind];
    const chance = fn === undefined ? seldom : 5 * seldom;
    return { id, chance, fromUs, toUs: fromUs + 10_000_000, effect, ...(fn && { fn }) };
  });
}
