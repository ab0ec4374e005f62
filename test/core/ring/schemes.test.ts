import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyBytes } from "../../../src/core/bytes.js";
import { mix32 } from "../../../src/core/hash.js";
import { hashRing, ringPointsMax } from "../../../src/core/ring/hash-ring.js";
import { idWords } from "../../../src/core/ring/id-words.js";
import { jump } from "../../../src/core/ring/jump.js";
import { maglev } from "../../../src/core/ring/maglev.js";
import { rendezvous } from "../../../src/core/ring/rendezvous.js";
import {
  type HashScheme,
  type HashTarget,
  targetsMax,
  targetsProblem,
  weightMax,
} from "../../../src/core/ring/scheme.js";
import { runs } from "../../setup/soak.js";
import {
  ascending,
  equal,
  keys,
  loadsOf,
  modulo,
  moves,
  schemes,
  spread,
  targetLists,
} from "./schemes.js";

const named = schemes.map((scheme) => [scheme.name, scheme] as const);
/** Those in which nothing moves that need not, whoever comes or goes. */
const monotone = [rendezvous, hashRing()].map((scheme) => [scheme.name, scheme] as const);

describe("order of the list", () => {
  const differences = (
    scheme: HashScheme,
    targets: readonly HashTarget[],
    shuffled: readonly HashTarget[],
  ): number => moves(scheme, targets, shuffled, keys.slice(0, 200)).moved;

  const shuffles = targetLists.chain((targets) =>
    fc.tuple(
      fc.constant(targets),
      fc.shuffledSubarray(targets, { minLength: targets.length, maxLength: targets.length }),
    ),
  );

  it.each(named)("%s: any targets, in any order: the same answers", (_, scheme) => {
    fc.assert(
      fc.property(shuffles, ([targets, shuffled]) => {
        expect(differences(scheme, targets, shuffled)).toBe(0);
      }),
      { numRuns: runs(50) },
    );
  });

  it("modulo: two orders: other answers, and that is seen", () => {
    expect(differences(modulo, equal(3), equal(3).toReversed())).toBeGreaterThan(0);
  });

  it("ring: points that coincide, targets in any order: the lower id has the key", () => {
    // Of so many points on 2^32 places a hundred coincide, and the keys meet some of these.
    const targets = equal(64).map(({ id }) => ({ id, weight: 15 }));
    const scheme = hashRing(1_000);
    const hashes = Array.from({ length: 200_000 }, (__, n) => mix32(n));
    expect(moves(scheme, targets, targets.toReversed(), hashes).moved).toBe(0);
  });
});

describe("answers", () => {
  const wide = 2 ** 40;
  const pinned: Readonly<Record<string, readonly number[]>> = {
    rendezvous: [wide, wide, 7, 4, 7, wide, 9, wide, 4, 7, wide, 7],
    "ring-160": [9, 9, 4, wide, wide, wide, 9, 7, 7, 9, 4, 7],
    jump: [wide, 9, wide, 7, 7, wide, 4, 4, 7, 7, wide, wide],
    "maglev-4099": [7, 4, 7, wide, 7, 4, 9, 4, 9, 9, wide, 9],
  };

  it("ring: a key on a point: belongs to it, the next key to the next point", () => {
    const place = mix32(idWords(1)[0]);
    const ring = hashRing(1).build(equal(2));
    expect(ring.locate(place)).toBe(1);
    expect(ring.locate(place + 1)).toBe(2);
  });

  it.each(named)("%s: pinned answers: a change of the scheme is seen", (name, scheme) => {
    const targets = [9, 4, wide, 7].map((id) => ({ id, weight: 1 + (id % 3) }));
    const answers = keys.slice(0, 12).map((key) => scheme.build(targets).locate(key));
    expect(answers).toEqual(pinned[name]);
  });
});

describe("movement", () => {
  /** A list, and the same with one more. */
  const grown = targetLists
    .filter((targets) => targets.length > 1)
    .map((targets) => [targets.slice(1), targets] as const);

  it.each(monotone)("%s: one comes or goes: nothing moves between the others", (_, scheme) => {
    fc.assert(
      fc.property(grown, ([fewer, more]) => {
        expect(moves(scheme, fewer, more).wrong).toBe(0);
        expect(moves(scheme, more, fewer).wrong).toBe(0);
      }),
      { numRuns: runs(50) },
    );
  });

  it.each(monotone)("%s: a weight rises: keys move to that target only", (_, scheme) => {
    fc.assert(
      fc.property(targetLists, fc.integer({ min: 1, max: 5 }), ([first, ...others], more) => {
        const heavier = { id: first!.id, weight: first!.weight + more };
        const [old, now] = [scheme.build([first!, ...others]), scheme.build([heavier, ...others])];
        const changed = keys.slice(0, 300).filter((key) => old.locate(key) !== now.locate(key));
        expect(changed.filter((key) => now.locate(key) !== heavier.id)).toEqual([]);
      }),
      { numRuns: runs(50) },
    );
  });

  it("jump: the highest id comes or goes: nothing moves between the others", () => {
    fc.assert(
      fc.property(grown, ([, all]) => {
        const more = ascending(all);
        expect(moves(jump, more.slice(0, -1), more).wrong).toBe(0);
        expect(moves(jump, more, more.slice(0, -1)).wrong).toBe(0);
      }),
      { numRuns: runs(50) },
    );
  });

  it("jump: any but the highest id goes: much moves that need not", () => {
    expect(moves(jump, equal(16), equal(16).slice(1), keys).wrong).toBeGreaterThan(keys.length / 2);
  });

  it("maglev: one comes: measured, somewhat more moves than must", () => {
    const { moved, wrong } = moves(maglev(), equal(16), equal(17), keys);
    expect(wrong).toBeGreaterThan(0);
    expect(wrong).toBeLessThan(keys.length / 100);
    expect(moved - wrong).toBeLessThan((keys.length / 17) * 1.1);
  });

  it.each(named)("%s: one of seventeen comes: about a seventeenth moves", (_, scheme) => {
    const { moved } = moves(scheme, equal(16), equal(17), keys);
    expect(moved).toBeGreaterThan((keys.length / 17) * 0.75);
    expect(moved).toBeLessThan((keys.length / 17) * 1.25);
  });

  it("modulo: one comes: most moves between the others, and that is seen", () => {
    expect(moves(modulo, equal(16), equal(17), keys).wrong).toBeGreaterThan(keys.length / 2);
  });

  it("ring with points that depend on all weights: moves too much, and that is seen", () => {
    const scaled: HashScheme = {
      name: "points in proportion to the sum",
      build(targets) {
        const sum = targets.reduce((total, { weight }) => total + weight, 0);
        const shares = targets.map(({ id, weight }) => ({
          id,
          weight: Math.ceil((weight * 4_000) / sum),
        }));
        return hashRing(1).build(shares);
      },
    };
    expect(moves(scaled, equal(16), equal(17), keys).wrong).toBeGreaterThan(0);
  });
});

describe("evenness", () => {
  // Sixteen targets have 1,250 keys each: chance alone is off by 3 %, a ring of 160 points by 8 %.
  const bounds: Readonly<Record<string, number>> = { [hashRing().name]: 0.25 };
  const boundOf = (scheme: HashScheme): number => bounds[scheme.name] ?? 0.1;
  const isEven = (scheme: HashScheme, targets: readonly HashTarget[], hashes = keys): boolean => {
    const { most, least } = spread(scheme, targets, hashes);
    return most < 1 + boundOf(scheme) && least > 1 - boundOf(scheme);
  };

  it.each(named)("%s: sixteen equal targets: each has its share", (_, scheme) => {
    expect(isEven(scheme, equal(16))).toBe(true);
  });

  it.each(named)("%s: weights from 1 to 6: each has what its weight says", (_, scheme) => {
    const targets = Array.from({ length: 12 }, (__, at) => ({
      id: 1_000 + at,
      weight: 1 + (at % 6),
    }));
    const { most, least } = spread(scheme, targets);
    expect(most).toBeLessThan(1.35);
    expect(least).toBeGreaterThan(0.65);
    const loads = loadsOf(scheme, targets);
    const heavy = (loads.get(1_005)! + loads.get(1_011)!) / (loads.get(1_000)! + loads.get(1_006)!);
    expect(heavy).toBeGreaterThan(4.5);
    expect(heavy).toBeLessThan(7.5);
  });

  it("rendezvous: weights 1 and 1,000: within what chance allows", () => {
    const targets = [
      { id: 1, weight: 1_000 },
      { id: 2, weight: 1 },
      { id: 3, weight: 1_000 },
    ];
    const hashes = Array.from({ length: 400_000 }, (_, n) => mix32(n));
    const loads = loadsOf(rendezvous, targets, hashes);
    // 200 are due; five times their standard deviation is 70.
    expect(Math.abs(loads.get(2)! - 400_000 / 2_001)).toBeLessThan(70);
    expect(Math.abs(loads.get(1)! - loads.get(3)!)).toBeLessThan(3_200);
  });

  it("rendezvous: one goes: the others share what it had", () => {
    // 1,250 keys over fifteen others: 83 for each, and 9 are the standard deviation.
    const heirs = (scheme: HashScheme): { readonly most: number; readonly least: number } => {
      const [before, after] = [scheme.build(equal(16)), scheme.build(equal(15))];
      const left = keys.filter((key) => before.locate(key) === 16);
      const counts = equal(15).map(
        ({ id }) => left.filter((key) => after.locate(key) === id).length,
      );
      return { most: Math.max(...counts), least: Math.min(...counts) };
    };
    expect(heirs(rendezvous).most).toBeLessThan(83 + 45);
    expect(heirs(rendezvous).least).toBeGreaterThan(83 - 45);
    // Planted: one point each, so that one neighbour has it all.
    expect(heirs(hashRing(1)).least).toBe(0);
  });

  it("all weights taken for one: seen", () => {
    const deaf: HashScheme = {
      name: "deaf to weights",
      build: (targets) => rendezvous.build(targets.map(({ id }) => ({ id, weight: 1 }))),
    };
    const targets = [
      { id: 1, weight: 1 },
      { id: 2, weight: 3 },
    ];
    expect(isEven(deaf, targets)).toBe(false);
    expect(isEven(rendezvous, targets)).toBe(true);
  });

  it("ring: points and keys hashed without a finaliser: uneven, and that is seen", () => {
    const raw = Array.from({ length: keys.length }, (_, n) => fnv1a(`key${n}`));
    expect(isEven(ringOf(fnv1a), equal(16), raw)).toBe(false);
    expect(
      isEven(
        ringOf((text) => mix32(fnv1a(text))),
        equal(16),
        raw.map(mix32),
      ),
    ).toBe(true);
  });
});

describe("refusals", () => {
  it("targets: each kind of bad list: named, and thrown by every scheme", () => {
    const one = { id: 1, weight: 1 };
    const bad = {
      noTargets: [],
      tooManyTargets: equal(targetsMax + 1),
      badId: [{ id: 0.5, weight: 1 }],
      equalIds: [one, { id: 2, weight: 1 }, { id: 1, weight: 2 }],
      badWeight: [one, { id: 2, weight: 0 }],
    };
    for (const [problem, targets] of Object.entries(bad)) {
      expect(targetsProblem(targets)).toBe(problem);
      for (const { build } of schemes) expect(() => build(targets)).toThrow("targets are some");
    }
    for (const weight of [-1, 1.5, weightMax + 1, Number.NaN]) {
      expect(targetsProblem([{ id: 1, weight }])).toBe("badWeight");
    }
    expect(targetsProblem([{ id: -(2 ** 53) + 1, weight: weightMax }])).toBeNull();
  });

  it("ring and maglev: sizes beyond their limits: thrown", () => {
    expect(() => hashRing(0)).toThrow("points");
    expect(() => hashRing(ringPointsMax).build(equal(2))).toThrow("ringPointsMax");
    for (const size of [1, 4, 65_536, 4_194_319]) expect(() => maglev(size)).toThrow("prime");
    expect(() => maglev(7).build(equal(8))).toThrow("entry");
    expect(new Set(loadsOf(maglev(7), equal(7)).values()).has(0)).toBe(false);
  });
});

/** A ring by the book: points are hashes of texts such as `12#7`. */
function ringOf(hash: (text: string) => number): HashScheme {
  return {
    name: hashRing().name,
    build(targets) {
      const points = targets
        .flatMap(({ id }) =>
          Array.from({ length: 160 }, (_, n) => ({ id, at: hash(`${id}#${n}`) })),
        )
        .sort((a, b) => a.at - b.at);
      return { locate: (key) => (points.find(({ at }) => at >= key) ?? points[0]!).id };
    },
  };
}

/** The slot hash without its last step. */
function fnv1a(text: string): number {
  const step = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);
  return keyBytes(text).reduce(step, 0x811c9dc5) >>> 0;
}
