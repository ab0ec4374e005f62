/** A pretended simulator: it fails exactly when a planted cause is among the decisions. */
import type { Fault, FaultKind } from "../../../src/lab/fault.js";
import { nodeId } from "../../../src/core/ids.js";
import { digestOf } from "../../../src/core/plain.js";
import type { Decisions, PlannedOperation, RunResult } from "../../../src/lab/run-result.js";

export interface Planted {
  /** The fingerprint of the failure that these decisions cause; null: none. */
  readonly cause: (decisions: Decisions) => string | null;
  /** When the failure shows. */
  readonly atUs?: (decisions: Decisions) => number;
  readonly inert?: (decisions: Decisions) => readonly string[];
  /** How long each operation takes. */
  readonly latencyUs?: number;
  /** Of the decisions, what the run came to. */
  readonly came?: (decisions: Decisions) => Decisions;
}

/** The run function, and every set of decisions that it was asked for. */
export function plantedRun(planted: Planted): {
  run: (decisions: Decisions) => RunResult;
  asked: Decisions[];
} {
  const asked: Decisions[] = [];
  const run = (decisions: Decisions): RunResult => {
    asked.push(decisions);
    const fingerprint = planted.cause(decisions);
    const atUs = planted.atUs?.(decisions) ?? 0;
    const [property] = (fingerprint ?? "").split(":");
    const failed = { step: 7, atUs, node: 1, group: 0, message: "planted" };
    return {
      scenario: "planted",
      seed: 1,
      verdict: fingerprint === null ? "ok" : "violation",
      failure: fingerprint === null ? null : { property: property!, fingerprint, ...failed },
      steps: 10,
      simulatedUs: 1,
      acknowledged: 0,
      leaderChanges: 0,
      digest: digestOf(decisions).join("-"),
      faults: {},
      marks: {},
      decisions: planted.came?.(decisions) ?? decisions,
      drawsNotRecorded: 0,
      latenciesUs: decisions.operations.map(() => planted.latencyUs ?? 0),
      inert: planted.inert?.(decisions) ?? [],
    };
  };
  return { run, asked };
}

export function plannedFault(kind: FaultKind, ordinal: number, more: Partial<Fault> = {}): Fault {
  return {
    id: `${kind}-${ordinal}`,
    kind,
    atUs: 1_000_000 * (ordinal + 1),
    forUs: 500_000,
    nodes: [],
    peers: [],
    group: 0,
    amount: 0,
    ...more,
  };
}

export function plannedPut(
  client: number,
  ordinal: number,
  more: Partial<PlannedOperation> = {},
): PlannedOperation {
  const id = `${client}.${ordinal}`;
  const what = { kind: "put", key: "p0/k0", value: `${id}.....`, expected: null } as const;
  return { id, client, thinkUs: 100_000, group: 0, read: "leader", ...what, ...more };
}

/** A large failure: many faults, clients, operations and draws, five nodes, three groups. */
export function large(): Decisions {
  const faults = Array.from({ length: 40 }, (_, n) =>
    plannedFault(n % 2 === 0 ? "kill" : "cut", n, {
      nodes: [nodeId(1 + (n % 5))],
      peers: n % 2 === 0 ? [] : [nodeId(1 + ((n + 1) % 5)), nodeId(1 + ((n + 2) % 5))],
      amount: n,
    }),
  );
  const operations = Array.from({ length: 300 }, (_, n) =>
    plannedPut(n % 6, Math.floor(n / 6), { group: n % 3 }),
  );
  return {
    options: { nodes: 5, groups: 3, replication: 3, clients: 6, attackUs: 60_000_000 },
    faults,
    operations,
    draws: Array.from({ length: 500 }, (_, n) => `loss:${n}:0:0@${n}#0`),
  };
}

export function ids(decisions: Decisions): string[] {
  return names(decisions).toSorted();
}

export function has(decisions: Decisions, ...wanted: readonly string[]): boolean {
  const there = new Set(names(decisions));
  return wanted.every((id) => there.has(id));
}

function names({ faults, operations, draws }: Decisions): string[] {
  return [...[...faults, ...operations].map(({ id }) => id), ...draws];
}
