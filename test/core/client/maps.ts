/** Maps of the little worlds, as bytes. */
import type { Routing } from "../../../src/core/client/routing.js";
import { type GroupId, type NodeId, groupId, nodeId } from "../../../src/core/ids.js";

export type Owners = readonly { readonly group: GroupId; readonly epoch: number }[];

/** Each group has all of them. */
export const nodes: readonly NodeId[] = [1, 2, 3].map(nodeId);

export function encodeOwners(version: number, owners: Owners): Uint8Array {
  const bytes = [version, owners.length];
  for (const { group, epoch } of owners) bytes.push(group, epoch & 255, epoch >> 8);
  return Uint8Array.from(bytes);
}

export function decodeOwners(bytes: Uint8Array): Routing | null {
  const [version, count] = bytes;
  if (version === undefined || count === undefined || bytes.length !== 2 + 3 * count) return null;
  const owners = Array.from({ length: count }, (_, slot) => {
    const at = 2 + 3 * slot;
    return { group: groupId(bytes[at]!), epoch: bytes[at + 1]! + 256 * bytes[at + 2]! };
  });
  return {
    version,
    slotCount: count,
    at: (slot) => owners[slot] ?? null,
    settings: new Map([["version", `${version}`]]),
    nodesOf: () => nodes,
  };
}
