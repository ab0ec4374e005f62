/** What is lost comes back by itself, level by level; what a person must mend is left alone. */
import { describe, expect, test } from "vitest";
import type { Template, TokenCall } from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, cko, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import type { KeyReference, KeySpec } from "../../../src/core/hsm/keys.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import type { HsmRequest } from "../../../src/core/ports/hsm.js";
import { FakeToken } from "./fake-token.js";
import { type Rig, adminSecret, fakeRig } from "./rig.js";

const aesSpec: KeySpec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false };
const ecSpec: KeySpec = { algorithm: "ec", bits: 256, purpose: "sign", exportable: false };
const message = Uint8Array.of(1, 2, 3);

function generate(rig: Rig, label: string, spec: KeySpec): KeyReference {
  const name = { label, version: 1 };
  return rig.value("key", { kind: "generate", name, spec, ifMissing: false }).key.reference;
}

function signing(key: KeyReference): HsmRequest {
  return { kind: "sign", key, algorithm: "ecdsa-p256-sha256", format: "raw", message };
}

function idIn(template: Template): string {
  const id = template.find(({ type }) => type === cka.id)?.value;
  return id instanceof Uint8Array ? Buffer.from(id).toString("hex") : "";
}

/** The states in their order. */
function path(rig: Rig, from = 0): string[] {
  return rig.events
    .slice(from)
    .flatMap((event) => (event.name === "state" ? [event.to] : []))
    .filter((state) => state !== "backingOff");
}

/** What was found out, in order. */
function trialsOf(rig: Rig): string[] {
  return rig.events.flatMap((event) => {
    if (event.name !== "trial") return [];
    const { name, works, rv } = event.capability;
    return [`${name}: ${works || rv}`];
  });
}

describe("recovery", () => {
  test.each([
    ["sessions", (rig: Rig) => rig.module!.loseSessions(), ["newSession", "relogin", "ready"]],
    ["the login", (rig: Rig) => rig.module!.loseLogin(), ["relogin", "ready"]],
    ["the initialisation", (rig: Rig) => rig.module!.forgetInit(), ["reinitialize", "ready"]],
    ["the process", (rig: Rig) => rig.die(), ["restart", "ready"]],
  ] as const)("%s lost: the right key signs again", (_, lose, states) => {
    const rig = fakeRig(new FakeToken());
    const keys = [generate(rig, "a", ecSpec), generate(rig, "b", ecSpec)];
    const before = keys.map((key) => rig.value("bytes", signing(key)).bytes);
    const seen = rig.events.length;
    lose(rig);
    const ops = keys.map((key) => rig.send(signing(key)));
    rig.run(60_000_000);
    const after = ops.map((op) => rig.result(op));
    expect(after).toEqual(before.map((bytes) => ({ ok: true, value: { kind: "bytes", bytes } })));
    expect(path(rig, seen)).toEqual(states);
  });

  test("a call that hangs costs the process, and nothing else", () => {
    const rig = fakeRig(new FakeToken());
    const key = generate(rig, "a", ecSpec);
    let hung = false;
    rig.fault = (call) => {
      if (call.fn !== "sign" || hung) return null;
      hung = true;
      return { kind: "hang" };
    };
    const restarts = rig.restarts;
    expect(rig.code(signing(key))).toBe("ok");
    expect(rig.restarts).toBe(restarts + 1);
  });

  test.each([
    ["initialisation", "initialize", ["reinitialize", "ready"]],
    ["process", "restart", ["reinitialize", "restart", "ready"]],
  ] as const)("a device error that sticks until a new %s", (_, until, states) => {
    const rig = fakeRig(new FakeToken());
    const key = generate(rig, "a", ecSpec);
    const seen = rig.events.length;
    let sick = true;
    const restarts = rig.restarts;
    rig.fault = (call) => {
      if (until === "initialize" ? call.fn === "initialize" : rig.restarts > restarts) sick = false;
      return sick ? { kind: "answer", rv: ckr.deviceError } : null;
    };
    expect(rig.code(signing(key))).toBe("ok");
    expect(path(rig, seen)).toEqual(states);
  });

  test("a key that opens to something else is not the key, until a new process", () => {
    const rig = fakeRig(new FakeToken());
    generate(rig, "a", ecSpec);
    const restarts = rig.restarts;
    rig.fault = ({ fn }) =>
      fn === "decrypt" && rig.restarts === restarts
        ? { kind: "lie", value: new Uint8Array(16) }
        : null;
    rig.run(60_000_000);
    expect(rig.restarts).toBe(restarts + 1);
    expect(rig.machine.state.mode).toBe("ready");
  });

  test("each level is tried before the next, and the last again and again", () => {
    const rig = fakeRig(new FakeToken());
    const key = generate(rig, "a", ecSpec);
    const seen = rig.events.length;
    let sick = true;
    rig.fault = () => (sick ? { kind: "answer", rv: ckr.generalError } : null);
    const op = rig.send(signing(key));
    rig.run(29_000_000);
    const [first, second, third, fourth] = path(rig, seen);
    expect([first, second, third, fourth]).toEqual([
      "newSession",
      "relogin",
      "reinitialize",
      "restart",
    ]);
    rig.run(2_000_000);
    expect(rig.result(op)).toMatchObject({ error: { code: "unavailable" } });
    sick = false;
    rig.run(60_000_000);
    expect(rig.machine.state.mode).toBe("ready");
    expect(rig.code(signing(key))).toBe("ok");
  });

  test("waits are drawn, grow and stay below their limit", () => {
    const rig = fakeRig(new FakeToken(), { times: { backoffUs: 1000, backoffMaxUs: 64_000 } });
    rig.fault = () => ({ kind: "answer", rv: ckr.deviceError });
    rig.send({ kind: "open" });
    rig.run(20_000_000);
    const { ladder } = rig.machine.state;
    expect(ladder.nextAtUs - rig.now).toBeLessThanOrEqual(64_000);
    expect(rig.restarts).toBeGreaterThan(100);
    expect(rig.restarts).toBeLessThan(2000);
  });

  test("trials that were cut off are taken up again", () => {
    const rig = fakeRig(new FakeToken());
    let cut = false;
    rig.fault = (call) => {
      if (call.fn !== "createObject" || cut || trialsOf(rig).length === 0) return null;
      cut = true;
      return { kind: "answer", rv: ckr.sessionHandleInvalid };
    };
    generate(rig, "a", aesSpec);
    const whole = fakeRig(new FakeToken());
    generate(whole, "a", aesSpec);
    expect(cut).toBe(true);
    expect(trialsOf(rig)).toEqual(trialsOf(whole));
  });

  test("what trouble made a trial fail is found to work once that is over, without a request", () => {
    const rig = fakeRig(new FakeToken());
    let sick = true;
    rig.fault = (call) => {
      if (trialsOf(rig).length > 0) return null;
      return sick && call.fn === "createObject" ? { kind: "answer", rv: ckr.deviceError } : null;
    };
    generate(rig, "a", aesSpec);
    expect(trialsOf(rig)[0]).toBe(`data object: ${ckr.deviceError}`);
    sick = false;
    rig.run(61_000_000);
    expect(trialsOf(rig).filter((line) => line.startsWith("data object"))).toEqual([
      `data object: ${ckr.deviceError}`,
      "data object: true",
    ]);
  });

  test("one request that never works leaves the others to theirs", () => {
    const rig = fakeRig(new FakeToken());
    const key = generate(rig, "a", ecSpec);
    const restarts = rig.restarts;
    rig.fault = (call) =>
      call.fn === "generateKey" ? { kind: "answer", rv: ckr.generalError } : null;
    for (let n = 0; n < 5; n++) {
      const name = { label: `x${n}`, version: 1 };
      const make = rig.ask({ kind: "generate", name, spec: aesSpec, ifMissing: false });
      expect(make).toMatchObject({ ok: false, error: { rv: ckr.generalError } });
      expect(rig.code(signing(key))).toBe("ok");
    }
    expect(rig.restarts - restarts).toBeLessThanOrEqual(2);
  });

  test("fewer sessions than were hoped for", () => {
    const rig = fakeRig(new FakeToken());
    const key = generate(rig, "a", ecSpec);
    let open = 0;
    rig.fault = (call) => {
      if (call.fn === "closeSession") open--;
      if (call.fn !== "openSession") return null;
      if (open >= 2) return { kind: "answer", rv: ckr.sessionCount };
      open++;
      return null;
    };
    const ops = Array.from({ length: 20 }, () => rig.send(signing(key)));
    rig.run(10_000_000);
    for (const op of ops) expect(rig.result(op).ok).toBe(true);
  });
});

describe("handles that come to name another key in silence", () => {
  test.each([[false], [true]])("are not used; each use verified: %s", (verifyEachUse) => {
    const rig = fakeRig(new FakeToken(), { verifyEachUse });
    const keys = [generate(rig, "a", ecSpec), generate(rig, "b", ecSpec)];
    const signatures = keys.map((key) => rig.value("bytes", signing(key)).bytes);
    rig.module!.reuseHandles();
    for (const [at, key] of keys.entries()) {
      const signature = signatures[at]!;
      const request = { ...signing(key), kind: "verify", signature } as HsmRequest;
      expect(rig.value("verified", request).valid).toBe(true);
      rig.module!.reuseHandles();
      if (verifyEachUse) expect(rig.value("bytes", signing(key)).bytes).toEqual(signature);
    }
  });
});

describe("throttling", () => {
  test("waits, and does not reconnect", () => {
    const profile = vendorProfile("softhsm", { throttleCodes: [ckr.functionFailed] });
    const rig = fakeRig(new FakeToken(), { profile });
    const key = generate(rig, "a", ecSpec);
    const seen = rig.events.length;
    let left = 5;
    rig.fault = (call) =>
      call.fn === "sign" && left-- > 0 ? { kind: "answer", rv: ckr.functionFailed } : null;
    expect(rig.code(signing(key))).toBe("ok");
    expect(path(rig, seen)).toEqual([]);
    expect(rig.events.filter(({ name }) => name === "throttled")).toHaveLength(5);
  });
});

describe("the PIN", () => {
  test("is tried once when it is rejected, and again when a person asks for it", () => {
    const token = new FakeToken();
    token.pinGood = false;
    const rig = fakeRig(token);
    expect(rig.code({ kind: "open" })).toBe("pinRejected");
    expect(rig.code({ kind: "find" })).toBe("pinRejected");
    rig.run(3_600_000_000);
    expect(token.logins).toBe(1);
    expect(rig.machine.state.mode).toBe("halted");
    token.pinGood = true;
    expect(rig.code({ kind: "open" })).toBe("ok");
    expect(token.logins).toBe(2);
  });

  test("that comes to be rejected later is tried once more, then not again", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    const key = generate(rig, "a", ecSpec);
    const { logins } = token;
    token.pinGood = false;
    rig.module!.loseSessions();
    expect(rig.code(signing(key))).toBe("pinRejected");
    rig.run(3_600_000_000);
    expect(token.logins).toBe(logins + 1);
  });

  test.each([
    [-1, "pinRejected"],
    [ckr.pinLocked, "pinLocked"],
    [ckr.pinExpired, "pinRejected"],
  ] as const)("refused by %i: %s", (rv, code) => {
    const rig = fakeRig(new FakeToken());
    rig.fault = (call) => (call.fn === "login" ? { kind: "answer", rv } : null);
    expect(rig.code({ kind: "open" })).toBe(code);
    const calls = rig.calls.length;
    rig.run(3_600_000_000);
    expect(rig.calls.length).toBe(calls);
  });

  test("that is missing is asked for until it comes", () => {
    const rig = fakeRig(new FakeToken());
    let missing = 3;
    rig.fault = (call) =>
      call.fn === "login" && missing-- > 0 ? { kind: "answer", rv: -2 } : null;
    expect(rig.code({ kind: "open" })).toBe("ok");
  });

  test("is not spent to the last tries", () => {
    const token = new FakeToken();
    token.pinGood = false;
    const profile = vendorProfile("softhsm", { lockOut: { attempts: 5, effect: "locked" } });
    const rig = fakeRig(token, { profile });
    const codes = [1, 2, 3, 4].map(() => rig.code({ kind: "open" }));
    expect(codes).toEqual(["pinRejected", "pinRejected", "pinLocked", "pinLocked"]);
    expect(token.logins).toBe(2);
  });

  test("is not spent where the token says that it is the last one", () => {
    const token = new FakeToken();
    token.slots = [{ ...token.slots[0]!, flags: 0x400 | 0x2_0000 }];
    const rig = fakeRig(token);
    expect(rig.code({ kind: "open" })).toBe("pinRejected");
    expect(token.logins).toBe(0);
  });
});

describe("answers that are lost after the deed", () => {
  const lose = (rig: Rig, fn: TokenCall["fn"], times: number): void => {
    let left = times;
    rig.fault = (call) =>
      call.fn === fn && left-- > 0 ? { kind: "lostAnswer", rv: ckr.deviceError } : null;
  };

  test.each(["generateKey", "setAttributes"] as const)("%s: one key, found again", (fn) => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    rig.value("done", { kind: "open" });
    lose(rig, fn, 1);
    const key = generate(rig, "a", aesSpec);
    expect(token.labels(cko.secretKey)).toEqual(["quorumlab-canary", "a-v1"]);
    const seal = { kind: "encrypt", key, associatedData: message, bytes: message } as const;
    expect(rig.code(seal)).toBe("ok");
  });

  test("destroyObject: it is gone, and that is the answer", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    const key = generate(rig, "a", ecSpec);
    lose(rig, "destroyObject", 1);
    expect(rig.code({ kind: "delete", key, admin: adminSecret })).toBe("ok");
    expect(token.labels(cko.privateKey)).toEqual([]);
    expect(token.labels(cko.publicKey)).toEqual([]);
  });

  test("what a session without a login does not see is not gone", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    const key = generate(rig, "a", aesSpec);
    let failed = false;
    let lost = false;
    rig.fault = (call) => {
      if (call.fn === "destroyObject" && !failed) {
        failed = true;
        return { kind: "answer", rv: ckr.functionFailed };
      }
      // The search for what is left comes after the level 1 that follows: a canary asked, then it.
      if (failed && !lost && call.fn === "find" && idIn(call.template) === key.id) {
        lost = true;
        rig.module!.loseLogin();
      }
      return null;
    };
    expect(rig.code({ kind: "delete", key, admin: adminSecret })).toBe("ok");
    expect(lost).toBe(true);
    expect(token.labels(cko.secretKey)).toEqual(["quorumlab-canary"]);
  });

  test("a key that nobody could ask about is called an unknown outcome", () => {
    const rig = fakeRig(new FakeToken());
    rig.value("done", { kind: "open" });
    let made = false;
    rig.fault = (call) => {
      if (call.fn === "generateKey") made = true;
      return made ? { kind: "lostAnswer", rv: ckr.deviceError } : null;
    };
    const name = { label: "a", version: 1 };
    const make = { kind: "generate", name, spec: aesSpec, ifMissing: false } as const;
    expect(rig.code(make)).toBe("unknownOutcome");
  });
});

describe("idle expiry", () => {
  test("sessions are closed before the device lets them die, and the token is asked in time", () => {
    const profile = vendorProfile("softhsm", { idleExpiryMs: 30_000 });
    const rig = fakeRig(new FakeToken(), { profile });
    generate(rig, "a", aesSpec);
    const calls = rig.calls.length;
    rig.run(29_000_000);
    expect(rig.calls.slice(calls).some(({ fn }) => fn === "decrypt")).toBe(true);
    expect(rig.machine.state.idle.length).toBeLessThanOrEqual(1);
  });
});
