/**
 * Whatever people ask of a cluster with a map, in whatever order, while nodes die and links are cut: what
 * clients saw stays linearizable, every oracle holds, and all jobs come to an end.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { nodeId } from "../../src/core/ids.js";
import { KvStore } from "../../src/core/store/kv.js";
import type { Fault, FaultKind } from "../../src/lab/fault.js";
import type { PlannedOperation } from "../../src/lab/run-result.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { mappedCluster, millisecond, mixedWorkload, second } from "../../src/lab/shapes.js";
import { simulate } from "../../src/sim/simulate.js";
import { runs } from "../setup/soak.js";

const nodes = 5;
const clients = 3;
/** So few that each command is likely to strike a slot of a client. */
const slotCount = 16;
const nothing = { from: 0, to: 0 };

/** The map is made in the first second; then commands come for about seven. */
const bare: Scenario = {
  name: "bare-map",
  about: "a cluster with a map, of which fast-check says what is done to it",
  cluster: { ...mappedCluster, nodes, groups: 3, map: { slotCount, zones: 1 } },
  workload: { ...mixedWorkload, clients },
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: { attackUs: 8 * second },
  expect: "ok",
};

const jobs = [
  "moveSlots",
  "splitGroup",
  "mergeGroups",
  "createGroup",
  "destroyGroup",
  "spreadSlots",
  "moveReplica",
  "drainNode",
  "joinNode",
  "cancelJob",
] as const;

/** `wipe`: the disk is lost, and a new one comes; `loseNode`: that node never comes back. */
const losses = ["kill", "cut", "cutOneWay", "pause", "transferLeader", "wipe", "loseNode"] as const;

type Command = Pick<Fault, "kind" | "forUs" | "nodes" | "peers" | "amount"> & {
  /** After the command before it. */
  readonly waitUs: number;
};

/** Steps so wide that shrinking has few of them. */
const waitUs = fc.integer({ min: 1, max: 9 }).map((n) => n * 100 * millisecond);
const node = fc.integer({ min: 1, max: nodes }).map(nodeId);
const forUs = fc.integer({ min: 1, max: 10 }).map((n) => n * 300 * millisecond);

/** Which groups there will be nobody knows yet: the amount chooses among those that there are then. */
const someJob: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom<FaultKind>(...jobs),
  waitUs,
  forUs: fc.constant(0),
  nodes: fc.constant([]),
  peers: fc.constant([]),
  amount: fc.integer({ min: 1, max: 0xffff }),
});

/** Nodes that die, are cut off or lost, and whoever leads a group gives way. */
const someLoss: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom<FaultKind>(...losses),
  waitUs,
  forUs,
  nodes: node.map((each) => [each]),
  peers: fc.uniqueArray(node, { minLength: 1, maxLength: nodes }),
  amount: fc.constant(0),
});

function commandsOf(maxLength: number): fc.Arbitrary<Command[]> {
  const each = fc.oneof({ arbitrary: someJob, weight: 3 }, { arbitrary: someLoss, weight: 1 });
  return fc.array(each, { maxLength, size: "max" });
}

const someOperation = fc.record({
  client: fc.nat(clients - 1),
  thinkUs: fc.integer({ min: 1, max: 10 }).map((n) => n * 50 * millisecond),
  kind: fc.constantFrom("get", "put", "delete", "cas", "range"),
  /** So few that clients meet, each in a slot of its own. */
  prefix: fc.nat(3),
  key: fc.nat(1),
  expected: fc.constantFrom(null, "0.0", "1.0"),
  read: fc.constantFrom("leader", "lease", "follower"),
});

function operationsOf(maxLength: number): fc.Arbitrary<PlannedOperation[]> {
  return fc.array(someOperation, { maxLength, size: "max" }).map((list) => list.map(planned));
}

/** Ids are counted for each client. */
function planned(
  each: ReturnType<typeof someOperation.generate>["value"],
  at: number,
  list: readonly (typeof each)[],
): PlannedOperation {
  const ordinal = list.slice(0, at).filter(({ client }) => client === each.client).length;
  const id = `${each.client}.${ordinal}`;
  const writes = each.kind === "put" || each.kind === "cas";
  const key = `p${each.prefix}/${each.kind === "range" ? "" : `k${each.key}`}`;
  return { ...each, id, key, value: writes ? id : "", group: 0 };
}

function faultsOf(commands: readonly Command[]): Fault[] {
  let atUs = second;
  return commands.map((each, ordinal) => {
    atUs += each.waitUs;
    const { kind, forUs, nodes, peers, amount } = each;
    return { id: `${kind}-${ordinal}`, kind, atUs, forUs, nodes, peers, group: 0, amount };
  });
}

/** What must hold of each run. After the first that fails only so many more are tried, to shrink it. */
function holdsIn(scenario: Scenario, shrinkRunsMax: number) {
  let left = Infinity;
  return (seed: number, commands: readonly Command[], operations: readonly PlannedOperation[]) => {
    if (left-- <= 0) return;
    const result = simulate(scenario, { seed, faults: faultsOf(commands), operations });
    if (result.verdict !== "ok") left = Math.min(left, shrinkRunsMax);
    expect(result.failure).toBeNull();
    expect(result.verdict).toBe("ok");
  };
}

describe("property: a cluster with a map, under whatever people ask of it", () => {
  const whole = Object.getOwnPropertyDescriptor(KvStore.prototype, "exportSlots")!;
  afterEach(() => {
    Object.defineProperty(KvStore.prototype, "exportSlots", whole);
  });

  test("many groups: any commands, any operations: nothing wrong is said, and all comes to an end", () => {
    const seed = fc.nat(1_000_000);
    fc.assert(fc.property(seed, commandsOf(14), operationsOf(60), holdsIn(bare, 200)), {
      numRuns: runs(10),
    });
  });

  test("many groups: a move that loses what it carries, planted: shrinks to one command", () => {
    // A snapshot is of all slots; a move never is.
    KvStore.prototype.exportSlots = function (slots) {
      const exported = whole.value as KvStore["exportSlots"];
      return exported.call(this, slots.to - slots.from < slotCount ? nothing : slots);
    };
    const brief: Scenario = { ...bare, phases: { attackUs: 5 * second } };
    const details = fc.check(
      fc.property(fc.constant(7), commandsOf(8), operationsOf(30), holdsIn(brief, 60)),
      { numRuns: 40 },
    );
    expect(details.failed).toBe(true);
    const [, commands, operations] = details.counterexample!;
    expect(commands).toHaveLength(1);
    expect(operations.length).toBeLessThanOrEqual(10);
  });
});
