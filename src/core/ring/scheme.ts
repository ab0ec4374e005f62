/**
 * What every scheme of consistent hashing offers: from a list of targets it builds a lookup from the
 * hash of a key to a target. All schemes give the same answers for any order of the list.
 */
import { assert } from "../assert.js";

/** What keys are given to. */
export interface HashTarget<Id extends number = number> {
  /** A safe integer, no two alike. */
  readonly id: Id;
  /** How much it takes, measured against the others: a whole number from 1 to `weightMax`. */
  readonly weight: number;
}

export interface HashLookup {
  /**
   * The id of the target that has the key. `keyHash` is an unsigned 32-bit word all of whose bits
   * are well mixed, as `slotHash` makes them.
   */
  readonly locate: (keyHash: number) => number;
}

export interface HashScheme {
  readonly name: string;
  /**
   * Throws InvariantError where `targetsProblem` finds anything. When targets come or go, build
   * anew: nothing but the list decides, never an earlier one.
   */
  readonly build: (targets: readonly HashTarget[]) => HashLookup;
}

/** Both together keep every product of a weight below 2^53, and sums of weights below 2^31. */
export const targetsMax = 65_536;
export const weightMax = 10_000;

export type TargetsProblem = "noTargets" | "tooManyTargets" | "badId" | "equalIds" | "badWeight";

/** What keeps a list from being used, null if nothing does. For lists that others made. */
export function targetsProblem(targets: readonly HashTarget[]): TargetsProblem | null {
  if (targets.length === 0) return "noTargets";
  if (targets.length > targetsMax) return "tooManyTargets";
  if (!targets.every(({ id }) => Number.isSafeInteger(id))) return "badId";
  if (new Set(targets.map(({ id }) => id)).size < targets.length) return "equalIds";
  return targets.every(({ weight }) => isWeight(weight)) ? null : "badWeight";
}

/** In ascending order of ids, which is what breaks every tie. Throws as `build` does. */
export function inOrder<Id extends number>(targets: readonly HashTarget<Id>[]): HashTarget<Id>[] {
  const problem = targetsProblem(targets);
  assert(problem === null, "targets are some, distinct and of sound weights", { problem });
  return [...targets].sort((a, b) => a.id - b.id);
}

function isWeight(weight: number): boolean {
  return Number.isInteger(weight) && weight >= 1 && weight <= weightMax;
}
