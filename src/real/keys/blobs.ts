/** Self-describing ciphertexts: by which mechanism, under which key. */
import { ByteReader, ByteWriter } from "../../core/bytes.js";
import type { WrapMechanism } from "../../core/hsm/keys.js";

export interface Blob {
  readonly mechanism: BlobMechanism;
  /** Of the key that opens it: its id; or, from who knows its public half alone, the digest of that. */
  readonly key: { readonly id: string } | { readonly publicDigest: string };
  /** Empty where the mechanism has none. */
  readonly iv: Uint8Array;
  readonly body: Uint8Array;
}

/** `data`: AES-GCM of a user's bytes, never of a key. */
export type BlobMechanism = WrapMechanism | "data";

const mechanisms: readonly BlobMechanism[] = [
  "data",
  "aes-kwp",
  "aes-gcm",
  "rsa-oaep-sha256",
  "rsa-oaep-sha1",
  "aes-cbc-pad-hmac",
  "encrypt-aes-gcm",
];
const magic = 0x424b_4c51;
const ivBytesMax = 1_024;

export function encodeBlob({ mechanism, key, iv, body }: Blob): Uint8Array {
  const out = new ByteWriter(64 + iv.length + body.length);
  out.u32(magic);
  out.u8(mechanisms.indexOf(mechanism));
  out.varbytes(Buffer.from("id" in key ? key.id : key.publicDigest, "hex"));
  out.varbytes(iv);
  out.varbytes(body);
  return new Uint8Array(out.written());
}

export function decodeBlob(bytes: Uint8Array): Blob | null {
  const from = new ByteReader(bytes);
  const magicFound = from.u32();
  const mechanism = mechanisms[from.u8()];
  const name = Buffer.from(from.varbytes(32)).toString("hex");
  const iv = from.varbytes(ivBytesMax);
  const body = from.varbytes();
  if (magicFound !== magic || mechanism === undefined || !from.complete) return null;
  if (name.length !== 32 && name.length !== 64) return null;
  return { mechanism, key: name.length === 32 ? { id: name } : { publicDigest: name }, iv, body };
}
