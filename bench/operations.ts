/** Operations of clients that each work on one group, and what became of them in simulated time. */
import type { PlannedOperation, SimulationResult } from "quorumlab";

export interface Pace {
  readonly groups: number;
  readonly clientsPerGroup: number;
  readonly operationsPerClient: number;
  /** A client thinks at least so long before each operation, and up to as long again as `spreadUs`. */
  readonly thinkUs: number;
  readonly spreadUs: number;
}

/** Client `c` works on group `c` modulo `groups`, on a key of its own. */
export function puts(pace: Pace): PlannedOperation[] {
  const { groups, clientsPerGroup, operationsPerClient, thinkUs, spreadUs } = pace;
  return Array.from({ length: groups * clientsPerGroup }, (_, client) =>
    Array.from({ length: operationsPerClient }, (_each, n) => ({
      id: `${client}.${n}`,
      client,
      // Strides without a common divisor: no two clients keep step.
      thinkUs: thinkUs + ((client * 7_919 + n * 104_729) % spreadUs),
      group: client % groups,
      kind: "put" as const,
      key: `c${client}/k`,
      value: `${client}.${n}`.padEnd(64, "."),
      expected: null,
      read: "leader" as const,
    })),
  ).flat();
}

export interface Took {
  readonly group: number;
  readonly beganUs: number;
  /** 0: it was under way to the end. */
  readonly tookUs: number;
}

/** A client begins its next operation when it has thought about it, after the end of the last. */
export function timesOf({ decisions, latenciesUs }: SimulationResult): Took[] {
  const clocks = new Map<number, number>();
  return decisions.operations.map(({ client, group, thinkUs }, at) => {
    const tookUs = latenciesUs[at]!;
    const beganUs = (clocks.get(client) ?? 0) + thinkUs;
    clocks.set(client, beganUs + tookUs);
    return { group, beganUs, tookUs };
  });
}
