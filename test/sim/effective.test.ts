/** A fault counts as effective for what it changed, not for having been put into force. */
import { describe, expect, test } from "vitest";
import { nodeId } from "../../src/core/ids.js";
import type { Fault } from "../../src/lab/fault.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { fault, millisecond, mixedWorkload, second, smallCluster } from "../../src/lab/shapes.js";
import { SimClock } from "../../src/sim/clock.js";
import type { Executor, FaultRun } from "../../src/sim/executor.js";
import { handlers } from "../../src/sim/fault-handlers.js";
import { type Program, SimProcess } from "../../src/sim/process.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import { unfelt } from "../../src/sim/search/vacuity.js";
import { simulate } from "../../src/sim/simulate.js";
import { KeyedStream } from "../../src/sim/streams.js";

const attackUs = 6 * second;
const three: Scenario = {
  name: "three",
  about: "three nodes, no faults of their own",
  cluster: { ...smallCluster, nodes: 3, groups: 1 },
  workload: mixedWorkload,
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: { attackUs },
  expect: "ok",
};

type Given = Pick<Fault, "kind" | "atUs"> & Partial<Fault>;

/** What a run with these faults, all of node 1 unless said, tells of them. */
function run(given: readonly Given[], seed = 1): ReturnType<typeof simulate> {
  const faults = given.map((of, ordinal) => fault({ nodes: [nodeId(1)], ...of }, ordinal));
  return simulate(three, { seed, faults });
}

const dead: Given = { kind: "kill", atUs: second, forUs: 9 * second };
const late = { atUs: 2 * second, forUs: second };

describe.each([
  { kind: "drift", amount: 10_000 },
  { kind: "slowNode", amount: 20 },
  { kind: "pause", amount: 0 },
] as const)("$kind", ({ kind, amount }) => {
  test("effective: of a node that lives: has an effect", () => {
    expect(run([{ kind, amount, ...late }]).faults[kind]!.effective).toBeGreaterThan(0);
  });

  test("effective: of a node that is dead all the while: none", () => {
    const { faults } = run([dead, { kind, amount, ...late }]);
    expect(faults[kind]).toEqual({ drawn: 1, fired: 1, effective: 0 });
  });
});

test("effective: slowMachine: when a command meets it, of its own group", () => {
  const slow: Given = { kind: "slowMachine", amount: 500, ...late };
  expect(run([slow]).faults.slowMachine!.effective).toBeGreaterThan(0);
  expect(run([{ ...slow, group: 1 }]).faults.slowMachine!.effective).toBe(0);
});

test("effective: rotGroup: for each entry of the group that is damaged", () => {
  const rotten: Given = { kind: "rotGroup", amount: 3, atUs: 4 * second };
  const again: Given = { kind: "kill", atUs: 4 * second + 1, forUs: 100 * millisecond };
  const { faults, marks, verdict } = run([rotten, again]);
  expect(verdict).toBe("ok");
  expect(faults.rotGroup!.effective).toBe(3);
  expect(marks["recoveredDamaged"]).toBe(1);
  expect(run([{ ...rotten, group: 1 }]).faults.rotGroup!.effective).toBe(0);
});

test("effective: a clock that drifts by nothing: none", () => {
  expect(run([{ kind: "drift", amount: 0, ...late }]).faults.drift!.effective).toBe(0);
});

test("effective: two kills of one process: one of them", () => {
  for (let seed = 1; seed <= 6; seed++) {
    const again = { ...dead, atUs: dead.atUs + 1 };
    expect(run([dead, again], seed).faults.kill).toEqual({ drawn: 1, fired: 2, effective: 1 });
  }
});

test("effective: killInStart: for each start that ended before its boot, not for the kill", () => {
  const cut: Given = { kind: "killInStart", atUs: second, forUs: 100 * millisecond, amount: 3 };
  expect(run([cut]).faults.killInStart!.effective).toBe(3);
  const tooLate = run([{ ...cut, atUs: attackUs - 1 }]);
  expect(tooLate.faults.killInStart).toEqual({ drawn: 1, fired: 1, effective: 0 });
});

test("effective: wipe: only where something was on the disk", () => {
  const wipe: Given = { kind: "wipe", atUs: attackUs - 2, forUs: 100 * millisecond };
  const { inert, faults } = run([wipe, { ...wipe, atUs: attackUs - 1 }]);
  expect(faults.wipe!.fired).toBe(2);
  expect(inert).toEqual(["wipe-1"]);
});

test("effective: wallStep: nothing in a node reads its wall clock, as vacuity is told", () => {
  const { faults } = run([{ kind: "wallStep", atUs: second, amount: second }]);
  expect(faults.wallStep).toEqual({ drawn: 1, fired: 1, effective: 0 });
  expect(Object.keys(unfelt)).toEqual(["wallStep"]);
});

describe("faults of one process", () => {
  interface Bench {
    readonly process: SimProcess;
    readonly scheduler: Scheduler;
    /** Ordinals of the faults that changed something. */
    readonly effects: number[];
    begin(kind: Fault["kind"], ordinal: number, amount: number): void;
    end(kind: Fault["kind"], ordinal: number): void;
  }

  function bench(): Bench {
    const scheduler = new Scheduler();
    const effects: number[] = [];
    const process = new SimProcess({
      node: nodeId(1),
      makeClock: (wish: (atUs: number) => void) =>
        new SimClock(() => scheduler.nowUs, { monotonicUs: 0, wallUs: 500 }, wish),
      disk: { submitAtUs: 0 },
      scheduler,
      timing: new KeyedStream(1, "timing"),
      network: {},
      died: () => {},
      effective: (by: number) => {
        if (by >= 0) effects.push(by);
      },
    } as unknown as ConstructorParameters<typeof SimProcess>[0]);
    process.run({ boot: 1, start() {}, turn() {} } as unknown as Program);
    const executor = { world: { processes: [process] } } as unknown as Executor;
    const runOf = (kind: Fault["kind"], ordinal: number, amount: number): FaultRun =>
      ({ nodes: [0], ordinal, fault: fault({ kind, atUs: 0, amount }, ordinal) }) as never;
    return {
      process,
      scheduler,
      effects,
      begin: (kind, ordinal, amount) =>
        handlers[kind].begin(executor, runOf(kind, ordinal, amount)),
      end: (kind, ordinal) => handlers[kind].end!(executor, runOf(kind, ordinal, 0)),
    };
  }

  /** How far the node's clock goes in a second of world time. */
  function passes({ process, scheduler }: Bench): number {
    const { clock } = process.ports;
    const before = process.clock.nowUs();
    scheduler.add(scheduler.nowUs + second, 255);
    scheduler.next();
    return clock.nowUs() - before;
  }

  test("drift: the newest decides, then the older one again, each to its own credit", () => {
    const under = bench();
    under.begin("drift", 1, 10_000);
    under.begin("drift", 2, -20_000);
    expect(passes(under)).toBe(980_000);
    under.end("drift", 2);
    expect(passes(under)).toBe(1_010_000);
    under.end("drift", 1);
    expect(passes(under)).toBe(1_000_000);
    expect(under.effects).toEqual([2, 1]);
  });

  test("slowNode: lasts until both have ended, each to its own credit", () => {
    const under = bench();
    const { process } = under;
    under.begin("slowNode", 1, 5);
    under.begin("slowNode", 2, 50);
    process.turn(process.life);
    under.end("slowNode", 2);
    process.turn(process.life);
    expect(process.slowness.value).toBe(5);
    under.end("slowNode", 1);
    process.turn(process.life);
    expect(under.effects).toEqual([2, 1]);
  });

  test("wallStep: whoever reads the wall clock after it feels it", () => {
    const under = bench();
    const { clock } = under.process.ports;
    expect(clock.wallUs()).toBe(500);
    expect(under.effects).toEqual([]);
    under.begin("wallStep", 4, 100);
    expect(clock.wallUs()).toBe(600);
    expect(under.effects).toEqual([4]);
  });
});
