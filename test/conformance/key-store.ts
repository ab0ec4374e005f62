/**
 * What every `KeyStore` does, as those see it who import it: promises, one error, an end. What keys do is in
 * the checks of the port; here each operation is reached once through the store, and refused once.
 */
import { createPublicKey, randomBytes, verify } from "node:crypto";
import { expect } from "vitest";
import type { KeyReference } from "../../src/core/hsm/keys.js";
import type { HsmErrorCode } from "../../src/core/ports/hsm.js";
import {
  KeyStoreError,
  type AdminCapability,
  type EnvelopeKeyStore,
} from "../../src/real/keys/key-store.js";
import { encryptSpec, exportableSpec, newLabel, p256, random, text, wrapSpec } from "./hsm-kit.js";

export interface StoreSubject {
  readonly store: EnvelopeKeyStore;
  readonly admin: AdminCapability;
}

export interface StoreCheck {
  readonly name: string;
  readonly check: (subject: StoreSubject) => Promise<void>;
}

async function refusedWith(promise: Promise<unknown>, ...codes: HsmErrorCode[]): Promise<void> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KeyStoreError);
  expect(codes).toContain((error as KeyStoreError).code);
}

const one = (): { label: string; version: number } => ({ label: newLabel(), version: 1 });

export const storeChecks: readonly StoreCheck[] = [
  {
    name: "names: generated, found, listed; missing is notFound",
    check: async ({ store }) => {
      const name = one();
      await refusedWith(store.find(name), "notFound");
      const made = await store.generate(name, encryptSpec);
      expect(await store.find(name)).toEqual(made);
      expect(await store.list(name.label)).toEqual([made]);
      const again = await store.generate(name, encryptSpec, { ifMissing: true });
      expect(again.reference).toEqual(made.reference);
      await refusedWith(store.generate(name, wrapSpec, { ifMissing: true }), "mismatch");
      await refusedWith(store.find({ ...name, version: 2 }), "notFound");
      await refusedWith(store.find({ label: "no label", version: 1 }), "badInput");
    },
  },
  {
    name: "sign: DER unless raw is asked for, and verify",
    check: async ({ store }) => {
      const { reference, publicKey } = await store.generate(one(), p256);
      const algorithm = "ecdsa-p256-sha256";
      const message = text("signed");
      const key = createPublicKey({ key: Buffer.from(publicKey!), format: "der", type: "spki" });
      const der = await store.sign(reference, algorithm, message);
      expect(verify("sha256", message, { key, dsaEncoding: "der" }, der)).toBe(true);
      const raw = await store.sign(reference, algorithm, message, "raw");
      expect(verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, raw)).toBe(true);
      expect(await store.verify(reference, algorithm, message, der)).toBe(true);
      expect(await store.verify(reference, algorithm, message, raw, "raw")).toBe(true);
      expect(await store.verify(reference, algorithm, text("other"), der)).toBe(false);
      await refusedWith(
        store.sign(reference, "rsa-pss-sha256", message),
        "badInput",
        "refusedByPolicy",
        "unsupported",
      );
    },
  },
  {
    name: "encrypt: with associated data and without",
    check: async ({ store }) => {
      const { reference } = await store.generate(one(), encryptSpec);
      const plaintext = random(100);
      const blob = await store.encrypt(reference, plaintext);
      expect([...(await store.decrypt(reference, blob))]).toEqual([...plaintext]);
      await refusedWith(store.decrypt(reference, blob, text("x")), "authenticationFailed");
      const bound = await store.encrypt(reference, plaintext, text("x"));
      expect([...(await store.decrypt(reference, bound, text("x")))]).toEqual([...plaintext]);
      await refusedWith(store.decrypt(reference, bound), "authenticationFailed");
      await refusedWith(store.decrypt(reference, new Uint8Array(0)), "authenticationFailed");
    },
  },
  {
    name: "envelopes: bytes and keys, wrapped and unwrapped",
    check: async ({ store }) => {
      const { reference: kek } = await store.generate(one(), wrapSpec);
      const bytes = random(32);
      const blob = await store.wrap(kek, bytes);
      expect([...(await store.unwrapToBytes(kek, blob))]).toEqual([...bytes]);
      const { reference: key } = await store.unwrapToKey(kek, blob, one(), exportableSpec);
      const again = await store.wrap(kek, key);
      expect([...(await store.unwrapToBytes(kek, again))]).toEqual([...bytes]);
      const spoilt = blob.with(-1, blob.at(-1)! ^ 1);
      await refusedWith(store.unwrapToBytes(kek, spoilt), "authenticationFailed");
      await refusedWith(store.unwrapToKey(kek, spoilt, one(), encryptSpec), "authenticationFailed");
      await refusedWith(store.wrap(kek, kek), "refusedByPolicy");
    },
  },
  {
    name: "delete: with the capability, and then it is not found",
    check: async ({ store, admin }) => {
      const name = one();
      const { reference } = await store.generate(name, encryptSpec);
      await refusedWith(store.delete(reference, { secret: `${admin.secret}x` }), "notAdmin");
      await refusedWith(store.delete(reference, undefined as never), "notAdmin");
      await store.encrypt(reference, random(1));
      await store.delete(reference, admin);
      await refusedWith(store.find(name), "notFound");
      await refusedWith(store.encrypt(reference, random(1)), "notFound");
      const stranger: KeyReference = { ...reference, id: randomBytes(16).toString("hex") };
      await refusedWith(store.delete(stranger, admin), "notFound");
    },
  },
  {
    name: "capabilities and health",
    check: async ({ store }) => {
      const capabilities = await store.capabilities();
      expect(capabilities.filter(({ works }) => works).length).toBeGreaterThan(0);
      expect((await store.health()).working).toBe(true);
    },
  },
];

/** Last, for it ends the store. */
export async function checkClose({ store }: StoreSubject): Promise<void> {
  const waiting = store.generate(one(), encryptSpec).then(
    () => "done",
    (error: unknown) => (error as KeyStoreError).code,
  );
  await Promise.all([store.close(), store.close()]);
  expect(["done", "unknownOutcome"]).toContain(await waiting);
  await refusedWith(store.health(), "unavailable");
  await refusedWith(store.generate(one(), encryptSpec), "unavailable");
}
