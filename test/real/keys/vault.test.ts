/** The `Aead` port of the real world. */
import { constants, generateKeyPairSync, privateDecrypt, type KeyObject } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, inject, test } from "vitest";
import type { DataKeyId } from "../../../src/core/ports/aead.js";
import { decodeBlob } from "../../../src/core/hsm/blob.js";
import { dataKeysOf, Vault } from "../../../src/real/keys/vault.js";
import { Xaes } from "../../../src/real/keys/xaes.js";
import { newAdminCapability } from "../../../src/real/keys/admin.js";
import { Pkcs11Hsm } from "../../../src/real/keys/pkcs11/pkcs11-hsm.js";
import { generate, rsaWrap } from "../../conformance/hsm-kit.js";
import { subjectOf } from "../../conformance/hsm-subjects.js";
import { makePlace } from "./pkcs11/driver.js";

const text = (written: string): Uint8Array => new Uint8Array(Buffer.from(written));
const header = text("header");

describe("vault", () => {
  test("what is sealed opens, over the same header, under the same key, and grows by 40 bytes", () => {
    const vault = new Vault();
    const [key, other] = [vault.generate(), vault.generate()];
    for (const length of [0, 1, 4096]) {
      const plaintext = new Uint8Array(length).fill(7);
      const sealed = vault.seal(key, header, plaintext);
      expect(sealed.length).toBe(length + vault.sealBytes);
      expect(vault.open(key, header, sealed)).toEqual(plaintext);
      expect(vault.open(key, text("another"), sealed)).toBeNull();
      expect(vault.open(other, header, sealed)).toBeNull();
      for (const at of [0, 23, 24, sealed.length - 1]) {
        expect(vault.open(key, header, sealed.with(at, sealed[at]! ^ 1))).toBeNull();
      }
      expect(vault.open(key, header, sealed.subarray(0, 39))).toBeNull();
    }
  });

  test("nonces: a prefix for each vault, a count over all its keys", () => {
    const nonces = new Set<string>();
    const prefixes = new Set<string>();
    for (const vault of [new Vault(), new Vault()]) {
      for (const key of [vault.generate(), vault.generate()]) {
        for (let n = 0; n < 100; n++) {
          const nonce = Buffer.from(vault.seal(key, header, header).subarray(0, 24));
          nonces.add(nonce.toString("hex"));
          prefixes.add(nonce.subarray(0, 16).toString("hex"));
        }
      }
    }
    expect([nonces.size, prefixes.size]).toEqual([400, 2]);
  });

  test("it is XAES-256-GCM, as anyone else computes it", () => {
    const vault = new Vault();
    const key = vault.generate();
    const sealed = vault.seal(key, header, text("entry"));
    const xaes = new Xaes(dataKeysOf(vault).bytesOf(key)!);
    expect(xaes.open(sealed.subarray(0, 24), header, sealed.subarray(24))).toEqual(text("entry"));
  });

  test("dropped: not held, its bytes wiped, and using it is a fault", () => {
    const vault = new Vault();
    const key = vault.generate();
    const bytes = dataKeysOf(vault).bytesOf(key)!;
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    vault.drop(key);
    vault.drop("unknown" as DataKeyId);
    expect([vault.holds(key), bytes.every((byte) => byte === 0)]).toEqual([false, true]);
    expect(() => vault.seal(key, header, header)).toThrow("data keys that are held");
    const others = [vault.generate(), vault.generate()];
    vault.close();
    expect(others.filter((each) => vault.holds(each))).toEqual([]);
  });

  test("a vault shows no key to whoever prints it", () => {
    const vault = new Vault();
    const bytes = Buffer.from(dataKeysOf(vault).bytesOf(vault.generate())!);
    const printed = inspect(vault, { depth: 10, showHidden: true }) + JSON.stringify(vault);
    expect(printed).not.toContain(bytes.toString("hex"));
    expect(printed).not.toContain([...bytes.subarray(0, 4)].join(", "));
  });

  test("wrapFor: the owner of the private key has the data key; other keys are refused", () => {
    const vault = new Vault();
    const key = vault.generate();
    const owner = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const spkiOf = (of: KeyObject): Uint8Array => of.export({ type: "spki", format: "der" });
    const { body } = decodeBlob(vault.wrapFor(key, spkiOf(owner.publicKey))!)!;
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const unwrapped = privateDecrypt({ key: owner.privateKey, padding, oaepHash: "sha256" }, body);
    expect(unwrapped.equals(dataKeysOf(vault).bytesOf(key)!)).toBe(true);
    const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pkcs8 = owner.privateKey.export({ type: "pkcs8", format: "der" });
    const wrong = [
      spkiOf(weak.publicKey),
      spkiOf(ec.publicKey),
      pkcs8,
      text("x"),
      text(""),
      new Uint8Array(5000),
    ];
    for (const publicKey of wrong) expect(vault.wrapFor(key, publicKey)).toBeNull();
  });

  test.skipIf(inject("softhsm") === null)(
    "a data key goes to the owner of a token, through that token",
    async () => {
      const place = await makePlace(inject("softhsm")!);
      const { limits: _, ...module } = place.options;
      const slot = { by: "label", label: place.token.label } as const;
      const theirs = new Vault();
      const node = subjectOf({
        connect: (events) => new Pkcs11Hsm({ ...module, slot, vault: theirs }, events),
        admin: newAdminCapability(),
        rsaBits: [],
        clean: () => place.remove(),
      });
      const { reference: kek, publicKey } = await generate(node, rsaWrap);
      // Up to 2.7.0 SoftHSM has OAEP with SHA-1 alone.
      for (const wrapsBy of ["rsa-oaep-sha1", "rsa-oaep-sha256"] as const) {
        const ours = new Vault({ wrapsBy });
        const id = ours.generate();
        const sealed = ours.seal(id, header, text("entry"));
        const blob = ours.wrapFor(id, publicKey!)!;
        const into = { kind: "dataKey", id } as const;
        const answer = await node.ask({ kind: "unwrap", kek, blob, into });
        if (wrapsBy === "rsa-oaep-sha1") expect(answer.ok).toBe(true);
        if (answer.ok) expect(theirs.open(id, header, sealed)).toEqual(text("entry"));
      }
      await node.close();
    },
  );
});
