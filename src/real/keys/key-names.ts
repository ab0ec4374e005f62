/** What may be a name and a specification of a key. Callers without types may hand over anything. */
import { isKeyName } from "../../core/hsm/key-names.js";
import type { KeyName, KeyReference, KeySpec } from "../../core/hsm/keys.js";

const idPattern = /^[0-9a-f]{32}$/;

const bitsOf: Readonly<Record<KeySpec["algorithm"], readonly number[]>> = {
  aes: [256],
  rsa: [2048, 3072, 4096],
  ec: [256, 384],
};

const purposesOf: Readonly<Record<KeySpec["algorithm"], readonly KeySpec["purpose"][]>> = {
  aes: ["wrap", "encrypt"],
  rsa: ["wrap", "sign"],
  ec: ["sign"],
};

/** Without types anything may come here. */
export function isNamed(name: KeyName): boolean {
  return typeof name.label === "string" && isKeyName(name);
}

export function isKeyId(id: unknown): id is string {
  return typeof id === "string" && idPattern.test(id);
}

/** Null when keys of this kind are made; else why not: `policy` P9 where it is too weak. */
export function specProblem(spec: KeySpec): { readonly policy: "P9" | null } | null {
  const sizes = Object.hasOwn(bitsOf, spec.algorithm) ? bitsOf[spec.algorithm] : [];
  if (sizes.length === 0 || typeof spec.exportable !== "boolean") return { policy: null };
  if (!purposesOf[spec.algorithm].includes(spec.purpose)) return { policy: null };
  if (sizes.includes(spec.bits)) return null;
  return { policy: spec.bits < sizes[0]! ? "P9" : null };
}

export function sameSpec(a: KeySpec, b: KeySpec): boolean {
  return (
    a.algorithm === b.algorithm &&
    a.bits === b.bits &&
    a.purpose === b.purpose &&
    a.exportable === b.exportable
  );
}

export function sameName(a: KeyName, b: KeyName): boolean {
  return a.label === b.label && a.version === b.version;
}

/** Whether `found` is the key that `asked` was written down for. */
export function isReferenced(asked: KeyReference, found: KeyReference): boolean {
  return (
    asked.id === found.id &&
    sameName(asked, found) &&
    sameSpec(asked.spec, found.spec) &&
    asked.publicDigest === found.publicDigest
  );
}
