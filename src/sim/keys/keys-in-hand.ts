/** Whether a group's keys outlive what befalls the HSM of one node. */
import { members } from "../../core/raft/configuration.js";
import type { Cluster } from "../cluster.js";

/**
 * True when every other member of each group has the key in force at hand: then its own HSM could open it,
 * and it can wrap it for whoever comes. `node` is an index.
 */
export function othersHaveKeys({ processes, survey }: Cluster, node: number): boolean {
  const struck = processes[node]!.node;
  return survey.groups().every((group) => {
    const leader = survey.leader(group);
    if (leader === null) return false;
    const known = processes[leader.node - 1]!.program?.keysOf(leader.group) ?? null;
    const inForce = known?.keys.newest ?? null;
    const others = members(leader.configuration).filter((member) => member.node !== struck);
    if (inForce === null || others.length === 0) return false;
    return others.every((other) => processes[other.node - 1]!.program?.holdsKey(inForce.id));
  });
}
