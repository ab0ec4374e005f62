import { describe, expect, test } from "vitest";
import { ByteWriter, emptyBytes } from "../../src/core/bytes.js";
import type { Machine, MachineEffect, MachineInput } from "../../src/core/machine.js";
import { nodeId, noToken, token } from "../../src/core/ids.js";
import type { Fault } from "../../src/lab/fault.js";
import type { OracleSpec } from "../../src/lab/oracle.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { fault, mixedWorkload, second, smallCluster } from "../../src/lab/shapes.js";
import type { Json } from "../../src/core/plain.js";
import { simOptions } from "../../src/sim/options.js";
import { simulate } from "../../src/sim/simulate.js";

const short: Scenario = {
  name: "short",
  about: "a little of everything, for tests",
  cluster: { ...smallCluster, raft: { snapshotEveryEntries: 24, trailingEntries: 4 } },
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "duplicate", "delay", "kill", "pause", "cut", "tornWrite"],
    swarmFaultsMax: 9,
  },
  phases: { attackUs: 8 * second },
  expect: "ok",
};
const calm: Scenario = { ...short, name: "calm", faults: { swarm: [], swarmFaultsMax: 0 } };

describe("a run", () => {
  test("simulate: no faults: all held, operations answered, a leader per group", () => {
    const result = simulate(calm, { seed: 1 });
    expect(result.failure).toBeNull();
    expect(result.verdict).toBe("ok");
    expect(result.acknowledged).toBeGreaterThan(50);
    expect(result.leaderChanges).toBeGreaterThanOrEqual(1);
    expect(result.simulatedUs).toBeGreaterThan(8 * second);
  });

  test.each([-1, 1.5, NaN, 2 ** 60, "x", undefined])("simulate: %s is no seed", (seed) => {
    expect(() => simulate(calm, { seed: seed as number })).toThrow(
      new RangeError(`seed must be a whole number from 0 to 2^53 - 1, not ${String(seed)}`),
    );
  });

  test.each([1, 2, 3])("simulate: same seed twice (%i): same digest at every step", (seed) => {
    const [first, second] = [1, 2].map(() => simulate(short, { seed, checkDeterminism: true }));
    expect(second).toEqual(first);
    expect(first!.stateDigest).toMatch(/^[0-9a-f]{16}$/);
    expect(first!.digest).toBe(simulate(short, { seed }).digest);
  });

  test("simulate: another seed: another run", () => {
    expect(simulate(short, { seed: 8 }).digest).not.toBe(simulate(short, { seed: 9 }).digest);
  });

  test("simulate: a trace or no oracles: the digest stays", () => {
    const seen: unknown[] = [];
    const { digest } = simulate(short, { seed: 4 });
    expect(simulate(short, { seed: 4, trace: (event) => seen.push(event) }).digest).toBe(digest);
    expect(simulate(short, { seed: 4, oracles: [] }).digest).toBe(digest);
    expect(seen.length).toBeGreaterThan(1_000);
  });

  test("simulate: stopAtStep: ends there, undecided", () => {
    const result = simulate(short, { seed: 1, stopAtStep: 500 });
    expect(result.verdict).toBe("undecided");
    expect(result.steps).toBe(500);
  });
});

describe("replay", () => {
  test.each([5, 6])("simulate: by decisions (seed %i): the same run, nothing unmatched", (seed) => {
    const first = simulate(short, { seed });
    const again = simulate(short, { seed, decisions: first.decisions });
    expect(again.digest).toBe(first.digest);
    expect(again.inert).toEqual(first.inert);
    expect(again.decisions.draws).toEqual(first.decisions.draws);
  });

  test("simulate: snapshots asked for after fewer entries: so it is, and never after more", () => {
    const drawn = simOptions(short, 5).raft;
    expect(simOptions(short, 5, { snapshotEveryEntries: 8 }).raft).toEqual({
      ...drawn,
      snapshotEveryEntries: 8,
      trailingEntries: 2,
    });
    expect(simOptions(short, 5, { snapshotEveryEntries: 1_000 }).raft).toEqual(drawn);
    const { decisions, digest } = simulate(short, { seed: 5 });
    const options = { ...decisions.options, snapshotEveryEntries: 8 };
    const sooner = simulate(short, { seed: 5, decisions: { ...decisions, options } });
    expect(sooner.verdict).toBe("ok");
    expect(sooner.digest).not.toBe(digest);
    expect(sooner.decisions.options).toEqual(options);
  });

  test("simulate: limits that the seed tightens: replay takes them from the decisions", () => {
    const { decisions, digest } = simulate(short, { seed: 5 });
    const { limits, raft } = simOptions(short, 5);
    expect(decisions.options["limits"]).toEqual(limits);
    expect(Object.keys(limits)).not.toEqual([]);
    const replayed = (given: Json, more = {}): ReturnType<typeof simOptions> =>
      simOptions(short, 5, { ...more, limits: given });
    expect(replayed({}).limits).toEqual({});
    expect(replayed({ "raft.inflightMessagesMax": 3 }).raft).toEqual({
      ...replayed({}).raft,
      inflightMessagesMax: 3,
    });
    expect(replayed({ ...limits }).raft).toEqual(raft);
    const { limits: _none, ...older } = decisions.options;
    const again = simulate(short, { seed: 5, decisions: { ...decisions, options: older } });
    expect(again.digest).toBe(digest);
  });

  test("simulate: a recorded limit that there is no more: is told as inert", () => {
    const { decisions } = simulate(calm, { seed: 5 });
    const options = { ...decisions.options, limits: { "raft.gone": 1, "raft.leaseReads": 7 } };
    const again = simulate(calm, { seed: 5, decisions: { ...decisions, options } });
    expect(again.inert).toEqual(["limit raft.gone", "limit raft.leaseReads"]);
  });

  test("simulate: how long operations took: one number for each, some of them not 0", () => {
    const { decisions, latenciesUs } = simulate(calm, { seed: 1 });
    expect(latenciesUs).toHaveLength(decisions.operations.length);
    expect(Math.min(...latenciesUs)).toBeGreaterThanOrEqual(0);
    expect(latenciesUs.filter((us) => us > 300 && us < 60_000).length).toBeGreaterThan(50);
  });

  test("simulate: the first few decisions only: later faults do not begin", () => {
    const first = simulate(short, { seed: 5 });
    const again = simulate(short, { seed: 5, decisions: first.decisions, firstDecisions: 1 });
    expect(again.decisions.faults).toEqual(first.decisions.faults.slice(0, 1));
    expect(again.failure).toBeNull();
  });

  test("simulate: a listed draw that nothing answers to: is told as inert", () => {
    const { decisions } = simulate(calm, { seed: 5 });
    const draws = ["loss:77:0:0@3#0"];
    expect(simulate(calm, { seed: 5, decisions: { ...decisions, draws } }).inert).toEqual(draws);
  });

  test("simulate: listed operations and faults that never began: are told as inert", () => {
    const { decisions } = simulate(calm, { seed: 5 });
    const [operation] = decisions.operations;
    const nobody = { ...operation!, id: "77.0", client: 77 };
    const late = fault({ kind: "kill", atUs: 999 * second, nodes: [nodeId(1)] }, 0);
    const { inert } = simulate(calm, {
      seed: 5,
      decisions: { ...decisions, faults: [late], operations: [...decisions.operations, nobody] },
    });
    expect(inert).toEqual(["kill-0", "77.0"]);
  });

  test("simulate: faults and operations that a caller hands in: these and no others", () => {
    const faults = [fault({ kind: "kill", atUs: second, forUs: second, nodes: [nodeId(1)] }, 0)];
    const [operation] = simulate(calm, { seed: 5 }).decisions.operations;
    const result = simulate(short, { seed: 5, faults, operations: [operation!] });
    expect(result.decisions.faults).toEqual(faults);
    expect(result.decisions.operations).toEqual([operation]);
    expect(result.faults.kill).toEqual({ drawn: 1, fired: 1, effective: 1 });
  });
});

describe("violations", () => {
  test("simulate: an oracle that objects: the run ends at that step with its words", () => {
    const never: OracleSpec = {
      id: "no-leader",
      about: "nobody ever leads",
      judges: "step",
      make: (report) => ({
        stepped(node, view) {
          if (view.role !== "leader") return;
          report({
            message: `node ${node} leads`,
            shape: "somebody leads",
            node,
            group: view.group,
          });
        },
      }),
    };
    const result = simulate(calm, { seed: 2, oracles: [never] });
    expect(result.verdict).toBe("violation");
    expect(result.failure).toMatchObject({
      property: "no-leader",
      fingerprint: "no-leader: somebody leads",
      step: result.steps,
    });
  });

  test("simulate: an oracle that throws: its own error ends the run, and is no finding", () => {
    const broken: OracleSpec = {
      id: "broken",
      about: "nothing, for it is broken",
      judges: "step",
      make: () => ({
        stepped() {
          throw new RangeError("a fault of ours");
        },
      }),
    };
    expect(() => simulate(calm, { seed: 2, oracles: [broken] })).toThrow("a fault of ours");
  });

  test("simulate: a majority is gone for good: liveness says who waits for what", () => {
    const nodes = [nodeId(1), nodeId(2)];
    const faults: Fault[] = [fault({ kind: "wipe", atUs: second, forUs: 100_000, nodes }, 0)];
    const three = { ...calm, cluster: { ...smallCluster, nodes: 3, groups: 1 } };
    // Within the budget only one of them is wiped, and the group goes on.
    expect(simulate(three, { seed: 3, faults }).verdict).toBe("ok");
    const lifted = simulate(three, { seed: 3, faults, safetyOnly: true });
    expect(lifted.failure).toBeNull();
    expect(lifted.faults.wipe?.effective).toBeGreaterThan(1);
  });

  test("simulate: silent loss where no violation is expected: never put into force", () => {
    const nodes = [nodeId(1), nodeId(2), nodeId(3)];
    const faults = [fault({ kind: "lyingSync", atUs: second, forUs: second, nodes }, 0)];
    expect(simulate(calm, { seed: 3, faults }).faults.lyingSync?.fired).toBe(0);
    const expecting: Scenario = { ...calm, expect: "violation" };
    expect(simulate(expecting, { seed: 3, faults }).faults.lyingSync?.fired).toBe(1);
  });
});

/** Answers each request with how many it has durably counted. */
class Counter implements Machine<MachineInput, MachineEffect> {
  readonly state = { count: 0, token: 0 };

  step(_now: number, input: MachineInput, out: MachineEffect[]): void {
    if (input.kind === "start") this.state.count = input.records.length;
    if (input.kind !== "request") return;
    const after = token(++this.state.token);
    this.state.count++;
    out.push({ kind: "persist", token: after, record: emptyBytes });
    const writer = new ByteWriter();
    writer.u32(this.state.count);
    out.push({ kind: "answer", request: input.request, bytes: writer.finish(), after });
  }
}

/** The same without waiting for the disk. */
class Hasty extends Counter {
  override step(now: number, input: MachineInput, out: MachineEffect[]): void {
    const effects: MachineEffect[] = [];
    super.step(now, input, effects);
    for (const effect of effects) {
      out.push(effect.kind === "answer" ? { ...effect, after: noToken } : effect);
    }
  }
}

describe("a protocol of a user's own", () => {
  const counted = (bytes: Uint8Array): number => bytes[0]! | (bytes[1]! << 8);
  const scenario = (machine: () => Counter): Scenario => ({
    ...short,
    name: "counter",
    faults: { swarm: ["kill"], swarmFaultsMax: 30 },
    phases: { attackUs: 20 * second },
    protocol: {
      machine,
      request: (draw) => Uint8Array.of(draw.integer(0, 255)),
      properties: [
        {
          id: "counts-on",
          about: "no node answers with a count that it has answered before",
          judge() {
            const seen = new Set<string>();
            return ({ node, answer }) => {
              const key = `${node}:${counted(answer)}`;
              if (seen.has(key)) return `node ${node} answered ${counted(answer)} twice`;
              seen.add(key);
              return null;
            };
          },
        },
      ],
    },
  });

  test("simulate: a counter that waits for its disk: holds through crashes", () => {
    for (const seed of [1, 2, 3]) {
      const result = simulate(
        scenario(() => new Counter()),
        { seed },
      );
      expect(result.failure).toBeNull();
      expect(result.acknowledged).toBeGreaterThan(50);
    }
  });

  test("simulate: a machine that throws: the property invariant", () => {
    class Throwing extends Counter {
      override step(now: number, input: MachineInput, out: MachineEffect[]): void {
        if (this.state.count === 3) throw new RangeError("three is too much");
        super.step(now, input, out);
      }
    }
    const { failure } = simulate(
      scenario(() => new Throwing()),
      { seed: 1 },
    );
    expect(failure?.property).toBe("invariant");
    expect(failure?.message).toContain("RangeError: three is too much");
  });

  test("simulate: a counter that answers before its disk: is caught", () => {
    const seeds = Array.from({ length: 30 }, (_, n) => n + 1);
    const caught = seeds.find((seed) => {
      const { failure } = simulate(
        scenario(() => new Hasty()),
        { seed },
      );
      return failure?.fingerprint === "counts-on: node n answered n twice";
    });
    expect(caught).toBeDefined();
  });
});
