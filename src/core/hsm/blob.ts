/**
 * What `wrap` and `encrypt` give: a ciphertext that says by what and under which key it was made, so
 * that nobody has to guess. docs/reference/hsm-blob.md has the table. All that stands before the IV
 * is associated data where the mechanism has a tag.
 */
import { ByteReader, ByteWriter, bytesKey, keyBytes } from "../bytes.js";
import { bytesOfHex, hexOf } from "./hex.js";
import { isKeyName } from "./key-names.js";
import type { KeyReference, WrapMechanism } from "./keys.js";

export interface BlobHead {
  readonly mechanism: WrapMechanism;
  /** `data`: by `encrypt`; `secret`: the bytes of a secret, or a secret key. */
  readonly content: "data" | "secret";
  /** CKA_ID of the key as hex, and its name. */
  readonly keyId: string;
  readonly label: string;
  readonly version: number;
  /** SHA-256 of the caller's associated data. */
  readonly associated: Uint8Array;
}

export interface Blob extends BlobHead {
  /** 12 bytes of GCM, 16 of CBC, else none. */
  readonly iv: Uint8Array;
  /** Ciphertext and tag. */
  readonly body: Uint8Array;
}

const magic = [0x51, 0x4c, 0x4b, 0x42];
const formatVersion = 1;
const digestBytes = 32;
const idBytes = 16;
const mechanisms: readonly WrapMechanism[] = [
  "aes-kwp",
  "aes-gcm",
  "rsa-oaep-sha256",
  "rsa-oaep-sha1",
  "aes-cbc-pad-hmac",
  "encrypt-aes-gcm",
];
const contents = ["data", "secret"] as const;

export function blobHead(
  mechanism: WrapMechanism,
  content: BlobHead["content"],
  key: Pick<KeyReference, "id" | "label" | "version">,
  associated: Uint8Array,
): BlobHead {
  const { id: keyId, label, version } = key;
  return { mechanism, content, keyId, label, version, associated };
}

/** The associated data of the cipher. */
export function encodeHead(head: BlobHead): Uint8Array {
  const writer = new ByteWriter();
  for (const byte of magic) writer.u8(byte);
  writer.u8(formatVersion);
  writer.u8(mechanisms.indexOf(head.mechanism));
  writer.u8(contents.indexOf(head.content));
  writer.bytes(bytesOfHex(head.keyId)!);
  writer.u32(head.version);
  writer.u8(head.label.length);
  writer.bytes(keyBytes(head.label));
  writer.bytes(head.associated);
  return writer.written().slice();
}

export function encodeBlob(blob: Blob): Uint8Array {
  const writer = new ByteWriter();
  writer.bytes(encodeHead(blob));
  writer.u8(blob.iv.length);
  writer.bytes(blob.iv);
  writer.varbytes(blob.body);
  return writer.written().slice();
}

/** Null unless the bytes are what `encodeBlob` makes of some blob. */
export function decodeBlob(bytes: Uint8Array): Blob | null {
  const reader = new ByteReader(bytes);
  for (const byte of magic) if (reader.u8() !== byte) return null;
  if (reader.u8() !== formatVersion) return null;
  const mechanism = mechanisms[reader.u8()];
  const content = contents[reader.u8()];
  const keyId = hexOf(reader.bytes(idBytes));
  const version = reader.u32();
  const label = bytesKey(reader.bytes(reader.u8()));
  const associated = reader.bytes(digestBytes).slice();
  const iv = reader.bytes(reader.u8()).slice();
  const body = reader.varbytes().slice();
  if (!reader.complete || mechanism === undefined || content === undefined) return null;
  if (!isKeyName({ label, version }) || iv.length !== ivBytesOf(mechanism)) return null;
  if (content === "data" && mechanism !== "encrypt-aes-gcm") return null;
  return { mechanism, content, keyId, label, version, associated, iv, body };
}

export function ivBytesOf(mechanism: WrapMechanism): number {
  if (mechanism === "aes-cbc-pad-hmac") return 16;
  return mechanism === "aes-gcm" || mechanism === "encrypt-aes-gcm" ? 12 : 0;
}

/**
 * Who wraps for someone else's public key does not know that key's id and name: the blob bears the
 * first half of its digest, and this name.
 */
export function nameOfPublicKey(
  publicDigest: string,
): Pick<KeyReference, "id" | "label" | "version"> {
  return { id: publicDigest.slice(0, 2 * idBytes), label: "public-key", version: 1 };
}

export function isUnder(blob: Blob, key: KeyReference): boolean {
  const isNamed = ({
    id,
    label,
    version,
  }: Pick<KeyReference, "id" | "label" | "version">): boolean =>
    blob.keyId === id && blob.label === label && blob.version === version;
  return isNamed(key) || (key.publicDigest !== null && isNamed(nameOfPublicKey(key.publicDigest)));
}
