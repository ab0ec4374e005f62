/**
 * Who is who (four numbers, none ever used twice) and where one is in a log.
 *
 * All are plain safe integers; the brand only stops one from being passed for another. They are
 * minted here and in decoders, after a range check.
 */
import { assert } from "./assert.js";

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A machine of the cluster. Certificates and links name it. */
export type NodeId = Brand<number, "NodeId">;
/** One start of a node, from a durable counter that also never falls over a wipe. */
export type Boot = Brand<number, "Boot">;
/** A Raft group of the cluster, 32 bits; the same number may live again under a later incarnation. */
export type GroupId = Brand<number, "GroupId">;
/** One life of a group, 32 bits. */
export type Incarnation = Brand<number, "Incarnation">;
/** A member of a group, given out by the configuration entry that adds it. 0 stands for none. */
export type ReplicaId = Brand<number, "ReplicaId">;
/** Raft's logical clock (thesis section 3.3). */
export type Term = Brand<number, "Term">;
/** A position in a group's log; the first entry stands at 1, 0 is the empty prefix. */
export type Index = Brand<number, "Index">;
/** A promise of durability: belongs to one replica and one boot, strictly increases, 0 is none. */
export type Token = Brand<number, "Token">;
/** Names one question so that a late answer to a dead one can be dropped. */
export type RequestId = Brand<number, "RequestId">;

export const idMax: number = Number.MAX_SAFE_INTEGER;
/** Frames and the log have 32 bits for a group, and for its incarnation. */
export const groupIdMax = 0xffff_ffff;

/** True for a whole number from 0 to 2^53 - 1. */
export function isId(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

/** True for a whole number from 0 to 2^32 - 1. */
export function isGroupId(n: number): boolean {
  return isId(n) && n <= groupIdMax;
}

function mint<Name extends string>(name: Name): (n: number) => Brand<number, Name> {
  return (n) => {
    assert(isId(n), `a ${name} is a whole number from 0 to 2^53 - 1`, { n });
    return n as Brand<number, Name>;
  };
}

function mint32<Name extends string>(name: Name): (n: number) => Brand<number, Name> {
  return (n) => {
    assert(isGroupId(n), `a ${name} is a whole number from 0 to 2^32 - 1`, { n });
    return n as Brand<number, Name>;
  };
}

export const nodeId: (n: number) => NodeId = mint("NodeId");
export const boot: (n: number) => Boot = mint("Boot");
export const groupId: (n: number) => GroupId = mint32("GroupId");
export const incarnation: (n: number) => Incarnation = mint32("Incarnation");
export const replicaId: (n: number) => ReplicaId = mint("ReplicaId");
export const term: (n: number) => Term = mint("Term");
export const index: (n: number) => Index = mint("Index");
export const token: (n: number) => Token = mint("Token");
export const requestId: (n: number) => RequestId = mint("RequestId");

export const noReplica: ReplicaId = replicaId(0);
export const noToken: Token = token(0);

/** The group that replicates the cluster map, where there is one. */
export const metaGroup: GroupId = groupId(1);
