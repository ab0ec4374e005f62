/** A state machine of a user's own in the multi-Raft node: what is asked of it and what judges it. */
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/plain.js";
import { slotOf } from "../../src/core/store/slots.js";
import type { SlotRange, StateMachine } from "../../src/core/state-machine.js";
import { partByKey } from "../../src/lab/history/operation.js";
import type { Model } from "../../src/lab/history/models/model.js";
import { linearizable, overHistory } from "../../src/lab/judged-history.js";
import type { RunResult } from "../../src/lab/run-result.js";
import type { Scenario, StateMachineRequest, StateMachineSpec } from "../../src/lab/scenario.js";
import { fault, mixedWorkload, second, smallCluster } from "../../src/lab/shapes.js";
import { shrink } from "../../src/sim/shrink/shrink.js";
import { simulate } from "../../src/sim/simulate.js";

/** A sum for each slot. A command of one byte adds it; both it and a query answer the sum. */
class Sums implements StateMachine {
  readonly sums = new Map<number, number>();

  apply(command: Uint8Array, slot: number): Uint8Array {
    if (command.length === 1) this.sums.set(slot, (this.sums.get(slot) ?? 0) + command[0]!);
    return this.answer(slot);
  }

  query(_question: Uint8Array, slot: number): Uint8Array {
    return this.answer(slot);
  }

  exportSlots({ from, to }: SlotRange): Uint8Array {
    const within = this.#sorted().filter(([slot]) => slot >= from && slot < to);
    return new Uint8Array(Uint32Array.from(within.flat()).buffer);
  }

  importSlots({ from, to }: SlotRange, bytes: Uint8Array): boolean {
    for (const slot of this.sums.keys()) if (slot >= from && slot < to) this.sums.delete(slot);
    const words = new Uint32Array(bytes.slice().buffer);
    for (let at = 0; at < words.length; at += 2) this.sums.set(words[at]!, words[at + 1]!);
    return true;
  }

  digest(): readonly [number, number] {
    return digestOf(this.#sorted());
  }

  answer(slot: number): Uint8Array {
    return new Uint8Array(Uint32Array.of(this.sums.get(slot) ?? 0).buffer);
  }

  #sorted(): [number, number][] {
    return [...this.sums].sort(([a], [b]) => a - b);
  }
}

const sumIn = (answer: Uint8Array): number => new Uint32Array(answer.slice().buffer)[0]!;

const addition: Model<number, StateMachineRequest, Uint8Array> = {
  name: "addition",
  partition: partByKey,
  initial: 0,
  step(sum, { bytes }, answer) {
    const next = sum + (bytes[0] ?? 0);
    return answer === undefined || sumIn(answer) === next ? next : undefined;
  },
  readOnly: ({ kind }) => kind === "query",
  stateKey: String,
  operationKey: ({ bytes }, answer) => `${bytes[0]}: ${answer && sumIn(answer)}`,
};

const keys = ["a", "b/1", "b/2"];
const ask = (key: string): StateMachineRequest => ({
  kind: "query",
  key,
  bytes: new Uint8Array(0),
});

function sums(own: Partial<StateMachineSpec> = {}, more: Partial<Scenario> = {}): Scenario {
  return {
    name: "sums",
    about: "sums of small numbers, with kills and few entries to a snapshot",
    cluster: { ...smallCluster, raft: { snapshotEveryEntries: 16, trailingEntries: 4 } },
    workload: { ...mixedWorkload, leaseReads: 150 },
    faults: {
      swarm: ["loss", "duplicate", "delay"],
      swarmFaultsMax: 3,
      plan: () =>
        [4, 8, 12].map((at, n) => fault({ kind: "kill", atUs: at * second, forUs: second }, n)),
    },
    phases: { attackUs: 15 * second },
    expect: "ok",
    stateMachine: {
      machine: () => new Sums(),
      request: (draw) => {
        const key = draw.pick(keys);
        if (draw.chance(400)) return ask(key);
        return { kind: "command", key, bytes: Uint8Array.of(draw.integer(44, 48)) };
      },
      lastQuestions: keys.map(ask),
      properties: [linearizable(addition)],
      ...own,
    },
    ...more,
  };
}

function firstViolation(scenario: Scenario): RunResult | null {
  for (let seed = 1; seed <= 10; seed++) {
    const result = simulate(scenario, { seed });
    if (result.verdict === "violation") return result;
  }
  return null;
}

class StaleSums extends Sums {
  #before = this.answer(0);

  override apply(command: Uint8Array, slot: number): Uint8Array {
    this.#before = this.answer(slot);
    return super.apply(command, slot);
  }

  override query(): Uint8Array {
    return this.#before;
  }
}

class ForgetfulSums extends Sums {
  override exportSlots({ from, to }: SlotRange): Uint8Array {
    return super.exportSlots({ from, to: Math.min(to, slotOf(Uint8Array.of(0x61))) });
  }
}

class PickySums extends Sums {
  override apply(command: Uint8Array, slot: number): Uint8Array {
    if (command.length === 0) throw new Error("not a command");
    return super.apply(command, slot);
  }
}

describe("own state machine", () => {
  it("a right one: all holds, and every seed is the same twice", () => {
    expect(firstViolation(sums())).toBeNull();
    const result = simulate(sums(), { seed: 3 });
    expect(result.verdict).toBe("ok");
    expect(result.acknowledged).toBeGreaterThan(50);
    const kinds = new Set(result.decisions.operations.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(["command", "query"]);
    const modes = new Set(result.decisions.operations.map(({ read }) => read));
    expect([...modes].sort()).toEqual(["follower", "leader", "lease"]);
    expect(simulate(sums(), { seed: 3 }).digest).toBe(result.digest);
  });

  it("keys of one slot meet in one group, whatever the number of groups", () => {
    const cluster = { ...smallCluster, groups: 3 };
    const { decisions } = simulate(sums({}, { cluster }), { seed: 1 });
    const groupsOf = (prefix: string): number[] => {
      const found = decisions.operations.filter(({ key }) => key.startsWith(prefix));
      return [...new Set(found.map(({ group }) => group))];
    };
    expect(groupsOf("b")).toHaveLength(1);
    expect(groupsOf("a")).not.toEqual(groupsOf("b"));
  });

  it("a query that answers what was before: linearizability", () => {
    const caught = firstViolation(sums({ machine: () => new StaleSums() }));
    expect(caught?.failure?.fingerprint).toBe("linearizability: no linear order");
    expect(caught?.failure?.message).toMatch(/operations on slot \d+/);
  });

  it("a snapshot without a part of the state: state-machine-safety", () => {
    const caught = firstViolation(sums({ machine: () => new ForgetfulSums() }));
    expect(caught?.failure?.property).toBe("state-machine-safety");
  });

  it("a machine that throws at a command without meaning: invariant", () => {
    const caught = firstViolation(sums({ machine: () => new PickySums() }));
    expect(caught?.failure?.fingerprint).toBe("invariant: invariant: Error: not a command");
  });

  it("a judge of its own sees all that was asked, and its words without numbers are the shape", () => {
    const small = overHistory({
      id: "small",
      about: "no sum comes to 300",
      judge(history) {
        const large = history.find(({ output }) => output !== undefined && sumIn(output) >= 300);
        return large === undefined ? null : `${large.key} came to ${sumIn(large.output!)}`;
      },
    });
    const caught = firstViolation(sums({ properties: [small] }));
    expect(caught?.failure?.fingerprint).toBe("small: slot n came to n");
  });

  it("what a client was last answered comes with its next question", () => {
    const answers: (Uint8Array | null)[] = [];
    const request: StateMachineSpec["request"] = (_draw, client, last) => {
      if (client === 0) answers.push(last);
      return { kind: "command", key: `of-${client}`, bytes: Uint8Array.of(1) };
    };
    simulate(sums({ request }, { faults: { swarm: [], swarmFaultsMax: 0 } }), { seed: 1 });
    expect(answers.length).toBeGreaterThan(5);
    expect(answers[0]).toBeNull();
    expect(answers.slice(1).map((answer) => sumIn(answer!))).toEqual(
      answers.slice(1).map((_, n) => n + 1),
    );
  });

  it("a failure comes back by its decisions alone, and shrinks", () => {
    const machine = (): StateMachine => new ForgetfulSums();
    const caught = firstViolation(sums({ machine }))!;
    const scenario = sums({
      machine,
      request: () => {
        throw new Error("nothing is asked but what is listed");
      },
    });
    const result = shrink(
      (decisions) => simulate(scenario, { seed: caught.seed, decisions }),
      caught,
      { rerunsMax: 60 },
    );
    expect(result.outcome).toBe("smaller");
    expect(result.result.failure?.fingerprint).toBe(caught.failure?.fingerprint);
  });
});
