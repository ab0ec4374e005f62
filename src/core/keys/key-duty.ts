/** What is next to be done about a group's keys, decided from what its leader has applied. */
import type { NodeId } from "../ids.js";
import type { GroupKeys } from "./group-keys.js";
import { epochMax, liveEpochsMax } from "./key-entry.js";

export type KeyDuty =
  /** Something else has to come first. */
  | { readonly kind: "wait" }
  /** These are to tell their public keys. */
  | { readonly kind: "ask"; readonly nodes: readonly NodeId[] }
  | { readonly kind: "rotate"; readonly nodes: readonly NodeId[] }
  | { readonly kind: "admit"; readonly node: NodeId }
  /** These have to get rid of all that is sealed under keys below `below`. */
  | { readonly kind: "clear"; readonly below: number; readonly nodes: readonly NodeId[] }
  | { readonly kind: "erase"; readonly below: number };

export interface KeyCase {
  readonly keys: GroupKeys;
  /** All that earlier leaders appended is applied. */
  readonly settled: boolean;
  /** The configuration in force is committed and no joint one. */
  readonly stable: boolean;
  readonly members: readonly NodeId[];
  /** Nodes that are to join. */
  readonly guests: readonly NodeId[];
  readonly knows: (node: NodeId) => boolean;
  /** Its HSM has another key than the one that it holds the group's keys by. */
  readonly changed: (node: NodeId) => boolean;
  /** Members that have nothing left below the epoch in force. */
  readonly clean: ReadonlySet<NodeId>;
  /** It is time for a new key. */
  readonly rotates: boolean;
}

/**
 * Null: nothing, for every member holds every key that is not erased, and nobody else holds one. Guests
 * that have not told their public keys yet are asked besides.
 */
export function dutyOf(of: KeyCase): KeyDuty | null {
  const { keys, settled, members, guests, knows, changed } = of;
  if (keys.revoked) return null;
  if (!settled) return { kind: "wait" };
  const all = [...new Set([...members, ...guests])];
  const unknown = members.filter((node) => !knows(node));
  if (unknown.length > 0) return { kind: "ask", nodes: unknown };
  if (keys.epoch === 0) return { kind: "rotate", nodes: members };
  const missing = all.find((node) => knows(node) && (!keys.holders.has(node) || changed(node)));
  if (missing !== undefined) return { kind: "admit", node: missing };
  return newKey(of, all.filter(knows)) ?? oldKeys(of);
}

/** Who has left could go on reading what is sealed under a key that it knows. */
function newKey({ keys, stable, rotates }: KeyCase, nodes: readonly NodeId[]): KeyDuty | null {
  const left = stable && [...keys.holders.keys()].some((node) => !nodes.includes(node));
  const hasRoom = keys.keys.length < liveEpochsMax && keys.epoch < epochMax;
  if ((!left && !rotates) || !hasRoom) return null;
  return { kind: "rotate", nodes };
}

function oldKeys({ keys, members, clean, stable }: KeyCase): KeyDuty | null {
  if (keys.keys.length < 2) return null;
  if (!stable) return { kind: "wait" };
  const nodes = members.filter((node) => !clean.has(node));
  const below = keys.epoch;
  return nodes.length > 0 ? { kind: "clear", below, nodes } : { kind: "erase", below };
}
