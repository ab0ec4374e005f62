/**
 * Which slot a key belongs to. Part of every group's state: a cluster's slot count and hash are fixed
 * when it is made.
 */
import { mix32 } from "../hash.js";

/**
 * FNV-1a over the key's bytes up to the first `/`, then MurmurHash3's finaliser, then the low bits.
 * Without the finaliser, keys that differ only at their end have hashes near each other.
 */
export const slotHashName = "fnv1a-fmix32/1";
export const slotCountDefault = 65_536;
export const slotCountMax: number = 1024 * 1024;

const slash = 0x2f;

/** `slotCount` is a power of two. Keys that are equal up to their first `/` share a slot. */
export function slotOf(key: Uint8Array, slotCount: number = slotCountDefault): number {
  return slotHash(key) & (slotCount - 1);
}

/** All 32 bits of the hash, unsigned: what the schemes of `core/ring` take for a key. */
export function slotHash(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length && key[at] !== slash; at++) {
    hash = Math.imul(hash ^ key[at]!, 0x01000193);
  }
  return mix32(hash);
}

export function isSlotCount(n: number): boolean {
  return Number.isInteger(n) && n >= 1 && n <= slotCountMax && (n & (n - 1)) === 0;
}

/** What decides the slot of a key that is given as `bytesKey` makes it. */
export function slotPart(key: string): string {
  const end = key.indexOf("/");
  return end < 0 ? key : key.slice(0, end);
}
