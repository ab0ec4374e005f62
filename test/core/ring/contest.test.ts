import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Contest, drawCost } from "../../../src/core/ring/contest.js";
import { runs } from "../../setup/soak.js";

const word = fc.nat(0xffff_ffff);

describe("contest", () => {
  it("cost of a draw: any draw: its logarithm within a thousandth", () => {
    const near = fc.oneof(
      word,
      fc.nat(2_000),
      fc.nat(0xff_ffff).map((n) => 0xffff_ffff - n),
    );
    fc.assert(
      fc.property(near, (draw) => {
        const exact = -Math.log2(Math.max(draw, 1) / 2 ** 32) * 2 ** 32;
        // Cut to a whole number twice: near the best draws two units are all there is.
        expect(Math.abs(drawCost(draw) - exact)).toBeLessThan(exact / 1_000 + 2);
      }),
      { numRuns: runs(20_000) },
    );
  });

  it("cost of a draw: powers of two: exact", () => {
    for (let power = 0; power < 32; power++) {
      expect(drawCost(2 ** power)).toBe((32 - power) * 2 ** 32);
    }
    expect(drawCost(0)).toBe(32 * 2 ** 32);
  });

  it("cost of a draw: a better draw: costs less, so equal weights need no logarithm", () => {
    const pairs = fc.oneof(
      fc.tuple(word, word),
      word.map((n) => [n, Math.max(0, n - 1)] as const),
    );
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        if (a === b || Math.max(a, b) === 1) return;
        expect(drawCost(Math.max(a, b))).toBeLessThan(drawCost(Math.min(a, b)));
      }),
      { numRuns: runs(20_000) },
    );
    // Where the table goes on to its next entry.
    for (let entry = 257; entry < 512; entry++) {
      const edge = entry * 2 ** 23;
      expect(drawCost(edge)).toBeLessThan(drawCost(edge - 1));
    }
  });

  it("winner: any weights, some closed: the definition by all costs", () => {
    const rivals = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(rivals, word, (list, key) => {
        const contest = new Contest(list.map(([weight], at) => ({ id: at + 1, weight })));
        const open = Uint8Array.from(list, ([, isOpen]) => (isOpen ? 1 : 0));
        const costOf = (at: number): number => drawCost(contest.draw(at, key)) / list[at]![0];
        const ranked = [...list.keys()]
          .filter((at) => open[at] === 1)
          .sort((a, b) => costOf(a) - costOf(b) || a - b);
        expect(contest.winner(key, open)).toBe(ranked[0] ?? -1);
      }),
      { numRuns: runs(2_000) },
    );
  });

  it("winner: equal draws, in either order: the lower id", () => {
    // Of so many ids two draw the same for one key.
    const key = 1;
    const many = new Contest(Array.from({ length: 65_536 }, (_, at) => ({ id: at, weight: 1 })));
    const drawn = new Map<number, number>();
    let ties = 0;
    for (const { id } of many.targets) {
      const other = drawn.get(many.draw(id, key));
      drawn.set(many.draw(id, key), id);
      if (other === undefined) continue;
      ties++;
      for (const ids of [
        [other, id],
        [id, other],
      ]) {
        const contest = new Contest(ids.map((each) => ({ id: each, weight: 1 })));
        const winner = contest.winner(key, new Uint8Array(2).fill(1));
        expect(contest.targets[winner]!.id).toBe(other);
      }
    }
    expect(ties).toBeGreaterThan(0);
  });

  it("winner: pinned values: a change of the draws is a new version of what rests on them", () => {
    const contest = new Contest([1, 2, 3, 4, 5].map((id) => ({ id, weight: id })));
    const all = new Uint8Array(5).fill(1);
    const winners = [0, 1, 0x1234_5678, 0xffff_ffff].map((key) => contest.winner(key, all));
    expect(winners).toMatchInlineSnapshot(`
      [
        4,
        4,
        4,
        4,
      ]
    `);
    expect(contest.draw(0, 1)).toMatchInlineSnapshot(`1106201060`);
  });
});
