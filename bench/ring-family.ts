import type { HashLookup } from "quorumlab/core";
import { alternate, type Figure } from "./figure.js";
import {
  type Contender,
  contenders,
  keyHashes,
  located,
  modulo,
  movementOf,
  spreadOf,
} from "./ring-schemes.js";

export const ringSizes = [16, 256, 1_024] as const;
/** So many for each target that chance alone makes loads differ by 3 % at the largest size. */
export const ringKeys = 1_048_576;
const pairs = 9;
/** Rendezvous asks every target: fewer lookups where there are more of them. */
const drawsPerSample = 32 * 1_048_576;

/** How even, how much moves when one target comes, and how quick, against modulo. */
export function benchRing(): readonly Figure[] {
  const hashes = keyHashes(ringKeys);
  return contenders.flatMap((contender) =>
    ringSizes.flatMap((size) => [
      ...stillFigures(contender, size, hashes),
      speedFigure(contender, size, hashes),
    ]),
  );
}

/** The figures that are the same on every machine. */
export function stillFigures(
  contender: Contender,
  size: number,
  hashes: Uint32Array,
): readonly Figure[] {
  const [before, after] = contender.pair(size).map((lookup) => located(lookup, hashes));
  const { most, least, deviation } = spreadOf(before!, size);
  const { moved, wrong } = movementOf(before!, after!, size + 1);
  const row = `ring/${contender.name}-${size}`;
  const against = "the mean load";
  return [
    { name: `${row}/max`, value: most, unit: "", against, ratio: most },
    { name: `${row}/min`, value: least, unit: "", against, ratio: least },
    { name: `${row}/sd`, value: deviation * 100, unit: "%", against, ratio: deviation },
    {
      name: `${row}/moved`,
      value: moved * 100,
      unit: "%",
      against: "the new target's share",
      ratio: moved * (size + 1),
    },
    {
      name: `${row}/wrong`,
      value: wrong * 100,
      unit: "%",
      against: "all that moved",
      ratio: wrong / moved,
    },
  ];
}

function speedFigure(contender: Contender, size: number, hashes: Uint32Array): Figure {
  const some = hashes.subarray(0, Math.floor(drawsPerSample / size));
  const [ours] = contender.pair(size);
  const [theirs] = modulo.pair(size);
  lookupRate(ours, some);
  const rates = alternate(
    pairs,
    () => lookupRate(ours, some),
    () => lookupRate(theirs, hashes),
  );
  return {
    name: `ring/${contender.name}-${size}/lookups`,
    value: rates.ours / 1_000_000,
    unit: "M/s",
    against: "modulo",
    ratio: rates.ratio,
  };
}

/** Lookups per second of processor time, so that other work on the machine counts for little. */
function lookupRate(lookup: HashLookup, hashes: Uint32Array): number {
  let sum = 0;
  const before = process.cpuUsage();
  for (const hash of hashes) sum += lookup.locate(hash);
  const tookUs = process.cpuUsage(before).user;
  if (sum < hashes.length) throw new Error("ids are from 1 on");
  return (hashes.length * 1_000_000) / tookUs;
}
