/** Entries about keys, and what a group knows after some of them. */
import { nodeId } from "../../../src/core/ids.js";
import { GroupKeys } from "../../../src/core/keys/group-keys.js";
import type { KeyEntry } from "../../../src/core/keys/key-entry.js";
import { testKeyId } from "./test-aead.js";

export function rotate(
  epoch: number,
  nodes: readonly number[],
): Extract<KeyEntry, { kind: "rotate" }> {
  const holders = nodes.map((node) => {
    const blob = Uint8Array.of(epoch, node);
    return { node: nodeId(node), publicKey: Uint8Array.of(node), blob };
  });
  return { kind: "rotate", epoch, id: testKeyId(epoch), holders, recovery: Uint8Array.of(epoch) };
}

/** That fits `keys` as they are. */
export function admit(keys: GroupKeys, node: number): Extract<KeyEntry, { kind: "admit" }> {
  const blobs = keys.keys.map(({ epoch, id }) => ({ epoch, id, blob: Uint8Array.of(epoch, node) }));
  return { kind: "admit", node: nodeId(node), publicKey: Uint8Array.of(node), blobs };
}

export function erase(below: number): KeyEntry {
  return { kind: "erase", below };
}

export const revoke: KeyEntry = { kind: "revoke" };

/** At indexes from 1 on; each has to fit. */
export function applied(...entries: readonly KeyEntry[]): GroupKeys {
  const keys = new GroupKeys();
  for (const [at, entry] of entries.entries()) {
    if (!keys.apply(entry, at + 1)) throw new Error(`entry ${at} does not fit`);
  }
  return keys;
}

/** Of node 1 alone, with keys of the epochs from 1 to `epoch`. */
export function keysOf(epoch: number): GroupKeys {
  return applied(...Array.from({ length: epoch }, (_, at) => rotate(at + 1, [1])));
}
