/** What a sound token is used for: every request, against the fake. */
import { describe, expect, test } from "vitest";
import { cka, ckm, cko } from "../../../src/core/hsm/cryptoki/constants.js";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import type { KeyReference, KeySpec } from "../../../src/core/hsm/keys.js";
import { decodeBlob } from "../../../src/core/hsm/blob.js";
import { FakeToken } from "./fake-token.js";
import { type Rig, adminSecret, fakeRig } from "./rig.js";

const kekSpec: KeySpec = { algorithm: "aes", bits: 256, purpose: "wrap", exportable: false };
const aesSpec: KeySpec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false };
const ecSpec: KeySpec = { algorithm: "ec", bits: 256, purpose: "sign", exportable: false };
const rsaSpec: KeySpec = { algorithm: "rsa", bits: 2048, purpose: "sign", exportable: false };

function generate(rig: Rig, label: string, spec: KeySpec, version = 1): KeyReference {
  const name = { label, version };
  return rig.value("key", { kind: "generate", name, spec, ifMissing: false }).key.reference;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

describe("a sound token", () => {
  test("is opened, logged in once and tried", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    rig.value("done", { kind: "open" });
    expect(rig.machine.state.mode).toBe("ready");
    expect(rig.restarts).toBe(1);
    expect(token.logins).toBe(1);
    const { capabilities } = rig.value("capabilities", { kind: "capabilities" });
    const found = Object.fromEntries(
      capabilities.map(({ name, works, rv }) => [name, works || rv]),
    );
    expect(found).toEqual({
      "generate session key": true,
      "data object": true,
      "import secret": true,
      "rename key": true,
      "encrypt aes-gcm": true,
      "wrap encrypt-aes-gcm": true,
      "wrap aes-kwp": true,
      "wrap aes-kwp of any length": true,
      "wrap aes-gcm": true,
      "wrap aes-cbc-pad-hmac": true,
      "sign ecdsa-p256-sha256": true,
      "sign ecdsa-p384-sha384": true,
      "sign rsa-pkcs1-sha256": true,
      "sign rsa-pss-sha256": true,
      "wrap rsa-oaep-sha256": true,
      "wrap rsa-oaep-sha1": true,
    });
    expect(token.labels(cko.secretKey)).toEqual(["quorumlab-canary"]);
  });

  test("trials leave nothing behind", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    rig.value("capabilities", { kind: "capabilities" });
    rig.run(1_000_000);
    expect([...token.objects].filter(({ session }) => session !== null)).toEqual([]);
  });

  test("makes a key as asked, and finds it again", () => {
    const rig = fakeRig(new FakeToken());
    const kek = generate(rig, "kek", kekSpec);
    expect(kek).toEqual({
      label: "kek",
      version: 1,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      spec: kekSpec,
      publicDigest: null,
    });
    const signer = generate(rig, "signer", ecSpec);
    expect(signer.publicDigest).toMatch(/^[0-9a-f]{64}$/);
    generate(rig, "kek", kekSpec, 2);
    const { keys } = rig.value("keys", { kind: "find", label: "kek" });
    expect(keys.map(({ reference }) => reference.version)).toEqual([1, 2]);
    expect(keys[0]!.attributes).toEqual({
      token: true,
      private: true,
      sensitive: true,
      extractable: false,
      alwaysSensitive: true,
      neverExtractable: true,
      local: true,
      uses: ["wrap", "unwrap"],
    });
    expect(rig.value("keys", { kind: "find" }).keys).toHaveLength(3);
  });

  test("a name is taken once", () => {
    const rig = fakeRig(new FakeToken());
    const kek = generate(rig, "kek", kekSpec);
    const name = { label: "kek", version: 1 };
    const again = { kind: "generate", name, spec: kekSpec } as const;
    expect(rig.ask({ ...again, ifMissing: false })).toMatchObject({ error: { policy: "P19" } });
    expect(rig.value("key", { ...again, ifMissing: true }).key.reference).toEqual(kek);
    expect(rig.code({ ...again, spec: aesSpec, ifMissing: true })).toBe("mismatch");
  });

  test.each([
    ["ec", ecSpec, "ecdsa-p256-sha256"],
    ["ec 384", { ...ecSpec, bits: 384 }, "ecdsa-p384-sha384"],
    ["rsa", rsaSpec, "rsa-pkcs1-sha256"],
    ["rsa", rsaSpec, "rsa-pss-sha256"],
  ] as const)("signs and verifies: %s %j %s", (_, spec, algorithm) => {
    const rig = fakeRig(new FakeToken());
    const key = generate(rig, "signer", spec);
    const message = bytesOf("a message");
    for (const format of ["der", "raw"] as const) {
      const sign = { kind: "sign", key, algorithm, format, message } as const;
      const signature = rig.value("bytes", sign).bytes;
      const verify = { kind: "verify", key, algorithm, format, message, signature } as const;
      expect(rig.value("verified", verify).valid).toBe(true);
      const other = { ...verify, message: bytesOf("another") };
      expect(rig.value("verified", other).valid).toBe(false);
      const cut = { ...verify, signature: signature.subarray(1) };
      expect(rig.value("verified", cut).valid).toBe(false);
    }
  });

  test("a key serves its purpose alone", () => {
    const rig = fakeRig(new FakeToken());
    const kek = generate(rig, "kek", kekSpec);
    const bytes = bytesOf("x");
    const associatedData = bytes;
    const asEncrypt = rig.ask({ kind: "encrypt", key: kek, associatedData, bytes });
    expect(asEncrypt).toMatchObject({ error: { code: "refusedByPolicy", policy: "P11" } });
    const liar = { ...kek, spec: { ...kek.spec, purpose: "encrypt" } } as const;
    expect(rig.code({ kind: "encrypt", key: liar, associatedData, bytes })).toBe("mismatch");
  });

  test.each([[false], [true]])("encrypts and decrypts, IV by the device: %s", (gcmPrepends) => {
    const profile = vendorProfile("softhsm", gcmPrepends ? { gcmIv: "prepended" } : {});
    const rig = fakeRig(new FakeToken(), { profile });
    const key = generate(rig, "data", aesSpec);
    const associatedData = bytesOf("header");
    for (const bytes of [new Uint8Array(0), bytesOf("plain")]) {
      const sealed = rig.value("bytes", { kind: "encrypt", key, associatedData, bytes }).bytes;
      const open = { kind: "decrypt", key, associatedData, bytes: sealed } as const;
      expect(rig.value("bytes", open).bytes).toEqual(bytes);
      const otherData = { ...open, associatedData: bytesOf("other") };
      expect(rig.code(otherData)).toBe("authenticationFailed");
      for (let at = 0; at < sealed.length; at += 7) {
        const bent = sealed.slice();
        bent[at]! ^= 1;
        expect(rig.code({ ...open, bytes: bent })).toBe("authenticationFailed");
      }
    }
    expect(rig.machine.state.mode).toBe("ready");
  });
});

describe("wrapping", () => {
  const gcmOff = [ckm.aesGcm];
  test.each([
    ["aes-kwp", [], kekSpec],
    ["aes-gcm", [ckm.aesKeyWrapPad], kekSpec],
    ["aes-cbc-pad-hmac", [ckm.aesKeyWrapPad, ...gcmOff], kekSpec],
    ["rsa-oaep-sha256", [], { ...rsaSpec, purpose: "wrap" }],
  ] as const)("by %s when %j is refused", (mechanism, refusedMechanisms, spec) => {
    const wraps = ["aes-kwp", "aes-gcm", "rsa-oaep-sha256", "aes-cbc-pad-hmac"] as const;
    const profile = vendorProfile("softhsm", { wraps });
    const canary = mechanism === "aes-cbc-pad-hmac" ? null : "quorumlab-canary";
    const rig = fakeRig(new FakeToken({ refusedMechanisms }), { profile, canary });
    const kek = generate(rig, "kek", spec);
    const bytes = Uint8Array.from({ length: 32 }, (_, at) => at);
    const material = { kind: "bytes", bytes } as const;
    const blob = rig.value("bytes", { kind: "wrap", kek, material }).bytes;
    expect(decodeBlob(blob)).toMatchObject({ mechanism, keyId: kek.id, label: "kek", version: 1 });
    const unwrap = { kind: "unwrap", kek, blob, into: { kind: "bytes" } } as const;
    expect(rig.value("bytes", unwrap).bytes).toEqual(bytes);
    for (let at = 0; at < blob.length; at += 5) {
      const bent = blob.slice();
      bent[at]! ^= 1;
      expect(rig.code({ ...unwrap, blob: bent }), `byte ${at}`).toBe("authenticationFailed");
    }
    const name = { label: "inner", version: 1 };
    const into = { kind: "key", name, spec: aesSpec } as const;
    const inner = rig.value("key", { kind: "unwrap", kek, blob, into }).key.reference;
    const plain = { associatedData: new Uint8Array(0), bytes: bytesOf("by a session key") };
    expect(rig.code({ kind: "unwrap", kek, blob, into })).toBe("refusedByPolicy");
    if (refusedMechanisms.length < 2) {
      const sealed = rig.value("bytes", { kind: "encrypt", key: inner, ...plain }).bytes;
      const open = { kind: "decrypt", key: inner, ...plain, bytes: sealed } as const;
      expect(rig.value("bytes", open).bytes).toEqual(plain.bytes);
    }
    expect(rig.machine.state.held.size).toBe(1);
    rig.value("done", { kind: "delete", key: inner, admin: adminSecret });
    expect(rig.machine.state.held.size).toBe(0);
  });

  test("an exportable key goes out and comes back", () => {
    const rig = fakeRig(new FakeToken());
    const kek = generate(rig, "kek", kekSpec);
    const key = generate(rig, "inner", { ...aesSpec, exportable: true });
    const secret = generate(rig, "stays", aesSpec);
    const blob = rig.value("bytes", { kind: "wrap", kek, material: { kind: "key", key } }).bytes;
    const into = { kind: "bytes" } as const;
    expect(rig.value("bytes", { kind: "unwrap", kek, blob, into }).bytes).toHaveLength(32);
    const refused = rig.ask({ kind: "wrap", kek, material: { kind: "key", key: secret } });
    expect(refused).toMatchObject({ error: { code: "refusedByPolicy", policy: "P12" } });
  });

  test("what a token pads in silence is never wrapped so", () => {
    const profile = vendorProfile("softhsm", { wraps: ["aes-kwp"] });
    const rig = fakeRig(new FakeToken({ padsInSilence: true }), { profile });
    const kek = generate(rig, "kek", kekSpec);
    const uneven = { kind: "bytes", bytes: new Uint8Array(31).fill(7) } as const;
    expect(rig.code({ kind: "wrap", kek, material: uneven })).toBe("unsupported");
    const even = { kind: "bytes", bytes: new Uint8Array(24).fill(7) } as const;
    expect(rig.code({ kind: "wrap", kek, material: even })).toBe("ok");
  });

  test("a token that cannot wrap encrypts, by a key that may do nothing else", () => {
    const profile = vendorProfile("softhsm", { wraps: ["aes-kwp", "encrypt-aes-gcm"] });
    const rig = fakeRig(new FakeToken({ refusedMechanisms: [ckm.aesKeyWrapPad] }), { profile });
    const kek = generate(rig, "kek", kekSpec);
    const bytes = new Uint8Array(32).fill(9);
    const blob = rig.value("bytes", {
      kind: "wrap",
      kek,
      material: { kind: "bytes", bytes },
    }).bytes;
    expect(decodeBlob(blob)!.mechanism).toBe("encrypt-aes-gcm");
    const into = { kind: "bytes" } as const;
    expect(rig.value("bytes", { kind: "unwrap", kek, blob, into }).bytes).toEqual(bytes);
    const [found] = rig.value("keys", { kind: "find", label: "kek" }).keys;
    expect(found!.attributes.uses).toEqual(["encrypt", "decrypt"]);
  });

  test("a token that keeps every key is given none to pass through, and keeps no trial's", () => {
    const token = new FakeToken({ tokenKeysOnly: true });
    const rig = fakeRig(token, { profile: vendorProfile("softhsm", { wraps: ["aes-kwp"] }) });
    const kek = generate(rig, "kek", kekSpec);
    const material = { kind: "bytes", bytes: new Uint8Array(32) } as const;
    expect(rig.code({ kind: "wrap", kek, material })).toBe("unsupported");
    rig.value("capabilities", { kind: "capabilities" });
    expect(token.labels(cko.secretKey)).toEqual(["quorumlab-canary", "kek-v1"]);
  });

  test("keys that others made are seen after a new initialisation, where it takes one", () => {
    const token = new FakeToken({ snapshots: true });
    const profile = vendorProfile("softhsm", { snapshotsObjects: true });
    const reader = fakeRig(token, { profile });
    reader.value("done", { kind: "open" });
    const key = generate(fakeRig(token), "data", aesSpec);
    const plain = { associatedData: new Uint8Array(0), bytes: bytesOf("x") };
    reader.run(20_000_000);
    expect(reader.code({ kind: "encrypt", key, ...plain })).toBe("ok");
  });

  test("a data key is for the port around it", () => {
    const rig = fakeRig(new FakeToken());
    const kek = generate(rig, "kek", kekSpec);
    const dataKey = { kind: "dataKey", id: "00" as never } as const;
    expect(rig.code({ kind: "wrap", kek, material: dataKey })).toBe("badInput");
  });
});

describe("deletion", () => {
  test("is for administrators, and leaves the name taken", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    const key = generate(rig, "signer", ecSpec);
    expect(rig.code({ kind: "delete", key, admin: "guess" })).toBe("notAdmin");
    rig.value("done", { kind: "delete", key, admin: adminSecret });
    expect(token.labels(cko.privateKey)).toEqual([]);
    expect(token.labels(cko.publicKey)).toEqual([]);
    expect(token.labels(cko.data)).toEqual(["signer-v1-gone"]);
    expect(rig.code({ kind: "delete", key, admin: adminSecret })).toBe("notFound");
    const again = fakeRig(token);
    const name = { label: "signer", version: 1 };
    const make = { kind: "generate", name, spec: ecSpec, ifMissing: true } as const;
    expect(again.ask(make)).toMatchObject({ error: { code: "refusedByPolicy", policy: "P19" } });
  });

  test("is remembered where the token has no data objects", () => {
    const rig = fakeRig(new FakeToken({ noDataObjects: true }));
    const key = generate(rig, "kek", kekSpec);
    rig.value("done", { kind: "delete", key, admin: adminSecret });
    const name = { label: "kek", version: 1 };
    const make = { kind: "generate", name, spec: kekSpec, ifMissing: true } as const;
    expect(rig.code(make)).toBe("refusedByPolicy");
  });
});

describe("what is refused", () => {
  test("a key that is not as asked is destroyed again", () => {
    const forced = [{ type: cka.extractable, value: true }];
    const token = new FakeToken({ forcesAttributes: forced });
    const rig = fakeRig(token);
    const name = { label: "kek", version: 1 };
    expect(rig.code({ kind: "generate", name, spec: kekSpec, ifMissing: false })).toBe("mismatch");
    expect(token.labels(cko.secretKey)).toEqual(["quorumlab-canary"]);
    expect(rig.events).toContainEqual({ name: "keyRefused", label: "kek", version: 1 });
  });

  test("two keys of one id or one name", () => {
    const token = new FakeToken();
    const rig = fakeRig(token);
    const key = generate(rig, "kek", kekSpec);
    const [object] = [...token.objects].filter(
      ({ attributes }) => Buffer.from(attributes.get(cka.label) ?? []).toString() === "kek-v1",
    );
    token.objects.add({ ...object!, attributes: new Map(object!.attributes) });
    const other = fakeRig(token);
    const material = { kind: "bytes", bytes: new Uint8Array(32) } as const;
    expect(other.code({ kind: "wrap", kek: key, material })).toBe("ambiguous");
    const name = { label: "kek", version: 1 };
    const make = { kind: "generate", name, spec: kekSpec, ifMissing: true } as const;
    expect(other.code(make)).toBe("ambiguous");
    expect(other.value("keys", { kind: "find", label: "kek" }).keys).toHaveLength(2);
  });

  test("a reference that does not fit what is there", () => {
    const rig = fakeRig(new FakeToken());
    const key = generate(rig, "signer", ecSpec);
    const sign = { algorithm: "ecdsa-p256-sha256", format: "raw", message: bytesOf("m") } as const;
    const wrongs: readonly Partial<KeyReference>[] = [
      { label: "other" },
      { version: 2 },
      { publicDigest: "0".repeat(64) },
      { spec: { ...ecSpec, exportable: true } },
    ];
    for (const wrong of wrongs) {
      expect(rig.code({ kind: "sign", key: { ...key, ...wrong }, ...sign })).toBe("mismatch");
    }
    const nowhere = { ...key, id: "ab".repeat(16) };
    expect(rig.code({ kind: "sign", key: nowhere, ...sign })).toBe("notFound");
    expect(rig.code({ kind: "sign", key: { ...key, id: "zz" }, ...sign })).toBe("badInput");
  });

  test.each([
    [{ label: "a.b", version: 1 }, kekSpec, "badInput"],
    [{ label: "", version: 1 }, kekSpec, "badInput"],
    [{ label: "x".repeat(49), version: 1 }, kekSpec, "badInput"],
    [{ label: "a", version: 0 }, kekSpec, "badInput"],
    [{ label: "a", version: 1.5 }, kekSpec, "badInput"],
    [{ label: "a", version: 1 }, { ...kekSpec, bits: 128 }, "badInput"],
    [{ label: "a", version: 1 }, { ...rsaSpec, bits: 1024 }, "refusedByPolicy"],
    [{ label: "a", version: 1 }, { ...ecSpec, purpose: "wrap" }, "badInput"],
  ] as const)("names and kinds of keys: %j %j %s", (name, spec, code) => {
    const rig = fakeRig(new FakeToken());
    expect(rig.code({ kind: "generate", name, spec, ifMissing: false })).toBe(code);
  });

  test("too many at once", () => {
    const rig = fakeRig(new FakeToken(), { limits: { queueMax: 3 } });
    const ops = [1, 2, 3, 4, 5].map(() => rig.send({ kind: "find" }));
    rig.run(5_000_000);
    const codes = ops.map((op) => {
      const result = rig.result(op);
      return result.ok ? "ok" : result.error.code;
    });
    expect(codes).toEqual(["ok", "ok", "ok", "overloaded", "overloaded"]);
  });
});
