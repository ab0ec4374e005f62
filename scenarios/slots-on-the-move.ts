import {
  fault,
  mappedCluster,
  millisecond,
  mixedWorkload,
  networkNoise,
  second,
  times,
  type Draw,
  type Fault,
  type Scenario,
} from "quorumlab/lab";

export const slotsOnTheMove: Scenario = {
  name: "slots-on-the-move",
  about: "slots move between groups, some moves are taken back, while links and leaders fail",
  cluster: mappedCluster,
  workload: {
    ...mixedWorkload,
    thinkUs: { min: 20 * millisecond, max: 300 * millisecond },
    keys: { min: 3, max: 6 },
    mix: { get: 4, put: 3, cas: 4, delete: 1 },
  },
  faults: {
    swarm: [...networkNoise, "cut", "cutOneWay", "flap", "kill", "pause", "transferLeader"],
    swarmFaultsMax: 8,
    plan: (draw, { nodes, groups, attackUs }) => {
      const moves = times(
        draw,
        { fromUs: 2 * second, toUs: attackUs - 8 * second },
        { minUs: second, maxUs: 3 * second },
      ).flatMap((atUs, n) => {
        const soon = (): number => atUs + draw.integer(0, 700 * millisecond);
        const faults = [fault({ kind: "moveSlots", atUs }, n)];
        // Soon enough to meet any step of the move.
        if (draw.chance(300)) faults.push(fault({ kind: "cancelJob", atUs: soon() }, n));
        // Some clients don't know whether their commands were applied before the slots went.
        const group = draw.integer(1, groups.length - 1);
        if (draw.chance(500)) faults.push(leaderAway(draw, group, soon(), n));
        return faults;
      });
      const whole = { atUs: second, forUs: attackUs - 2 * second };
      return [
        ...moves,
        // Copies of a step come after the move was given up.
        ...(draw.chance(400) ? [fault({ kind: "duplicate", ...whole, amount: 400 }, 1_000)] : []),
        ...(draw.chance(300) ? [blackout(draw, nodes, attackUs)] : []),
      ];
    },
  },
  phases: { attackUs: 36 * second },
  expect: "ok",
};

/** Whoever leads the group dies or stands still for a while. */
function leaderAway(draw: Draw, group: number, atUs: number, n: number): Fault {
  const kind = draw.pick(["kill", "pause", "pause"] as const);
  const forUs = draw.integer(second / 4, 2 * second);
  return fault({ kind, atUs, forUs, group }, n);
}

/** Nobody hears anybody until clients have given up what was under way. */
function blackout(draw: Draw, nodes: Fault["nodes"], attackUs: number): Fault {
  const forUs = 9 * second;
  const atUs = draw.integer(4 * second, attackUs - 2 * forUs);
  return fault({ kind: "cut", atUs, forUs, nodes, peers: nodes }, 1_000);
}
