/** What is peculiar to each vendor's module, and that the machine gets along with it. */
import { describe, expect, it } from "vitest";
import { utf8Encode } from "../../../src/core/bytes.js";
import type { Template } from "../../../src/core/hsm/cryptoki/calls.js";
import {
  cka,
  ckm,
  ckr,
  vendorAttribute,
  vendorMechanism,
} from "../../../src/core/hsm/cryptoki/constants.js";
import type { KeySpec } from "../../../src/core/hsm/keys.js";
import type { VendorName } from "../../../src/core/hsm/profile.js";
import { vendorProfile, vendorProfiles } from "../../../src/core/hsm/profiles/index.js";
import { type Rig, adminSecret } from "../../core/hsm/rig.js";
import { Client } from "./client.js";
import { type RigModule, newToken, spec, tokenRig } from "./token-rig.js";

const none = new Uint8Array(0);
const secret = new Uint8Array(32).map((_, at) => 3 * at + 1);

function make(rig: Rig<RigModule>, label: string, wanted: KeySpec) {
  const name = { label, version: 1 };
  return rig.value("key", { kind: "generate", name, spec: wanted, ifMissing: true }).key.reference;
}

function capabilities(rig: Rig<RigModule>): string[] {
  const found = rig.value("capabilities", { kind: "capabilities" }).capabilities;
  return found.filter(({ works }) => works).map(({ name }) => name);
}

const signing = ["rsa-pkcs1-sha256", "rsa-pss-sha256", "ecdsa-p256-sha256", "ecdsa-p384-sha384"];
const signs = signing.map((name) => `sign ${name}`);
const imports = ["generate session key", "data object", "import secret", "rename key"];
const full = [
  ...imports,
  ...signs,
  "encrypt aes-gcm",
  "wrap encrypt-aes-gcm",
  "wrap aes-kwp",
  "wrap aes-kwp of any length",
  "wrap aes-gcm",
  "wrap aes-cbc-pad-hmac",
  "wrap rsa-oaep-sha256",
  "wrap rsa-oaep-sha1",
];
const expected: Readonly<Record<Exclude<VendorName, "google-cloud-hsm">, readonly string[]>> = {
  softhsm: full.filter(
    (name) =>
      !["wrap aes-kwp of any length", "wrap aes-gcm", "wrap aes-cbc-pad-hmac"].includes(name) &&
      name !== "wrap rsa-oaep-sha256",
  ),
  "aws-cloudhsm": full.filter((name) => name !== "wrap aes-cbc-pad-hmac"),
  "thales-luna": full,
  "azure-dedicated-hsm": full,
  "ncipher-nshield": full,
  yubihsm2: [...imports, ...signs],
  generic: full,
};

describe.each(Object.keys(expected) as (keyof typeof expected)[])("%s", (vendor) => {
  const profile = vendorProfile(vendor);

  it("does what its profile says, and no more", () => {
    const { rig } = tokenRig({ profile });
    rig.value("done", { kind: "open" });
    expect(capabilities(rig).toSorted()).toEqual([...expected[vendor]].toSorted());
  });

  it("keeps keys that the next process finds, uses and deletes", () => {
    const { rig } = tokenRig({ profile });
    const rsa = make(rig, "signer", spec("rsa", 2048, "sign"));
    const message = secret;
    const asked = { key: rsa, algorithm: "rsa-pss-sha256", format: "raw", message } as const;
    const { bytes: signature } = rig.value("bytes", { kind: "sign", ...asked });
    rig.die();
    expect(rig.value("verified", { kind: "verify", ...asked, signature }).valid).toBe(true);
    expect(rig.value("keys", { kind: "find" }).keys).toHaveLength(1);
    rig.value("done", { kind: "delete", key: rsa, admin: adminSecret });
    expect(rig.code({ kind: "sign", ...asked })).toBe("notFound");
    expect(rig.value("health", { kind: "health" }).health.working).toBe(true);
  });

  // A YubiHSM does none of it by standard mechanisms.
  if (vendor === "yubihsm2") return;

  it("wraps, unwraps and encrypts", () => {
    const { rig } = tokenRig({ profile });
    for (const kekSpec of [spec("aes", 256, "wrap"), spec("rsa", 2048, "wrap")]) {
      const kek = make(rig, `kek-${kekSpec.algorithm}`, kekSpec);
      const material = { kind: "bytes", bytes: secret } as const;
      const { bytes: blob } = rig.value("bytes", { kind: "wrap", kek, material });
      const into = { kind: "bytes" } as const;
      expect(rig.value("bytes", { kind: "unwrap", kek, blob, into }).bytes).toEqual(secret);
      const key = {
        kind: "key",
        name: { label: `in-${kekSpec.algorithm}`, version: 1 },
        spec: spec("aes", 256, "encrypt"),
      } as const;
      const held = rig.value("key", { kind: "unwrap", kek, blob, into: key }).key;
      expect(held.reference.spec).toEqual(key.spec);
    }
    const key = make(rig, "data", spec("aes", 256, "encrypt"));
    const sealing = { key, associatedData: none } as const;
    const { bytes } = rig.value("bytes", { kind: "encrypt", ...sealing, bytes: secret });
    expect(rig.value("bytes", { kind: "decrypt", ...sealing, bytes }).bytes).toEqual(secret);
  });
});

describe("google-cloud-hsm", () => {
  const profile = vendorProfile("google-cloud-hsm");

  it("has keys by label and algorithm alone, and wraps by encrypting", () => {
    const { rig, token } = tokenRig({ profile });
    const kek = make(rig, "kek", spec("aes", 256, "wrap"));
    const material = { kind: "bytes", bytes: secret } as const;
    const { bytes: blob } = rig.value("bytes", { kind: "wrap", kek, material });
    rig.die();
    const into = { kind: "bytes" } as const;
    expect(rig.value("bytes", { kind: "unwrap", kek, blob, into }).bytes).toEqual(secret);
    const rsa = make(rig, "rsa", spec("rsa", 3072, "wrap"));
    const { bytes: block } = rig.value("bytes", { kind: "wrap", kek: rsa, material });
    expect(rig.value("bytes", { kind: "unwrap", kek: rsa, blob: block, into }).bytes).toEqual(
      secret,
    );
    const ec = make(rig, "ec", spec("ec", 384, "sign"));
    const algorithm = "ecdsa-p384-sha384";
    const asked = { key: ec, algorithm, format: "der", message: secret } as const;
    const { bytes: signature } = rig.value("bytes", { kind: "sign", ...asked });
    expect(rig.value("verified", { kind: "verify", ...asked, signature }).valid).toBe(true);
    expect(token.objects.size).toBeGreaterThanOrEqual(5);
  });
});

describe("peculiarities", () => {
  it("libkmsp11 makes keys by label and number, with ids of its own, and lacks functions", () => {
    const client = new Client(vendorProfile("google-cloud-hsm"), false);
    const { session } = client;
    const mechanism = { type: ckm.aesKeyGen };
    const label = { type: cka.label, value: utf8Encode("kek-v1") };
    const number = { type: vendorAttribute.cloudkmsAlgorithm, value: 19 };
    const generate = { fn: "generateKey", session, mechanism } as const;
    const key = client.value({ ...generate, template: [label, number] });
    const types = [cka.id, cka.encrypt, cka.wrap, cka.token];
    const [id, ...flags] = client.value({ fn: "attributes", session, object: key, types });
    expect(id).toHaveLength(24);
    expect(flags.map((flag) => flag[0])).toEqual([1, 0, 1]);
    const rv = (...template: Template): number => client.rv({ ...generate, template });
    expect(rv(label, number)).toBe(ckr.attributeValueInvalid);
    expect(rv(number)).toBe(ckr.templateIncomplete);
    expect(rv(label)).toBe(ckr.templateIncomplete);
    expect(rv({ ...label, value: utf8Encode("a b") }, number)).toBe(ckr.attributeValueInvalid);
    expect(rv({ ...label, value: utf8Encode("other") }, { ...number, value: 12 })).toBe(
      ckr.templateInconsistent,
    );
    expect(rv(label, number, { type: cka.token, value: true })).toBe(ckr.templateInconsistent);
    const data = secret;
    const parameter = { kind: "gcm", iv: null, associatedData: none, tagBits: 128 } as const;
    const gcm = { type: vendorMechanism.cloudkmsAesGcm, parameter };
    const sealed = client.value({ fn: "encrypt", session, mechanism: gcm, key, data });
    expect(sealed).toHaveLength(12 + 32 + 16);
    const iv = sealed.slice(0, 12);
    const back = { type: gcm.type, parameter: { ...parameter, iv } };
    const opening = { fn: "decrypt", session, mechanism: back, key } as const;
    expect(client.value({ ...opening, data: sealed.slice(12) })).toEqual(data);
    const given = { ...gcm, parameter: { ...parameter, iv: iv.map(() => 1) } };
    expect(client.rv({ fn: "encrypt", session, mechanism: given, key, data })).toBe(
      ckr.mechanismParamInvalid,
    );
    expect(client.rv({ fn: "createObject", session, template: [] })).toBe(ckr.functionNotSupported);
    expect(client.rv({ fn: "generateRandom", session, lengthBytes: 7 })).toBe(ckr.argumentsBad);
  });

  it("CloudHSM puts its IV in front, keeps labels and ids unique, and takes 16 KB", () => {
    const client = new Client(vendorProfile("aws-cloudhsm"));
    const { session } = client;
    const template = (label: string, id: number): Template => [
      ...client.aesTemplate,
      { type: cka.token, value: true },
      { type: cka.label, value: utf8Encode(label) },
      { type: cka.id, value: Uint8Array.of(id) },
    ];
    const key = client.generate(template("a", 1));
    for (const taken of [template("a", 2), template("b", 1)]) {
      const mechanism = { type: ckm.aesKeyGen };
      const call = { fn: "generateKey", session, mechanism, template: taken } as const;
      expect(client.rv(call)).toBe(ckr.attributeValueInvalid);
    }
    const parameter = { kind: "gcm", iv: null, associatedData: none, tagBits: 128 } as const;
    const mechanism = { type: vendorMechanism.cloudhsmAesGcm, parameter };
    const crypt = { session, mechanism, key } as const;
    const data = client.value({ fn: "encrypt", ...crypt, data: secret });
    expect(data).toHaveLength(12 + 32 + 16);
    expect(client.value({ fn: "decrypt", ...crypt, data })).toEqual(secret);
    const long = new Uint8Array(16_385);
    expect(client.rv({ fn: "encrypt", ...crypt, data: long })).toBe(ckr.dataLenRange);
    // The standard's mechanism wants room for the IV, zeroed.
    const standard = (iv: Uint8Array) => ({ type: ckm.aesGcm, parameter: { ...parameter, iv } });
    const encrypt = (iv: Uint8Array): number =>
      client.rv({ fn: "encrypt", ...crypt, mechanism: standard(iv), data: secret });
    expect(encrypt(new Uint8Array(12))).toBe(ckr.ok);
    expect(encrypt(new Uint8Array(12).fill(1))).toBe(ckr.mechanismParamInvalid);
  });

  it("Luna wants CKA_VALUE_LEN on C_UnwrapKey, and the right one", () => {
    const client = new Client(vendorProfile("thales-luna"));
    const { session } = client;
    const kek = client.generate(client.aesTemplate);
    const key = client.generate([...client.aesTemplate, { type: cka.extractable, value: true }]);
    const mechanism = { type: ckm.aesKeyWrapKwp };
    const wrapped = client.value({ fn: "wrapKey", session, mechanism, wrappingKey: kek, key });
    const unwrap = (...more: Template): number =>
      client.rv({
        fn: "unwrapKey",
        session,
        mechanism,
        unwrappingKey: kek,
        wrapped,
        template: [...client.aesTemplate.slice(0, 2), ...more],
      });
    expect(unwrap()).toBe(ckr.templateIncomplete);
    expect(unwrap({ type: cka.valueLen, value: 16 })).toBe(ckr.wrappedKeyLenRange);
    expect(unwrap({ type: cka.valueLen, value: 32 })).toBe(ckr.ok);
  });

  it("modules with a snapshot see the keys of others after C_Initialize alone", () => {
    const profile = vendorProfile("ncipher-nshield");
    const token = newToken();
    const [one, two] = [1, 2].map((seed) => tokenRig({ profile, token, seed }).rig);
    two!.value("done", { kind: "open" });
    make(one!, "late", spec("ec", 256, "sign"));
    expect(two!.value("keys", { kind: "find" }).keys).toEqual([]);
    two!.die();
    expect(two!.value("keys", { kind: "find" }).keys).toHaveLength(1);
  });

  it("sessions of a YubiHSM die of idleness, and their places come back with C_Finalize alone", () => {
    const profile = vendorProfile("yubihsm2");
    const { rig } = tokenRig({ profile });
    const key = make(rig, "signer", spec("ec", 256, "sign"));
    const sign = {
      kind: "sign",
      key,
      algorithm: "ecdsa-p256-sha256",
      format: "raw",
      message: secret,
    } as const;
    for (let hour = 0; hour < 3; hour++) {
      rig.run(3_600_000_000);
      expect(rig.value("bytes", sign).bytes).toHaveLength(64);
    }
    const { sim } = rig.module!;
    expect(sim.sessions).toBeLessThanOrEqual(profile.sessionsMax!);
  });

  it("a PIN is locked after as many wrong ones as the profile says", () => {
    for (const { vendor, lockOut } of Object.values(vendorProfiles)) {
      const token = newToken();
      token.pin = "another";
      const { rig } = tokenRig({ profile: vendorProfile(vendor), token });
      const opened = rig.ask({ kind: "open" });
      // Sent once, whatever is left: and never looked at by those that ignore it.
      expect([vendor, opened.ok]).toEqual([vendor, vendor === "google-cloud-hsm"]);
      expect(token.wrongPins).toBe(vendor === "google-cloud-hsm" ? 0 : 1);
      expect(token.locked).toBe(lockOut?.attempts === 1);
    }
  });
});
