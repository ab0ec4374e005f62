/** What of a scenario's options, and of those that a replay was given, cannot work: in words, before a run. */
import { frameBytesMaxDefault } from "../core/framing/frame-types.js";
import { beyondFrames, withinBatch } from "../core/node/limits.js";
import { wrongNumbers } from "../core/option-checks.js";
import { checkRaftOptions } from "../core/raft/options.js";
import { isSlotCount } from "../core/store/slots.js";
import { checkWalOptions } from "../core/wal/options.js";
import type { Decisions } from "../lab/run-result.js";
import type { Count, Scenario } from "../lab/scenario.js";
import { type OptionPart, optionDefaults, simOptions, usualOf } from "./options.js";

/** Empty when all is well. `given`: the options of a recorded run; else what the scenario says itself. */
export function optionProblems(
  scenario: Scenario,
  given: Decisions["options"] = { limits: {} },
): string[] {
  const strangers = (Object.keys(optionDefaults) as OptionPart[]).flatMap((part) =>
    Object.entries(scenario.cluster[part] ?? {}).flatMap(([name, value]) => {
      const kind = typeof usualOf(`${part}.${name}`);
      if (kind === "undefined") return [`${part}.${name}: there is no such option`];
      return typeof value === kind ? [] : [`${part}.${name}: expected a ${kind}`];
    }),
  );
  return strangers.length > 0 ? strangers : [...ofCluster(scenario), ...ofLimits(scenario, given)];
}

function ofCluster({ cluster, workload, protocol }: Scenario): string[] {
  const { nodes, replication, map } = cluster;
  const wrong: string[] = [];
  if (least(replication) > most(nodes))
    wrong.push(`replication: ${least(replication)} members, and at most ${most(nodes)} nodes`);
  if (map !== undefined && !isSlotCount(map.slotCount))
    wrong.push(`map.slotCount: ${map.slotCount} is no power of two`);
  // A protocol of a user's own says itself what is asked.
  const asksNothing = Object.values(workload.mix).every((weight) => weight === 0);
  if (protocol === undefined && asksNothing) wrong.push("workload.mix: clients would ask nothing");
  return wrong;
}

function ofLimits(scenario: Scenario, given: Decisions["options"]): string[] {
  const { raft, wal, node, sessions } = simOptions(scenario, 0, given);
  const ofRaft = [
    ...checkRaftOptions(raft),
    ...beyondFrames(withinBatch(raft, wal.batchBytesMax), frameBytesMaxDefault),
  ];
  return [
    ...ofRaft.map((text) => `raft: ${text}`),
    ...checkWalOptions(wal).map((text) => `wal: ${text}`),
    ...wrongNumbers(node).map((text) => `node: ${text}`),
    ...wrongNumbers(sessions).map((text) => `sessions: ${text}`),
  ];
}

function least(count: Count): number {
  return typeof count === "number" ? count : count.min;
}

function most(count: Count): number {
  return typeof count === "number" ? count : count.max;
}
