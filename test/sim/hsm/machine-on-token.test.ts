/** The machine of the core and the simulated token, driven together. */
import { describe, expect, it } from "vitest";
import { vendorProfile } from "../../../src/core/hsm/profiles/index.js";
import type { KeySpec } from "../../../src/core/hsm/keys.js";
import { cheapCrypto } from "../../../src/sim/hsm/cheap-crypto.js";
import { realCrypto } from "../../../src/sim/hsm/real-crypto.js";
import { type Rig, adminSecret } from "../../core/hsm/rig.js";
import { type RigModule, spec, tokenRig } from "./token-rig.js";

const bytes = new TextEncoder().encode(
  "what nobody else may read: 64 bytes, or a few more than that",
);
const none = new Uint8Array(0);

function make(rig: Rig<RigModule>, label: string, wanted: KeySpec) {
  const name = { label, version: 1 };
  return rig.value("key", { kind: "generate", name, spec: wanted, ifMissing: false }).key;
}

describe.each([
  ["cheap", cheapCrypto],
  ["real", realCrypto],
])("the machine on a simulated SoftHSM with %s cryptography", (_, crypto) => {
  const { rig, token } = tokenRig({ profile: vendorProfile("softhsm"), crypto });

  it("opens, and knows by trial what SoftHSM 2.6.1 can do", () => {
    rig.value("done", { kind: "open" });
    const { capabilities } = rig.value("capabilities", { kind: "capabilities" });
    const works = Object.fromEntries(
      capabilities.map(({ name, works: does, rv }) => [name, does || rv]),
    );
    expect(works).toEqual({
      "generate session key": true,
      "data object": true,
      "import secret": true,
      "rename key": true,
      "encrypt aes-gcm": true,
      "wrap encrypt-aes-gcm": true,
      "wrap aes-kwp": true,
      // It comes back longer than it went.
      "wrap aes-kwp of any length": 0,
      "wrap aes-gcm": 0x70,
      "wrap aes-cbc-pad-hmac": 0x70,
      "sign ecdsa-p256-sha256": true,
      "sign ecdsa-p384-sha384": true,
      "sign rsa-pkcs1-sha256": true,
      "sign rsa-pss-sha256": true,
      "wrap rsa-oaep-sha256": 0x7,
      "wrap rsa-oaep-sha1": true,
    });
  });

  it("signs with each kind of pair, and tells a false signature", () => {
    for (const [label, bits, algorithm] of [
      ["rsa", 2048, "rsa-pkcs1-sha256"],
      ["rsa", 2048, "rsa-pss-sha256"],
      ["ec", 256, "ecdsa-p256-sha256"],
      ["ec", 384, "ecdsa-p384-sha384"],
    ] as const) {
      const key = make(rig, `${algorithm}-${label}`, spec(label, bits, "sign")).reference;
      for (const format of label === "ec" ? (["raw", "der"] as const) : (["raw"] as const)) {
        const asked = { key, algorithm, format, message: bytes };
        const signed = rig.value("bytes", { kind: "sign", ...asked });
        const valid = (signature: Uint8Array, message = bytes): boolean =>
          rig.value("verified", { kind: "verify", ...asked, message, signature }).valid;
        expect(valid(signed.bytes)).toBe(true);
        expect(valid(signed.bytes, bytes.slice(1))).toBe(false);
        const wrong = signed.bytes.slice();
        wrong[wrong.length - 1]! ^= 1;
        expect(valid(wrong)).toBe(false);
      }
    }
  });

  it("encrypts, and rejects what was touched", () => {
    const key = make(rig, "data", spec("aes", 256, "encrypt")).reference;
    const sealed = rig.value("bytes", { kind: "encrypt", key, associatedData: none, bytes });
    const open = (blob: Uint8Array, associatedData = none) =>
      rig.ask({ kind: "decrypt", key, associatedData, bytes: blob });
    expect(open(sealed.bytes)).toEqual({ ok: true, value: { kind: "bytes", bytes } });
    for (let at = 0; at < sealed.bytes.length; at++) {
      const touched = sealed.bytes.slice();
      touched[at]! ^= 0x10;
      expect(open(touched)).toMatchObject({ error: { code: "authenticationFailed" } });
    }
    expect(open(sealed.bytes, bytes)).toMatchObject({ error: { code: "authenticationFailed" } });
  });

  it("wraps and unwraps by KWP and by OAEP", () => {
    for (const [label, kekSpec] of [
      ["kek-aes", spec("aes", 256, "wrap")],
      ["kek-rsa", spec("rsa", 3072, "wrap")],
    ] as const) {
      const kek = make(rig, label, kekSpec).reference;
      const secret = bytes.slice(0, 32);
      const material = { kind: "bytes", bytes: secret } as const;
      const { bytes: blob } = rig.value("bytes", { kind: "wrap", kek, material });
      const into = { kind: "bytes" } as const;
      expect(rig.value("bytes", { kind: "unwrap", kek, blob, into }).bytes).toEqual(secret);
      const touched = blob.slice();
      touched[touched.length - 1]! ^= 1;
      expect(rig.code({ kind: "unwrap", kek, blob: touched, into })).toBe("authenticationFailed");
      const name = { label: `${label}-in`, version: 1 };
      const key = { kind: "key", name, spec: spec("aes", 256, "encrypt") } as const;
      const inside = rig.value("key", { kind: "unwrap", kek, blob, into: key }).key;
      expect(inside.attributes).toMatchObject({
        token: false,
        local: false,
        alwaysSensitive: false,
      });
    }
  });

  it("finds its keys in a new process, deletes them, and is healthy", () => {
    rig.die();
    const { keys } = rig.value("keys", { kind: "find" });
    const labels = keys.map(({ reference }) => reference.label).toSorted();
    expect(labels).toEqual([
      "data",
      "ecdsa-p256-sha256-ec",
      "ecdsa-p384-sha384-ec",
      "kek-aes",
      "kek-rsa",
      "rsa-pkcs1-sha256-rsa",
      "rsa-pss-sha256-rsa",
    ]);
    for (const { reference: key } of keys) {
      rig.value("done", { kind: "delete", key, admin: adminSecret });
    }
    expect(rig.value("keys", { kind: "find" }).keys).toEqual([]);
    expect(rig.value("health", { kind: "health" }).health.working).toBe(true);
    // The canary, and a tombstone for each key.
    expect(token.objects.size).toBe(1 + keys.length);
  });
});
