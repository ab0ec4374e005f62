/** Configurations for the tests of whatever works with them. */
import fc from "fast-check";
import type { MemberChange } from "../../../src/core/consensus.js";
import { nodeId, replicaId, term } from "../../../src/core/ids.js";
import {
  type ChangeResult,
  changeConfiguration,
  enterJoint,
  firstConfiguration,
  leaveJoint,
} from "../../../src/core/raft/configuration-change.js";
import { type Configuration, type Member, isJoint } from "../../../src/core/raft/configuration.js";

export const member = (replica: number, node: number = replica, disk = 0): Member => ({
  replica: replicaId(replica),
  node: nodeId(node),
  disk,
});

/** The result of a change that the test expects to be accepted. */
export function accepted(result: ChangeResult): Configuration {
  if ("refused" in result) throw new Error(`refused: ${result.refused}`);
  return result.ok;
}

export const first = (voters: number): Configuration =>
  accepted(
    firstConfiguration(
      Array.from({ length: voters }, (_, at) => ({ node: nodeId(at + 1), disk: at + 100 })),
    ),
  );

export const anyChange: fc.Arbitrary<MemberChange> = fc.oneof(
  fc.record({
    op: fc.constantFrom("addVoter" as const, "addLearner" as const),
    node: fc.integer({ min: 1, max: 9 }).map(nodeId),
    disk: fc.maxSafeNat(),
  }),
  fc.record({
    op: fc.constantFrom("promote" as const, "demote" as const, "remove" as const),
    replica: fc.integer({ min: 1, max: 14 }).map(replicaId),
  }),
);

export type Move =
  | { readonly kind: "change"; readonly changes: readonly MemberChange[] }
  | { readonly kind: "enterJoint" }
  | { readonly kind: "leaveJoint" };

export const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("change" as const),
      changes: fc.array(anyChange, { maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "leaveJoint" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "enterJoint" as const }) },
);

export function moved(config: Configuration, move: Move): ChangeResult {
  switch (move.kind) {
    case "change":
      return changeConfiguration(config, move.changes, term(0));
    case "enterJoint":
      return enterJoint(config, [], { autoLeave: false });
    case "leaveJoint":
      return leaveJoint(config);
  }
}

/** A series of configurations, each the result of an accepted move from the one before. */
export const anySeries: fc.Arbitrary<Configuration[]> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.array(anyMove, { maxLength: 20 }))
  .map(([voters, moves]) => {
    const series = [first(voters)];
    for (const move of moves) {
      const result = moved(series.at(-1)!, move);
      if ("ok" in result) series.push(result.ok);
      else if (isJoint(series.at(-1)!)) series.push(accepted(leaveJoint(series.at(-1)!)));
    }
    return series;
  });
