/** A key in memory: made, read from its bytes, described. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { promisify } from "node:util";
import type {
  KeyDescription,
  KeyName,
  KeyPurpose,
  KeyReference,
  KeySpec,
  KeyUse,
} from "../../../core/hsm/keys.js";
import type { KeyRecord } from "./key-records.js";

export interface HeldKey {
  readonly reference: KeyReference;
  readonly createdMs: number;
  /** In the file; else it lives until the store is closed. */
  readonly permanent: boolean;
  /** Made here, not unwrapped. */
  readonly local: boolean;
  /** AES: the key. Else PKCS#8, DER. Wiped when the key goes. */
  readonly material: Uint8Array;
  readonly pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } | null;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array | null;
}

const aesKeyBytes = 32;
const idBytes = 16;
const publicExponent = 65_537;

const curves: Readonly<Record<number, string>> = { 256: "prime256v1", 384: "secp384r1" };

const usesOf: Readonly<Record<KeyPurpose, readonly KeyUse[]>> = {
  wrap: ["wrap", "unwrap"],
  encrypt: ["encrypt", "decrypt"],
  sign: ["sign", "verify"],
};

const makePair = promisify(generateKeyPair);

export function newKeyId(): string {
  return randomBytes(idBytes).toString("hex");
}

/** In a thread of its own: an RSA key may take seconds. */
export async function makeMaterial({ algorithm, bits }: KeySpec): Promise<Uint8Array> {
  if (algorithm === "aes") return new Uint8Array(randomBytes(aesKeyBytes));
  const { privateKey } =
    algorithm === "rsa"
      ? await makePair("rsa", { modulusLength: bits, publicExponent })
      : await makePair("ec", { namedCurve: curves[bits]! });
  return new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
}

export interface KeyOrigin {
  readonly id: string;
  readonly name: KeyName;
  readonly spec: KeySpec;
  readonly createdMs: number;
  readonly permanent: boolean;
  readonly local: boolean;
}

/** Null: the bytes are no key of that kind. The key takes a copy of them. */
export function keyOfMaterial(origin: KeyOrigin, material: Uint8Array): HeldKey | null {
  const { id, name, spec, createdMs, permanent, local } = origin;
  const pair = spec.algorithm === "aes" ? null : pairOf(spec, material);
  if (spec.algorithm === "aes" ? material.length !== aesKeyBytes : pair === null) return null;
  const spki = pair?.publicKey.export({ type: "spki", format: "der" }) ?? null;
  const publicDigest = spki === null ? null : createHash("sha256").update(spki).digest("hex");
  return {
    reference: { ...name, id, spec, publicDigest },
    createdMs,
    permanent,
    local,
    material: new Uint8Array(material),
    pair,
    publicKey: spki === null ? null : new Uint8Array(spki),
  };
}

export function keyOfRecord({ id, name, spec, createdMs, material }: KeyRecord): HeldKey | null {
  return keyOfMaterial({ id, name, spec, createdMs, permanent: true, local: true }, material);
}

export function describeKey(key: HeldKey): KeyDescription {
  const { reference, publicKey, permanent, local } = key;
  const { exportable, purpose } = reference.spec;
  return {
    reference,
    publicKey: publicKey === null ? null : new Uint8Array(publicKey),
    attributes: {
      token: permanent,
      private: true,
      sensitive: true,
      extractable: exportable,
      alwaysSensitive: local,
      neverExtractable: local && !exportable,
      local,
      uses: usesOf[purpose],
    },
  };
}

function pairOf({ algorithm, bits }: KeySpec, material: Uint8Array): HeldKey["pair"] {
  try {
    const der = Buffer.from(material);
    const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    der.fill(0);
    const { modulusLength, namedCurve } = privateKey.asymmetricKeyDetails ?? {};
    const fits =
      algorithm === "rsa"
        ? privateKey.asymmetricKeyType === "rsa" && modulusLength === bits
        : privateKey.asymmetricKeyType === "ec" && namedCurve === curves[bits];
    return fits ? { privateKey, publicKey: createPublicKey(privateKey) } : null;
  } catch {
    return null;
  }
}
