/** A simulator that only pretends, and a terminal that only listens. */
import { nodeId } from "../../src/core/ids.js";
import { mix32 } from "../../src/core/hash.js";
import { runProgram } from "../../src/cli/program.js";
import type { RunResult } from "../../src/lab/run-result.js";
import type { Scenario } from "../../src/lab/scenario.js";
import type { SimulateOptions, SimulationResult } from "../../src/sim/simulate.js";

/** Every seed that ends in 7 fails; every one that ends in 5 stays undecided. */
export function fakeSimulate(scenario: Scenario, options: SimulateOptions): SimulationResult {
  const { seed, decisions, stopAtStep = Infinity } = options;
  const word = mix32(seed);
  const steps = 1_000 + (word % 500);
  options.trace?.({
    t: 1,
    at: 1,
    node: 1,
    boot: 1,
    seq: 1,
    group: 1,
    cause: null,
    kind: "step",
    data: { input: "timer", word: 1 },
  });
  const fails = seed % 10 === 7 && stopAtStep >= 900;
  return {
    scenario: scenario.name,
    seed,
    verdict: fails ? "violation" : seed % 10 === 5 ? "undecided" : "ok",
    failure: fails ? failure(seed) : null,
    steps: Math.min(steps, stopAtStep),
    simulatedUs: 60_000_000 + (word % 1_000_003),
    acknowledged: word % 97,
    leaderChanges: word % 5,
    digest: word.toString(16).padStart(16, "0"),
    faults: { kill: { drawn: 1, fired: 3, effective: word % 3 } },
    marks: { [scenario.name]: 1 },
    decisions: decisions ?? fakeDecisions(seed),
    drawsNotRecorded: 0,
    latenciesUs: [],
    inert: word % 3 === 0 ? ["kill-0"] : [],
    stateDigest: null,
  };
}

export function fakeDecisions(seed: number): RunResult["decisions"] {
  return {
    options: { nodes: 3, groups: 1, replication: 3, clients: 1 },
    faults: [
      {
        id: "kill-0",
        kind: "kill",
        atUs: seed % 1_000,
        forUs: 10,
        nodes: [nodeId(2)],
        peers: [],
        group: 0,
        amount: 0,
      },
    ],
    operations: [
      {
        id: "0.0",
        client: 0,
        thinkUs: 5,
        group: 0,
        kind: "put",
        key: "p0/k0",
        value: "0.0",
        expected: null,
        read: "leader",
      },
    ],
    draws: ["loss:1:2:0@3#0"],
  };
}

function failure(seed: number): RunResult["failure"] {
  return {
    property: "election-safety",
    fingerprint: "election-safety: two leaders",
    message: `two leaders in term ${seed}`,
    step: 900,
    atUs: 5_000_000,
    node: 2,
    group: 1,
  };
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as JSON lines. */
  readonly records: () => Record<string, unknown>[];
}

export interface Setting {
  readonly simulate?: (scenario: Scenario, options: SimulateOptions) => SimulationResult;
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
  readonly onInterrupt?: (stop: () => void) => () => void;
}

/** Runs the program as from a shell, in this process. */
export async function quorumlab(typed: readonly string[], setting: Setting = {}): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const code = await runProgram(typed, {
    terminal: {
      stdout: { isTTY: setting.isTTY ?? false, write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      env: setting.env ?? {},
    },
    simulate: setting.simulate ?? fakeSimulate,
    onInterrupt: setting.onInterrupt ?? (() => () => {}),
  });
  const records = (): Record<string, unknown>[] =>
    stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, stdout, stderr, records };
}
