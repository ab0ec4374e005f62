import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../src/core/assert.js";
import { replicaId } from "../../../src/core/ids.js";
import {
  type Voter,
  majorityOf,
  majorityValue,
  votersMax,
} from "../../../src/core/quorum/majority.js";

const votersOf = (count: number): Voter[] =>
  Array.from({ length: count }, (_, at) => ({ replica: replicaId(at + 1) }));

describe("majority", () => {
  it("majority: any count: the least number that is more than half", () => {
    for (let count = 1; count <= votersMax; count++) {
      expect(2 * majorityOf(count)).toBeGreaterThan(count);
      expect(2 * (majorityOf(count) - 1)).toBeLessThanOrEqual(count);
    }
  });

  it("majority: no voters: holds nothing back", () => {
    expect(majorityValue([], () => 7)).toBe(Infinity);
  });

  it("majority: up to five voters, values 0 to 3: the highest value that more than half reach", () => {
    for (let count = 1; count <= 5; count++) {
      const voters = votersOf(count);
      for (let code = 0; code < 4 ** count; code++) {
        const values = voters.map((_, at) => (code >> (2 * at)) & 3);
        const reached = (least: number) => values.filter((value) => value >= least).length;
        const expected = [3, 2, 1, 0].find((least) => 2 * reached(least) > count);
        expect(majorityValue(voters, (replica) => values[replica - 1]!)).toBe(expected);
      }
    }
  });

  it("majority: a large set before a small one: the second result owes nothing to the first", () => {
    expect(majorityValue(votersOf(votersMax), (replica) => 1000 + replica)).toBe(1032);
    expect(majorityValue(votersOf(3), (replica) => replica)).toBe(2);
  });

  it("majority: values up to 2^53 - 1 and Infinity: kept exactly", () => {
    const values = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1, Infinity];
    expect(majorityValue(votersOf(3), (replica) => values[replica - 1]!)).toBe(values[0]);
  });

  it("majority: more voters than votersMax: an invariant is broken", () => {
    expect(() => majorityValue(votersOf(votersMax + 1), () => 0)).toThrow(InvariantError);
  });
});
