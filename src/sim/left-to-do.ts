/** What is left to do in a cluster with a map: its jobs end, and each slot is served as it says. */
import { describeStep } from "../core/map/steps.js";
import type { Cluster } from "./cluster.js";
import { disputedSlots } from "./served.js";

/** In words; empty where all is done, or where there is no map. */
export function leftToDo({ resolved, survey, processes }: Cluster): string[] {
  const map = survey.map();
  if (map === null) return resolved.map === null ? [] : ["the map is not made"];
  const jobs = map.jobs.all().map(({ id, kind, steps, at }) => {
    return `job ${id} (${kind}) is at step ${at + 1} of ${steps.length}: ${describeStep(steps[at]!)}`;
  });
  if (jobs.length > 0) return jobs;
  return disputedSlots(map, (group) => {
    const leader = survey.leader(group - 1);
    const program = leader === null ? null : processes[leader.node - 1]!.program;
    return program?.storeOf(group)?.slots ?? null;
  });
}
