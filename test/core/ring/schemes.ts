/** What the tests of the schemes share: lists of targets, keys, what is counted, planted schemes. */
import fc from "fast-check";
import { keyBytes } from "../../../src/core/bytes.js";
import { hashRing } from "../../../src/core/ring/hash-ring.js";
import { jump } from "../../../src/core/ring/jump.js";
import { maglev } from "../../../src/core/ring/maglev.js";
import { rendezvous } from "../../../src/core/ring/rendezvous.js";
import type { HashScheme, HashTarget } from "../../../src/core/ring/scheme.js";
import { slotHash } from "../../../src/core/store/slots.js";

export const schemes: readonly HashScheme[] = [rendezvous, hashRing(), jump, maglev(4_099)];

/** Short strings that differ in their last digits: what real keys are like, and poor hashes stumble on. */
export const keys: readonly number[] = Array.from({ length: 20_000 }, (_, n) =>
  slotHash(keyBytes(`key${n}`)),
);

export function equal(count: number): readonly HashTarget[] {
  return Array.from({ length: count }, (_, at) => ({ id: at + 1, weight: 1 }));
}

/** Ids also below 0 and beyond 32 bits. */
const id = fc.oneof(fc.nat(20), fc.maxSafeInteger());
const weight = fc.integer({ min: 1, max: 8 });
export const targetLists: fc.Arbitrary<HashTarget[]> = fc.uniqueArray(fc.record({ id, weight }), {
  selector: (target) => target.id,
  minLength: 1,
  maxLength: 12,
});

export const ascending = (targets: readonly HashTarget[]): HashTarget[] =>
  [...targets].sort((a, b) => a.id - b.id);

export interface Moves {
  readonly moved: number;
  /** Between two targets that are in both lists with the same weight. */
  readonly wrong: number;
}

export function moves(
  scheme: HashScheme,
  before: readonly HashTarget[],
  after: readonly HashTarget[],
  among: readonly number[] = keys.slice(0, 500),
): Moves {
  const [old, now] = [scheme.build(before), scheme.build(after)];
  const stays = (id: number): boolean => {
    const was = before.find((target) => target.id === id);
    return was !== undefined && was.weight === after.find((target) => target.id === id)?.weight;
  };
  let moved = 0;
  let wrong = 0;
  for (const key of among) {
    const [from, to] = [old.locate(key), now.locate(key)];
    if (from === to) continue;
    moved++;
    if (stays(from) && stays(to)) wrong++;
  }
  return { moved, wrong };
}

/** How many keys each target has, by id. */
export function loadsOf(
  scheme: HashScheme,
  targets: readonly HashTarget[],
  hashes: readonly number[] = keys,
): ReadonlyMap<number, number> {
  const { locate } = scheme.build(targets);
  const loads = new Map(targets.map(({ id }) => [id, 0]));
  for (const hash of hashes) loads.set(locate(hash), loads.get(locate(hash))! + 1);
  return loads;
}

/** The largest and the smallest load, measured in what would be the target's share. */
export function spread(
  scheme: HashScheme,
  targets: readonly HashTarget[],
  hashes: readonly number[] = keys,
): { readonly most: number; readonly least: number } {
  const sum = targets.reduce((total, { weight }) => total + weight, 0);
  const loads = loadsOf(scheme, targets, hashes);
  const relative = targets.map(
    ({ id, weight }) => (loads.get(id)! * sum) / (weight * hashes.length),
  );
  return { most: Math.max(...relative), least: Math.min(...relative) };
}

/** Planted: nearly everything moves when one comes, and the order of the list matters. */
export const modulo: HashScheme = {
  name: "modulo",
  build: (targets) => ({ locate: (hash) => targets[hash % targets.length]!.id }),
};
