import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import {
  createKeyFile,
  keyStoreOf,
  openKeyFile,
  passphraseFromFile,
  SoftwareHsm,
} from "quorumlab/real";
import type { EnvelopeKeyStore, KeyReference, KeySpec } from "quorumlab/real";

/** Keys in one file under a passphrase; the file is made the first time. */
export async function openKeys(path: string, secret: string): Promise<EnvelopeKeyStore> {
  const passphrase = passphraseFromFile(secret);
  const open = existsSync(path) ? openKeyFile : createKeyFile;
  const file = await open({ path, passphrase });
  return keyStoreOf((events) => new SoftwareHsm({ file }, events));
}

const wrapping: KeySpec = { algorithm: "aes", bits: 256, purpose: "wrap", exportable: false };

/** The key that wraps others: made inside, and never seen outside. */
export async function wrappingKey(keys: EnvelopeKeyStore, version: number): Promise<KeyReference> {
  const name = { label: "documents", version };
  return (await keys.generate(name, wrapping, { ifMissing: true })).reference;
}

/** What may be stored anywhere: a document under a key of its own, and that key, wrapped. */
export interface Envelope {
  readonly wrappedKey: Uint8Array;
  readonly iv: Uint8Array;
  readonly sealed: Uint8Array;
  readonly tag: Uint8Array;
}

export async function seal(
  keys: EnvelopeKeyStore,
  kek: KeyReference,
  document: Uint8Array,
): Promise<Envelope> {
  const dataKey = randomBytes(32);
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", dataKey, iv);
  const sealed = Buffer.concat([cipher.update(document), cipher.final()]);
  const wrappedKey = await keys.wrap(kek, dataKey);
  dataKey.fill(0);
  return { wrappedKey, iv, sealed, tag: cipher.getAuthTag() };
}

export async function open(
  keys: EnvelopeKeyStore,
  kek: KeyReference,
  { wrappedKey, iv, sealed, tag }: Envelope,
): Promise<Uint8Array> {
  const dataKey = await keys.unwrapToBytes(kek, wrappedKey);
  const decipher = createDecipheriv("aes-256-gcm", dataKey, iv, { authTagLength: 16 });
  dataKey.fill(0);
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(sealed), decipher.final()]);
}
