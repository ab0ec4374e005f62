import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MemberChange, changesMax } from "../../../src/core/consensus.js";
import { idMax, nodeId, replicaId, term } from "../../../src/core/ids.js";
import { quorumOf } from "../../../src/core/quorum/joint.js";
import {
  type ChangeRefusal,
  type ChangeResult,
  type MemberStep,
  changeConfiguration,
  enterJoint,
  firstConfiguration,
  idsPerTerm,
  leaveJoint,
  simple,
} from "../../../src/core/raft/configuration-change.js";
import {
  type Configuration,
  checkConfiguration,
  emptyConfiguration,
  members,
  replicasMax,
} from "../../../src/core/raft/configuration.js";
import { accepted, anyMove, anySeries, first, member, moved } from "./configurations.js";

const addVoter = (node: number, disk = 0): MemberChange => ({
  op: "addVoter",
  node: nodeId(node),
  disk,
});
const addLearner = (node: number, disk = 0): MemberChange => ({
  op: "addLearner",
  node: nodeId(node),
  disk,
});
const named = (op: "promote" | "demote" | "remove", replica: number): MemberChange => ({
  op,
  replica: replicaId(replica),
});
const remove = (replica: number): MemberChange => named("remove", replica);

const ids = (list: readonly { readonly replica: number }[]): number[] =>
  list.map(({ replica }) => replica);
const changed = (config: Configuration, ...changes: MemberChange[]): Configuration =>
  accepted(changeConfiguration(config, changes, term(0)));

describe("configuration change", () => {
  it("change: one voter added: simple, with a fresh ReplicaId, its node and its disk", () => {
    const config = changed(first(3), addVoter(9, 77));
    expect(config.voters.at(-1)).toEqual(member(4, 9, 77));
    expect(config.outgoing).toEqual([]);
    expect(config.nextReplicaId).toBe(5);
  });

  it("change: removed and added again on the same node: a new ReplicaId, never the old one", () => {
    const config = changed(changed(first(3), remove(3)), addVoter(3));
    expect(ids(config.voters)).toEqual([1, 2, 4]);
    expect(config.nextReplicaId).toBe(5);
  });

  it("change: in a later term: ids that no leader before it can have given out", () => {
    const ofTerm3 = accepted(changeConfiguration(first(3), [addVoter(9), addVoter(8)], term(3)));
    expect(ids(ofTerm3.voters)).toEqual([1, 2, 3, 3 * idsPerTerm, 3 * idsPerTerm + 1]);
    // The leader of term 4 has never heard of that change.
    const ofTerm4 = accepted(changeConfiguration(first(3), [addVoter(7)], term(4)));
    expect(ids(ofTerm4.voters).at(-1)).toBe(4 * idsPerTerm);
  });

  it("change: all ids of a term given out: refused, and the next term goes on", () => {
    const used = { ...first(3), nextReplicaId: replicaId(4 * idsPerTerm - 1) };
    const last = accepted(changeConfiguration(used, [addVoter(9)], term(3)));
    expect(ids(last.voters).at(-1)).toBe(4 * idsPerTerm - 1);
    const more = [addVoter(8)];
    expect(changeConfiguration(last, more, term(3))).toEqual({ refused: "termUsedUp" });
    expect(accepted(changeConfiguration(last, [remove(1)], term(3))).voters).toHaveLength(3);
    expect(accepted(changeConfiguration(last, more, term(4))).nextReplicaId).toBe(
      4 * idsPerTerm + 1,
    );
  });

  it("change: a replica replaced in place: joint, left with the new one only", () => {
    const joint = changed(first(3), addVoter(3, 555), remove(3));
    expect(ids(joint.voters)).toEqual([1, 2, 4]);
    expect(ids(joint.outgoing)).toEqual([1, 2, 3]);
    expect(joint.autoLeave).toBe(true);
    const left = accepted(leaveJoint(joint));
    expect(ids(members(left))).toEqual([1, 2, 4]);
    expect(left.autoLeave).toBe(false);
  });

  it("change: learners: added, promoted and demoted as the same member", () => {
    const added = changed(first(1), addLearner(7, 70), addLearner(8, 80));
    expect(added.learners).toEqual([member(2, 7, 70), member(3, 8, 80)]);
    const promoted = changed(added, named("promote", 3));
    expect(promoted.voters.at(-1)).toEqual(member(3, 8, 80));
    expect(changed(promoted, named("demote", 3))).toEqual(added);
  });

  it("change: a voter demoted by a joint change: a learner only after leaving", () => {
    const joint = changed(first(3), addVoter(9), named("demote", 1));
    expect([ids(joint.learners), ids(joint.learnersNext)]).toEqual([[], [1]]);
    const left = accepted(leaveJoint(joint));
    expect([ids(left.voters), ids(left.learners)]).toEqual([[2, 3, 4], [1]]);
  });

  it("change: demoted, then promoted or removed at a stroke: the last step counts", () => {
    const demote: MemberStep = { kind: "learner", member: first(3).voters[0]! };
    const promote: MemberStep = { kind: "voter", member: first(3).voters[0]! };
    const gone: MemberStep = { kind: "remove", replica: replicaId(1) };
    const promoted = accepted(enterJoint(first(3), [demote, promote], { autoLeave: false }));
    expect([ids(promoted.voters), ids(promoted.learnersNext)]).toEqual([[1, 2, 3], []]);
    const removed = accepted(enterJoint(first(3), [demote, gone], { autoLeave: false }));
    expect([ids(removed.voters), ids(removed.learnersNext)]).toEqual([[2, 3], []]);
  });

  it("change: any steps in any order: a sound configuration or a refusal", () => {
    const kind = fc.constantFrom("voter" as const, "learner" as const, "remove" as const);
    const step = fc
      .record({ kind, id: fc.nat({ max: 7 }) })
      .map(({ kind: name, id }): MemberStep =>
        name === "remove"
          ? { kind: name, replica: replicaId(id) }
          : { kind: name, member: member(id) },
      );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (voters, steps) => {
        const config = first(voters);
        for (const result of [
          simple(config, steps),
          enterJoint(config, steps, { autoLeave: true }),
        ]) {
          if ("refused" in result) continue;
          expect(checkConfiguration(result.ok)).toEqual([]);
          expect(quorumsMeet(config, result.ok)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  const base = first(3);
  const joint = accepted(enterJoint(base, [], { autoLeave: false }));
  const full = first(replicasMax);
  const last = { ...base, nextReplicaId: replicaId(idMax) };
  const change = (config: Configuration, ...changes: MemberChange[]): ChangeResult =>
    changeConfiguration(config, changes, term(0));
  const refusals: [ChangeRefusal, ChangeResult][] = [
    ["simpleWhileJoint", change(joint, addVoter(9))],
    ["alreadyJoint", enterJoint(joint, [], { autoLeave: true })],
    ["notJoint", leaveJoint(base)],
    ["noVoters", enterJoint(emptyConfiguration, [], { autoLeave: false })],
    ["noVoters", firstConfiguration([])],
    ["allVotersRemoved", change(first(1), remove(1))],
    ["allVotersRemoved", change(first(2), remove(1), remove(2))],
    [
      "allVotersRemoved",
      enterJoint(first(1), [{ kind: "remove", replica: replicaId(1) }], { autoLeave: true }),
    ],
    [
      "manyVotersChanged",
      simple(base, [
        { kind: "remove", replica: replicaId(1) },
        { kind: "voter", member: member(8) },
      ]),
    ],
    ["noChange", change(base)],
    ["tooManyChanges", change(base, ...Array<MemberChange>(changesMax + 1).fill(addLearner(9)))],
    ["unknownReplica", change(base, remove(4))],
    ["unknownReplica", change(base, remove(0))],
    ["replicaTwice", change(base, named("demote", 1), remove(1))],
    ["notLearner", change(base, named("promote", 1))],
    ["notVoter", change(changed(base, addLearner(9)), named("demote", 4))],
    ["nodeTwice", change(base, addVoter(3))],
    ["nodeTwice", change(base, addLearner(8), addLearner(8))],
    ["nodeTwice", firstConfiguration([addLearner(8), addLearner(8)] as [Place, Place])],
    ["badNumber", change(base, addVoter(9, -1))],
    ["badNumber", change(base, addVoter(9, 2 ** 53))],
    ["termUsedUp", change(last, addVoter(9))],
    ["termUsedUp", changeConfiguration(base, [addVoter(9)], term(idMax))],
    ["tooManyReplicas", change(full, addLearner(replicasMax + 1))],
  ];
  it.each(refusals)("change: %s: refused by that name", (reason, result) => {
    expect(result).toEqual({ refused: reason });
  });

  it("change: a refusal or a success: the configuration given is left as it was", () => {
    fc.assert(
      fc.property(anySeries, anyMove, (series, move) => {
        const config = series.at(-1)!;
        const before = structuredClone(config);
        moved(config, move);
        expect(config).toEqual(before);
      }),
    );
  });

  it("change: any series: every configuration is sound and no ReplicaId is given twice", () => {
    fc.assert(
      fc.property(anySeries, (series) => {
        const gone = new Set<number>();
        let present = new Set<number>();
        for (const config of series) {
          expect(checkConfiguration(config)).toEqual([]);
          const now = new Set<number>(ids(members(config)));
          for (const id of now) expect(gone.has(id)).toBe(false);
          for (const id of present) if (!now.has(id)) gone.add(id);
          present = now;
        }
      }),
      { numRuns: 500 },
    );
  });

  it("change: any series: quorums of each two neighbours in it meet", () => {
    fc.assert(
      fc.property(anySeries, (series) => {
        for (const [at, config] of series.entries()) {
          if (at > 0) expect(quorumsMeet(series[at - 1]!, config)).toBe(true);
        }
      }),
    );
  });

  it("change: two voters replaced at a stroke: neighbours would not meet (the test can fail)", () => {
    const other = { ...base, voters: [member(1), member(8), member(9)] };
    expect(quorumsMeet(base, other)).toBe(false);
  });
});

type Place = Parameters<typeof firstConfiguration>[0][number];

/**
 * Two quorums are apart exactly when some set of members is a quorum of one configuration and all
 * others are one of the other.
 */
function quorumsMeet(a: Configuration, b: Configuration): boolean {
  const all = [...new Set([...ids(members(a)), ...ids(members(b))])];
  for (let set = 0; set < 1 << all.length; set++) {
    const inside = (replica: number) => ((set >> all.indexOf(replica)) & 1) === 1;
    if (quorumOf(a, inside) && quorumOf(b, (replica) => !inside(replica))) return false;
  }
  return true;
}
