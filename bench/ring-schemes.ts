/** How even the schemes of consistent hashing are and what moves when a target comes: nothing here is timed. */
import {
  assignSlots,
  capThousandthsDefault,
  hashRing,
  jump,
  maglev,
  rendezvous,
} from "quorumlab/core";
import type { HashLookup, HashScheme, HashTarget } from "quorumlab/core";
import { keyBytes } from "../src/core/bytes.js";
import { mix32 } from "../src/core/hash.js";
import { slotCountDefault, slotHash } from "../src/core/store/slots.js";

export interface Contender {
  readonly name: string;
  /** With so many targets of equal weight, and with one more. */
  readonly pair: (targets: number) => readonly [HashLookup, HashLookup];
}

export const modulo: Contender = fresh({
  name: "modulo",
  build: (targets) => ({ locate: (keyHash) => targets[keyHash % targets.length]!.id }),
});

export const contenders: readonly Contender[] = [
  fresh(rendezvous),
  fresh(hashRing(40)),
  fresh(hashRing(160)),
  fresh(jump),
  fresh(maglev()),
  plainSlots(),
  boundedSlots(),
  modulo,
];

export interface Spread {
  /** The largest and the smallest load, and the standard deviation, all over the mean load. */
  readonly most: number;
  readonly least: number;
  readonly deviation: number;
}

/** Shares of all keys. */
export interface Movement {
  readonly moved: number;
  /** Not to the target that came. */
  readonly wrong: number;
}

/** Hashes of the keys `key0`, `key1`, ... */
export function keyHashes(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, n) => slotHash(keyBytes(`key${n}`)));
}

/** Who has each key; ids are from 1 to the number of targets. */
export function located(lookup: HashLookup, hashes: Uint32Array): Uint32Array {
  return hashes.map((hash) => lookup.locate(hash));
}

export function spreadOf(owners: Uint32Array, targets: number): Spread {
  const loads = new Float64Array(targets);
  for (const owner of owners) loads[owner - 1]!++;
  const relative = [...loads].map((load) => (load * targets) / owners.length);
  const variance = relative.reduce((sum, load) => sum + (load - 1) ** 2, 0) / targets;
  return {
    most: Math.max(...relative),
    least: Math.min(...relative),
    deviation: Math.sqrt(variance),
  };
}

export function movementOf(before: Uint32Array, after: Uint32Array, added: number): Movement {
  let moved = 0;
  let wrong = 0;
  for (const [key, to] of after.entries()) {
    if (to === before[key]) continue;
    moved++;
    if (to !== added) wrong++;
  }
  return { moved: moved / after.length, wrong: wrong / after.length };
}

/** Ids from 1 on. */
function equalTargets(count: number): readonly HashTarget[] {
  return Array.from({ length: count }, (_, at) => ({ id: at + 1, weight: 1 }));
}

function fresh({ name, build }: HashScheme): Contender {
  return {
    name,
    pair: (targets) => [build(equalTargets(targets)), build(equalTargets(targets + 1))],
  };
}

/** What the cluster uses: the second table goes on from the first. */
function boundedSlots(): Contender {
  const assigned = (targets: number, previous: readonly number[] | null): number[] =>
    assignSlots({
      slotCount: slotCountDefault,
      groups: equalTargets(targets),
      capThousandths: capThousandthsDefault,
      previous,
    });
  return {
    name: "slots",
    pair: (targets) => {
      const before = assigned(targets, null);
      return [slotTable(before), slotTable(assigned(targets + 1, before))];
    },
  };
}

/** What the cap is good for: the same without any bound. */
function plainSlots(): Contender {
  return fresh({
    name: "slots-no-cap",
    build: (targets) => {
      const { locate } = rendezvous.build(targets);
      return slotTable(Array.from({ length: slotCountDefault }, (_, slot) => locate(mix32(slot))));
    },
  });
}

function slotTable(owners: readonly number[]): HashLookup {
  const table = Uint32Array.from(owners);
  return { locate: (keyHash) => table[keyHash & (slotCountDefault - 1)]! };
}
