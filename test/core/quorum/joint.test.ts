import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replicaId } from "../../../src/core/ids.js";
import {
  type QuorumVoters,
  quorumOf,
  quorumValue,
  voteResult,
} from "../../../src/core/quorum/joint.js";

/** Sets of replicas as bits, so that all of them can be gone through. */
const replicas = 5;
const subsets = 1 << replicas;
const inSet = (set: number, replica: number): boolean => ((set >> (replica - 1)) & 1) === 1;
const sizeOf = (set: number): number => set.toString(2).replaceAll("0", "").length;

function configOf(incoming: number, outgoing: number): QuorumVoters {
  const listOf = (set: number) =>
    Array.from({ length: replicas }, (_, at) => ({ replica: replicaId(at + 1) })).filter(
      ({ replica }) => inSet(set, replica),
    );
  return { voters: listOf(incoming), outgoing: listOf(outgoing) };
}

/** The definition, by counting. */
function isQuorum(set: number, incoming: number, outgoing: number): boolean {
  const majority = (half: number) => half === 0 || 2 * sizeOf(set & half) > sizeOf(half);
  return majority(incoming) && majority(outgoing);
}

const half = fc.integer({ min: 1, max: subsets - 1 });
const maybeHalf = fc.integer({ min: 0, max: subsets - 1 });

describe("joint quorums", () => {
  it("quorum: every pair of halves, every set: a quorum is a majority of each half", () => {
    for (let incoming = 1; incoming < subsets; incoming++) {
      for (let outgoing = 0; outgoing < subsets; outgoing++) {
        const config = configOf(incoming, outgoing);
        for (let set = 0; set < subsets; set++) {
          const held = quorumOf(config, (replica) => inSet(set, replica));
          if (held === isQuorum(set, incoming, outgoing)) continue;
          expect.unreachable(`set ${set} of ${incoming}&&${outgoing}: ${held}`);
        }
      }
    }
  });

  it("quorum: any joint configuration: its quorums meet those of either half and each other", () => {
    fc.assert(
      fc.property(half, half, (incoming, outgoing) => {
        const quorumsOf = (config: QuorumVoters) =>
          Array.from({ length: subsets }, (_, set) => set).filter((set) =>
            quorumOf(config, (replica) => inSet(set, replica)),
          );
        const joint = quorumsOf(configOf(incoming, outgoing));
        const others = [
          ...joint,
          ...quorumsOf(configOf(incoming, 0)),
          ...quorumsOf(configOf(outgoing, 0)),
        ];
        expect(joint.length).toBeGreaterThan(0);
        expect(joint.every((one) => others.every((other) => (one & other) !== 0))).toBe(true);
      }),
    );
  });

  it("quorum value: any values: the highest that a quorum has reached", () => {
    const values = fc.array(fc.nat({ max: 6 }), { minLength: replicas, maxLength: replicas });
    fc.assert(
      fc.property(half, maybeHalf, values, (incoming, outgoing, reached) => {
        const atLeast = (least: number) =>
          reached.reduce((set, value, at) => (value >= least ? set | (1 << at) : set), 0);
        const expected = [6, 5, 4, 3, 2, 1, 0].find((least) =>
          isQuorum(atLeast(least), incoming, outgoing),
        );
        const config = configOf(incoming, outgoing);
        expect(quorumValue(config, (replica) => reached[replica - 1]!)).toBe(expected);
      }),
    );
  });

  it("vote: any answers: won by a quorum, lost when what is missing can't make one", () => {
    fc.assert(
      fc.property(half, maybeHalf, maybeHalf, maybeHalf, (incoming, outgoing, yes, answered) => {
        const granted = yes & answered;
        const expected = isQuorum(granted, incoming, outgoing)
          ? "won"
          : isQuorum(granted | ~answered, incoming, outgoing)
            ? "pending"
            : "lost";
        const voteOf = (replica: number) =>
          inSet(answered, replica) ? inSet(yes, replica) : undefined;
        expect(voteResult(configOf(incoming, outgoing), voteOf)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("vote: most of all voters but few of the old half: not won", () => {
    // Voters 1 of the old half, 1 to 5 of the new one: four of five agree, the old half does not.
    const config = configOf(0b11111, 0b00001);
    const voteOf = (replica: number) => (replica === 1 ? undefined : true);
    expect(voteResult(config, voteOf)).toBe("pending");
    expect(quorumOf(config, (replica) => replica !== 1)).toBe(false);
  });
});
