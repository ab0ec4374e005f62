/**
 * Whatever the token does meanwhile: each request is answered once, none by the wrong key, a name is
 * one key's, and when the faults end the machine is ready by itself.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ckr, cko } from "../../../src/core/hsm/cryptoki/constants.js";
import type { KeyReference, KeySpec } from "../../../src/core/hsm/keys.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import { digestOf, pack, unpack } from "../../../src/core/plain.js";
import type { HsmRequest, HsmResult } from "../../../src/core/ports/hsm.js";
import { FakeToken } from "./fake-token.js";
import { runs } from "../../setup/soak.js";
import { type Fault, type Rig, adminSecret, fakeRig, runTogether } from "./rig.js";

const spec = (algorithm: "aes" | "ec", purpose: KeySpec["purpose"]): KeySpec => ({
  algorithm,
  bits: 256,
  purpose,
  exportable: false,
});
const associatedData = new Uint8Array(0);
/** Looked for in everything that people may see. */
const secretText = "a plaintext that nobody else may see";
const plaintext = new TextEncoder().encode(secretText);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const codes = [
  ckr.hostMemory,
  ckr.generalError,
  ckr.functionFailed,
  ckr.deviceError,
  ckr.deviceRemoved,
  ckr.operationActive,
  ckr.sessionHandleInvalid,
  ckr.sessionClosed,
  ckr.sessionCount,
  ckr.userNotLoggedIn,
  ckr.objectHandleInvalid,
  ckr.keyHandleInvalid,
  ckr.tokenNotPresent,
  ckr.cryptokiNotInitialized,
  0x8000_0123,
];

type Trouble =
  | { readonly kind: "fault"; readonly fault: Fault; readonly count: number }
  | { readonly kind: "lose"; readonly what: "sessions" | "login" | "init" };

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.record({
    kind: fc.constant("fault" as const),
    fault: fc.oneof(
      fc.record({ kind: fc.constant("answer" as const), rv: fc.constantFrom(...codes) }),
      fc.record({ kind: fc.constant("lostAnswer" as const), rv: fc.constantFrom(...codes) }),
      fc.constant({ kind: "hang" } as const),
      fc.constant({ kind: "die" } as const),
    ),
    count: fc.integer({ min: 1, max: 12 }),
  }),
  fc.record({
    kind: fc.constant("lose" as const),
    what: fc.constantFrom("sessions" as const, "login" as const, "init" as const),
  }),
);

const requestKinds = [
  "sign",
  "encrypt",
  "decrypt",
  "wrap",
  "unwrap",
  "verify",
  "generate",
  "find",
  "delete",
  "health",
] as const;

const scenario = fc.record({
  seed: fc.integer({ min: 1, max: 1e9 }),
  unique: fc.boolean(),
  quirks: fc.record({ noRename: fc.boolean(), noDataObjects: fc.boolean() }),
  requests: fc.array(
    fc.record({
      kind: fc.constantFrom(...requestKinds),
      which: fc.integer({ min: 0, max: 1 }),
      gapUs: fc.constantFrom(0, 0, 500, 20_000, 3_000_000),
    }),
    { minLength: 1, maxLength: 25 },
  ),
  troubles: fc.array(fc.tuple(fc.integer({ min: 0, max: 80 }), trouble), { maxLength: 6 }),
});

/** A machine with keys, and what their right answers are. */
class Bench {
  readonly token: FakeToken;
  readonly rig: Rig;
  readonly signers: KeyReference[] = [];
  readonly signatures: Uint8Array[] = [];
  readonly sealers: KeyReference[] = [];
  readonly sealed: Uint8Array[] = [];
  readonly keks: KeyReference[] = [];
  readonly blobs: Uint8Array[] = [];
  readonly doomed: KeyReference[] = [];

  constructor({ seed, unique, quirks }: { seed: number; unique: boolean; quirks: object }) {
    this.token = new FakeToken({ ...quirks, uniqueLabels: unique }, seed);
    const profile = vendorProfile("softhsm", { uniqueLabels: unique });
    this.rig = fakeRig(this.token, { profile }, seed);
    for (const which of [0, 1]) {
      this.signers.push(this.#make(`signer${which}`, spec("ec", "sign")));
      this.sealers.push(this.#make(`sealer${which}`, spec("aes", "encrypt")));
      this.keks.push(this.#make(`kek${which}`, spec("aes", "wrap")));
      this.doomed.push(this.#make(`doomed${which}`, spec("aes", "encrypt")));
      this.signatures.push(this.rig.value("bytes", this.request("sign", which)).bytes);
      this.sealed.push(this.rig.value("bytes", this.request("encrypt", which)).bytes);
      this.blobs.push(this.rig.value("bytes", this.request("wrap", which)).bytes);
    }
  }

  #make(label: string, keySpec: KeySpec): KeyReference {
    const name = { label, version: 1 };
    const make = { kind: "generate", name, spec: keySpec, ifMissing: false } as const;
    return this.rig.value("key", make).key.reference;
  }

  request(kind: (typeof requestKinds)[number], which: number): HsmRequest {
    const signing = {
      key: this.signers[which]!,
      algorithm: "ecdsa-p256-sha256",
      format: "raw",
      message: plaintext,
    } as const;
    switch (kind) {
      case "sign":
        return { kind, ...signing };
      case "verify":
        return { kind, ...signing, signature: this.signatures[which]! };
      case "encrypt":
        return { kind, key: this.sealers[which]!, associatedData, bytes: plaintext };
      case "decrypt":
        return { kind, key: this.sealers[which]!, associatedData, bytes: this.sealed[which]! };
      case "wrap":
        return { kind, kek: this.keks[which]!, material: { kind: "bytes", bytes: even } };
      case "unwrap":
        return { kind, kek: this.keks[which]!, blob: this.blobs[which]!, into: { kind: "bytes" } };
      case "generate": {
        const name = { label: `made${which}`, version: 1 };
        return { kind, name, spec: spec("aes", "encrypt"), ifMissing: true };
      }
      case "find":
        return { kind, label: `signer${which}` };
      case "delete":
        return { kind, key: this.doomed[which]!, admin: adminSecret };
      default:
        return { kind: "health" };
    }
  }

  /** What an answer that claims success must be. */
  check(kind: (typeof requestKinds)[number], which: number, result: HsmResult): void {
    if (!result.ok) return;
    const { value } = result;
    if (kind === "sign") expect(value).toEqual({ kind: "bytes", bytes: this.signatures[which] });
    if (kind === "verify") expect(value).toEqual({ kind: "verified", valid: true });
    if (kind === "decrypt") expect(value).toEqual({ kind: "bytes", bytes: plaintext });
    if (kind === "unwrap") expect(value).toEqual({ kind: "bytes", bytes: even });
    if (kind === "find") {
      expect(value).toMatchObject({ keys: [{ reference: this.signers[which] }] });
    }
    if (kind === "encrypt" && value.kind === "bytes") {
      const open = { ...this.request("decrypt", which), bytes: value.bytes } as HsmRequest;
      expect(this.rig.value("bytes", open).bytes).toEqual(plaintext);
    }
    if (kind === "wrap" && value.kind === "bytes") {
      const open = { ...this.request("unwrap", which), blob: value.bytes } as HsmRequest;
      expect(this.rig.value("bytes", open).bytes).toEqual(even);
    }
    if (kind === "delete") {
      expect(this.token.labels(cko.secretKey)).not.toContain(`doomed${which}-v1`);
    }
  }

  /** Begins to make trouble, by the count of calls. */
  trouble(troubles: readonly (readonly [number, Trouble])[]): void {
    const active: { fault: Fault; left: number }[] = [];
    const waiting = [...troubles].sort(([a], [b]) => a - b);
    let count = 0;
    this.rig.fault = () => {
      while (waiting.length > 0 && waiting[0]![0] <= count) {
        const [, next] = waiting.shift()!;
        if (next.kind === "fault") active.push({ fault: next.fault, left: next.count });
        else if (next.what === "sessions") this.rig.module!.loseSessions();
        else if (next.what === "login") this.rig.module!.loseLogin();
        else this.rig.module!.forgetInit();
      }
      count++;
      const [first] = active;
      if (first === undefined) return null;
      if (--first.left <= 0) active.shift();
      return first.fault;
    };
  }

  seen(): string {
    const shown = (_: string, value: unknown): unknown => {
      if (value instanceof Uint8Array) return hex(value);
      return value instanceof Map || value instanceof Set ? [...(value as Set<unknown>)] : value;
    };
    const results = [...this.rig.answers.values()].flat().filter(({ ok }) => !ok);
    return JSON.stringify([this.rig.events, results, this.rig.machine.state], shown);
  }
}

/** Through bytes, as plain data goes. */
function unpacked(state: unknown): unknown {
  const back = unpack(pack(state));
  if ("error" in back) throw new Error(back.error.code);
  return back.ok;
}

const even = new Uint8Array(32).fill(0x77);

describe("under faults", () => {
  test("each request is answered once, by the right key, and all is well in the end", () => {
    fc.assert(
      fc.property(scenario, ({ requests, troubles, ...kind }) => {
        const bench = new Bench(kind);
        const { rig, token } = bench;
        bench.trouble(troubles);
        const asked = requests.map(({ kind: what, which, gapUs }) => {
          rig.run(gapUs);
          return { what, which, op: rig.send(bench.request(what, which)) };
        });
        rig.run(150_000_000);
        rig.fault = () => null;
        rig.run(150_000_000);
        for (const { what, which, op } of asked) bench.check(what, which, rig.result(op));
        expect(rig.machine.state.mode).toBe("ready");
        for (const which of [0, 1]) {
          const sign = rig.value("bytes", bench.request("sign", which));
          expect(sign.bytes).toEqual(bench.signatures[which]);
        }
        const labels = token.labels(cko.secretKey);
        // Where keys bear their names at once, one that was given up stays.
        const settled = kind.unique || !kind.quirks.noRename;
        for (const which of settled ? [0, 1] : []) {
          expect(labels.filter((l) => l === `made${which}-v1`).length).toBeLessThanOrEqual(1);
        }
        const seen = bench.seen();
        for (const secret of [secretText, adminSecret, hex(plaintext), hex(even)]) {
          expect(seen).not.toContain(secret);
        }
        expect(digestOf(rig.machine.state)).toEqual(digestOf(unpacked(rig.machine.state)));
        expect(rig.machine.state.sessions).toBeLessThanOrEqual(8);
        // At most the machine's own check of just now.
        expect(rig.machine.waiting).toBeLessThanOrEqual(1);
      }),
      { numRuns: runs(300) },
    );
  });
});

describe("a race for one name", () => {
  const race = fc.record({
    seed: fc.integer({ min: 1, max: 1e9 }),
    processes: fc.integer({ min: 2, max: 4 }),
    unique: fc.boolean(),
    hiding: fc.boolean(),
    algorithm: fc.constantFrom("aes" as const, "ec" as const),
    deaths: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 80 })), {
      maxLength: 2,
    }),
    lost: fc.option(fc.integer({ min: 0, max: 60 }), { nil: null }),
  });

  test("ends with one key, which everybody was given", () => {
    fc.assert(
      fc.property(race, ({ seed, processes, unique, hiding, algorithm, deaths, lost }) => {
        const quirks = { uniqueLabels: unique, ownWritesHideOthers: hiding && !unique };
        const token = new FakeToken(quirks, seed);
        const profile = vendorProfile("softhsm", quirks);
        const times = { provisionalMaxUs: 3_000_000 };
        const rigs = Array.from({ length: processes }, (_, at) =>
          fakeRig(token, { profile, times }, seed + at * 17),
        );
        const wanted = spec(algorithm, algorithm === "ec" ? "sign" : "encrypt");
        for (const [at, rig] of rigs.entries()) {
          rig.value("done", { kind: "open" });
          const dies = deaths.filter(([which]) => which === at).map(([, count]) => count);
          let count = 0;
          rig.fault = () => {
            const now = count++;
            if (dies.includes(now)) return { kind: "die" };
            return lost === now ? { kind: "lostAnswer", rv: ckr.deviceError } : null;
          };
        }
        // All begin at once.
        const startUs = Math.max(...rigs.map((rig) => rig.now));
        for (const rig of rigs) rig.now = startUs;
        const make = {
          kind: "generate",
          name: { label: "shared", version: 1 },
          spec: wanted,
          ifMissing: true,
        } as const;
        const ops = rigs.map((rig) => rig.send(make));
        const done = (): boolean => rigs.every((rig, at) => rig.answers.get(ops[at]!)!.length > 0);
        runTogether(rigs, done, startUs + 300_000_000);
        const ids = rigs.map((rig, at) => {
          const result = rig.result(ops[at]!);
          if (!result.ok || result.value.kind !== "key") throw new Error(JSON.stringify(result));
          return result.value.key.reference.id;
        });
        expect(new Set(ids).size).toBe(1);
        const labels = token.labels(algorithm === "ec" ? cko.privateKey : cko.secretKey);
        expect(labels.filter((label) => label.startsWith("shared"))).toEqual(["shared-v1"]);
        const { keys } = rigs[0]!.value("keys", { kind: "find", label: "shared" });
        expect(keys.map(({ reference }) => reference.id)).toEqual([ids[0]]);
      }),
      { numRuns: runs(300) },
    );
  });
});
