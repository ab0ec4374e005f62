import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeId } from "../../src/core/ids.js";
import type { Fault, FaultKind } from "../../src/lab/fault.js";
import type { OracleSpec } from "../../src/lab/oracle.js";
import type { PlannedOperation } from "../../src/lab/run-result.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { mixedWorkload, second, smallLog } from "../../src/lab/shapes.js";
import { simulate } from "../../src/sim/simulate.js";

/** Three nodes and one group for six seconds: all else is for fast-check to say. */
const plain: Scenario = {
  name: "plain",
  about: "what fast-check makes of it",
  cluster: { nodes: 3, groups: 1, replication: 3, raft: {}, wal: smallLog },
  workload: { ...mixedWorkload, clients: 3 },
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: { attackUs: 6 * second },
  expect: "ok",
};

const kinds = [
  "kill",
  "pause",
  "cut",
  "cutOneWay",
  "loss",
  "delay",
  "duplicate",
  "slowDisk",
] as const;
const node = fc.integer({ min: 1, max: 3 }).map(nodeId);

const someFault = fc.record({
  kind: fc.constantFrom<FaultKind>(...kinds),
  atUs: fc.integer({ min: 0, max: 5 * second }),
  forUs: fc.integer({ min: 100_000, max: 2 * second }),
  nodes: node.map((each) => [each]),
  peers: fc.uniqueArray(node, { minLength: 1, maxLength: 3 }),
  amount: fc.integer({ min: 2, max: 300 }),
});

const somePlan = fc
  .array(someFault, { maxLength: 6 })
  .map((faults) =>
    faults.map((each, n): Fault => ({ ...each, id: `${each.kind}-${n}`, group: 0 })),
  );

const someOperation = fc.record({
  client: fc.integer({ min: 0, max: 2 }),
  thinkUs: fc.integer({ min: 1_000, max: 500_000 }),
  kind: fc.constantFrom("get", "put", "delete", "cas", "range"),
  key: fc.integer({ min: 0, max: 2 }),
  expected: fc.constantFrom(null, "0.0", "1.0"),
  read: fc.constantFrom("leader", "lease", "follower"),
});

const someOperations = fc.array(someOperation, { maxLength: 30 }).map((list) => {
  const ordinals = [0, 0, 0];
  return list.map((each): PlannedOperation => {
    const id = `${each.client}.${ordinals[each.client]!++}`;
    const writes = each.kind === "put" || each.kind === "cas";
    const key = each.kind === "range" ? "p0/" : `p0/k${each.key}`;
    return { ...each, id, key, value: writes ? id : "", group: 0 };
  });
});

describe("property: any plan of faults and any workload", () => {
  it("holds for whatever fast-check thinks of", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), somePlan, someOperations, (seed, faults, operations) => {
        const result = simulate(plain, { seed, faults, operations });
        expect(result.failure).toBeNull();
        expect(result.verdict).toBe("ok");
      }),
      { numRuns: 25 },
    );
  });

  it("shrinks through a run to the one fault that matters", () => {
    const details = fc.check(
      fc.property(somePlan, someOperations, (faults, operations) => {
        const result = simulate(plain, { seed: 7, faults, operations, oracles: [nobodyCrashes] });
        expect(result.failure).toBeNull();
      }),
      { numRuns: 25 },
    );
    expect(details.failed).toBe(true);
    const [faults, operations] = details.counterexample!;
    expect(faults.map(({ kind }) => kind)).toEqual(["kill"]);
    expect(operations).toEqual([]);
  });
});

/** A property that any crash breaks: planted, to see what shrinking leaves. */
const nobodyCrashes: OracleSpec = {
  id: "nobody-crashes",
  about: "planted: no process is ever killed",
  judges: "step",
  make: (report) => ({
    crashed: (at) =>
      report({ message: `node ${at} crashed`, shape: "a crash", node: at, group: 0 }),
  }),
};
