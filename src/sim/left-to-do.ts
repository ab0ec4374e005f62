/**
 * What is left to do in a cluster: keys come to those who are to have them, and in a cluster with a
 * map its jobs end, each slot is served as it says, and nothing is left of what was removed.
 */
import { describeStep } from "../core/map/steps.js";
import type { KeysHere } from "../core/node/logic.js";
import { members } from "../core/raft/configuration.js";
import type { Cluster } from "./cluster.js";
import { disputedSlots } from "./served.js";

/** In words; empty where all is done. `healed`: the processes that nothing is wrong with any more. */
export function leftToDo(cluster: Cluster, healed: readonly number[]): string[] {
  return [...keysLeftToDo(cluster, healed), ...mapLeftToDo(cluster), ...leftOver(cluster)];
}

/**
 * Where a group has keys, its members hold the one in force, nobody else does, and older ones are
 * erased with all that was sealed under them.
 */
function keysLeftToDo(
  { resolved, survey, processes }: Cluster,
  healed: readonly number[],
): string[] {
  if (!resolved.sealed) return [];
  return survey.groups().flatMap((group) => {
    const leader = survey.leader(group);
    if (leader === null) return [];
    const keysAt = (node: number): KeysHere | null =>
      processes[node - 1]!.program?.keysOf(leader.group) ?? null;
    const keys = keysAt(leader.node)?.keys ?? null;
    if (keys === null || keys.revoked) return [];
    const nodes = members(leader.configuration).map(({ node }) => node);
    // While a member cannot be asked, or has a replica besides that never heard of its removal,
    // nothing is erased.
    const isAskable = (node: number): boolean => healed.includes(node - 1) && keysAt(node) !== null;
    if (!nodes.every(isAskable)) return [];
    const name = `group ${leader.group}`;
    if (keys.epoch === 0) return [`${name} has no data key`];
    if (keys.keys.length > 1) return [`${name} still has ${keys.keys.length} data keys`];
    const unclear = nodes.filter((node) => !keysAt(node)!.isClear);
    if (unclear.length > 0)
      return [`nodes ${sorted(unclear)} still hold what is sealed under erased keys of ${name}`];
    const holders = sorted(keys.newest!.blobs.keys());
    if (holders === sorted(nodes)) return [];
    return [`the data key of ${name} is held by nodes ${holders} and not by ${sorted(nodes)}`];
  });
}

function sorted(nodes: Iterable<number>): string {
  return [...new Set(nodes)].sort((a, b) => a - b).join(", ");
}

function mapLeftToDo({ resolved, survey, processes }: Cluster): string[] {
  const map = survey.map();
  if (map === null) return resolved.map === null ? [] : ["the map is not made"];
  const jobs = map.jobs.all().map(({ id, kind, steps, at }) => {
    return `job ${id} (${kind}) is at step ${at + 1} of ${steps.length}: ${describeStep(steps[at]!)}`;
  });
  if (jobs.length > 0) return jobs;
  const disputed = disputedSlots(map, (group) => {
    const leader = survey.leader(group - 1);
    const program = leader === null ? null : processes[leader.node - 1]!.program;
    return program?.storeOf(group)?.slots ?? null;
  });
  return disputed;
}

function leftOver({ survey }: Cluster): string[] {
  return survey.leftOver().map(({ node, replica, group, incarnation }) => {
    return `node ${node} still has replica ${replica} of group ${group}, incarnation ${incarnation}`;
  });
}
