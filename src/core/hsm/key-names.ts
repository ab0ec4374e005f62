/**
 * How names stand in CKA_LABEL: `LABEL-vVERSION`, of letters, digits, `_` and `-`, at most 63 of
 * them, which every vendor can hold. A key that is not settled yet ends in `-new`, the tombstone of a
 * deleted one in `-gone`; neither is ever taken for a key's name.
 */
import { keyBytes } from "../bytes.js";
import type { KeyName } from "./keys.js";

export const versionMax = 999_999_999;
const labelPattern = /^[A-Za-z0-9_-]{1,48}$/;
const namePattern = /^([A-Za-z0-9_-]{1,48})-v([1-9][0-9]{0,8})$/;

export function isKeyName({ label, version }: KeyName): boolean {
  return (
    labelPattern.test(label) && Number.isInteger(version) && version >= 1 && version <= versionMax
  );
}

export function isLabel(label: string): boolean {
  return labelPattern.test(label);
}

export function nameText({ label, version }: KeyName): string {
  return `${label}-v${version}`;
}

export function nameBytes(name: KeyName): Uint8Array {
  return keyBytes(nameText(name));
}

export function provisionalBytes(name: KeyName): Uint8Array {
  return keyBytes(`${nameText(name)}-new`);
}

export function goneBytes(name: KeyName): Uint8Array {
  return keyBytes(`${nameText(name)}-gone`);
}

/** Null: that is no name of ours. */
export function parseName(text: string): KeyName | null {
  const found = namePattern.exec(text);
  return found === null ? null : { label: found[1]!, version: Number(found[2]) };
}
