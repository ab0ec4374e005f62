/**
 * Maglev hashing (Eisenbud et al. 2016, section 3.4): a table of prime size that targets fill in turn,
 * each by a permutation of its own. The quickest to look up and very even, but not monotone: when a
 * target comes or goes, some keys also move between the others.
 */
import { assert } from "../assert.js";
import { idWords } from "./id-words.js";
import { type HashScheme, inOrder, type HashTarget } from "./scheme.js";

/** Prime. The paper asks for a hundred entries for each target, or more. */
export const maglevTableSizeDefault = 65_537;
export const maglevTableSizeMax: number = 4 * 1024 * 1024;

/** `tableSize` is a prime number. A list of more targets than the table has entries is refused. */
export function maglev(tableSize: number = maglevTableSizeDefault): HashScheme {
  assert(isPrime(tableSize) && tableSize <= maglevTableSizeMax, "the table's size is prime", {
    tableSize,
  });
  return {
    name: `maglev-${tableSize}`,
    build(targets) {
      const ordered = inOrder(targets);
      assert(ordered.length <= tableSize, "each target can have an entry of the table");
      const table = filledTable(ordered, tableSize);
      return { locate: (keyHash) => ordered[table[keyHash % tableSize]!]!.id };
    },
  };
}

const nobody = 0xffff_ffff;

/**
 * Turns come in order of ids; the heaviest takes each of its turns, one of half its weight every
 * second. So one whose share is less than an entry may end with none.
 */
function filledTable(ordered: readonly HashTarget[], tableSize: number): Uint32Array {
  const table = new Uint32Array(tableSize).fill(nobody);
  const heaviest = ordered.reduce((most, { weight }) => Math.max(most, weight), 0);
  const walks = ordered.map(({ id, weight }) => {
    const [offset, skip] = idWords(id);
    return { weight, credit: 0, at: offset % tableSize, skip: skip % (tableSize - 1) };
  });
  let filled = 0;
  while (filled < tableSize) {
    for (const [rank, walk] of walks.entries()) {
      walk.credit += walk.weight;
      if (walk.credit < heaviest) continue;
      walk.credit -= heaviest;
      while (table[walk.at] !== nobody) walk.at = (walk.at + walk.skip + 1) % tableSize;
      table[walk.at] = rank;
      if (++filled === tableSize) break;
    }
  }
  return table;
}

function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2) return false;
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
