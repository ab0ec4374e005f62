import { describe, expect, test } from "vitest";
import type { Json } from "../../src/core/plain.js";
import {
  checkTraceEvent,
  checkTraceHeader,
  type TraceCause,
  type TraceEvent,
} from "../../src/core/trace/schema.js";
import { explainTrace } from "../../src/lab/explain/explain.js";
import { fault, mappedCluster, mixedWorkload, smallCluster } from "../../src/lab/shapes.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { readTrace } from "../../src/lab/trace-reader.js";
import { simulate } from "../../src/sim/simulate.js";
import { traceEndText, traceEventText, traceHeaderText } from "../../src/sim/trace-writer.js";

const scenario: Scenario = {
  name: "traced",
  about: "a kill and a cut in a small cluster",
  cluster: smallCluster,
  workload: mixedWorkload,
  expect: "ok",
  faults: {
    swarm: [],
    swarmFaultsMax: 0,
    plan: (_draw, { nodes }) => [
      fault({ kind: "kill", atUs: 1_500_000, forUs: 400_000, nodes: nodes.slice(0, 1) }, 0),
      fault({ kind: "cut", atUs: 1_000_000, forUs: 300_000, peers: nodes }, 0),
    ],
  },
  phases: { attackUs: 2_500_000 },
};

const events: TraceEvent[] = [];
const traced = simulate(scenario, { seed: 7, trace: (event) => events.push(event) });

const nameOf = ({ node, boot, seq }: TraceCause): string => `${node}/${boot}/${seq}`;

test("trace: a run with and without one: the same digest", () => {
  expect(simulate(scenario, { seed: 7 }).digest).toBe(traced.digest);
});

test("trace: every line: as the schema has it, and read back equal", () => {
  const { seed, decisions } = traced;
  const origin = { scenario: scenario.name, seed, options: decisions.options };
  const header = traceHeaderText({ ...origin, commit: "", nodeVersion: "v20.19.0" });
  expect(checkTraceHeader(JSON.parse(header) as Json)).not.toHaveProperty("kind");
  const lines = events.map(traceEventText);
  for (const line of lines) {
    expect(checkTraceEvent(JSON.parse(line) as Json)).not.toHaveProperty("kind", "badTrace");
  }
  const read = readTrace([header, ...lines, traceEndText(lines.length)]);
  expect(read).toMatchObject({ ok: { cut: null, events } });
  const told = "ok" in read ? explainTrace(read.ok) : "";
  expect(told).toMatch(
    /fault cut-0 begins: cut, node (1, against 2 3|2, against 1 3|3, against 1 2),/,
  );
});

test("trace: numbers: without gaps for each node and boot, each boot begun by its event", () => {
  const seqs = new Map<string, number>();
  for (const { node, boot, seq, kind } of events) {
    // What a node does before it knows its boot has no boot event.
    const key = `${node}/${boot}`;
    if (boot > 0 && !seqs.has(key)) expect(kind).toBe("boot");
    expect(seq).toBe((seqs.get(key) ?? 0) + 1);
    seqs.set(key, seq);
  }
  expect(seqs.has("1/2")).toBe(true);
});

test("trace: causes: earlier events; what arrives was sent by whom it says, to this node", () => {
  const seen = new Map<string, TraceEvent>();
  let received = 0;
  for (const event of events) {
    const { cause } = event;
    const from = cause === null ? null : seen.get(nameOf(cause));
    if (cause !== null) expect(from).toBeDefined();
    if (event.kind === "receive") {
      received++;
      expect(from).toMatchObject({ kind: "send", node: event.data.from });
      expect(from).toMatchObject({ data: { to: event.node, id: event.data.id } });
    }
    seen.set(nameOf(event), event);
  }
  expect(received).toBeGreaterThan(100);
});

test("trace: evidence: the leader is elected, writes are acknowledged, every commit is chosen", () => {
  const chosen = new Map<string, string>();
  for (const { kind, group, data } of events) {
    if (kind !== "chosen") continue;
    const key = `${group}/${data.position}`;
    expect(chosen.get(key) ?? data.digest).toBe(data.digest);
    chosen.set(key, data.digest);
  }
  expect(chosen.size).toBeGreaterThan(3);
  for (const kind of ["elected", "acked", "configuration", "crash", "fault", "invoke", "return"]) {
    expect(events.some((event) => event.kind === kind)).toBe(true);
  }
});

describe("trace: faults", () => {
  const told: TraceEvent<"fault">[] = [];
  const struck: Scenario = {
    ...scenario,
    name: "faults-told",
    about: "faults of the leader, of all links, of more nodes than may lose data, some without end",
    cluster: { ...smallCluster, nodes: 3, groups: 1 },
    faults: {
      ...scenario.faults,
      plan: (_draw, { nodes }) => [
        fault({ kind: "flap", atUs: 1_500_000, forUs: 9_000_000, peers: nodes }, 0),
        fault({ kind: "loss", atUs: 1_000_000, forUs: 9_000_000, amount: 20 }, 0),
        fault({ kind: "slowNode", atUs: 1_000_000, forUs: 500_000, nodes, amount: 2 }, 0),
        fault({ kind: "rot", atUs: 1_000_000, nodes, amount: 1 }, 0),
        fault({ kind: "transferLeader", atUs: 2_000_000 }, 0),
      ],
    },
  };
  let leader = 0;
  simulate(struck, {
    seed: 7,
    trace: (event) => {
      if (event.kind === "fault") told.push(event);
      if (event.kind === "elected" && event.at! < 1_500_000) leader = event.node;
    },
  });
  const of = (id: string) =>
    told.filter(({ data }) => data.id === id).map(({ at, data }) => ({ at: at!, ...data }));

  test("trace: a fault of whoever leads: named by node, its peers the others", () => {
    const peers = [1, 2, 3].filter((node) => node !== leader);
    expect(of("flap-0")[0]).toMatchObject({ active: true, nodes: [leader], peers });
  });

  test("trace: a fault of more nodes than may lose data: those that it struck", () => {
    expect(of("rot-0")).toMatchObject([{ active: true, nodes: [1] }]);
  });

  test("trace: faults of all links and of people: no nodes", () => {
    expect(of("loss-0")[0]).toMatchObject({ active: true, nodes: [], peers: [] });
    expect(of("transferLeader-0")).toMatchObject([{ active: true, nodes: [] }]);
  });

  test("trace: faults that outlive the attack: each ends once, when it is healed", () => {
    expect(of("slowNode-0").map(({ at }) => at)).toEqual([1_000_000, 1_500_000]);
    for (const id of ["flap-0", "loss-0"]) {
      const [begun, ended, ...more] = of(id);
      expect(ended).toMatchObject({ active: false, nodes: begun!.nodes, peers: begun!.peers });
      expect(ended!.at).toBeGreaterThan(2_500_000);
      expect(more).toEqual([]);
    }
  });
});

describe("trace: nodes that die while they start", () => {
  const starts: TraceEvent[] = [];
  const dying = {
    ...scenario,
    name: "starts-cut-short",
    about: "each node is killed, and killed again while it recovers; the clocks drift",
    faults: {
      ...scenario.faults,
      plan: (_draw, { nodes }) =>
        nodes.flatMap((node, n) => [
          fault({ kind: "drift", atUs: 0, nodes: [node], amount: 20_000 - n, forUs: 2_500_000 }, n),
          fault(
            { kind: "killInStart", atUs: 500_000, forUs: 100_000, nodes: [node], amount: 4 },
            n,
          ),
        ]),
    },
  } satisfies Scenario;
  const run = simulate(dying, { seed: 7, trace: (event) => starts.push(event) });

  test("trace: names: none is used twice, and each cause is the earlier event that it was", () => {
    const seen = new Map<string, TraceEvent>();
    const livesOf0 = starts.filter(({ kind, boot }) => kind === "crash" && boot === 0);
    expect(livesOf0.length).toBeGreaterThan(3);
    for (const event of starts) {
      expect(seen.has(nameOf(event))).toBe(false);
      const from = event.cause === null ? undefined : seen.get(nameOf(event.cause));
      if (event.cause !== null) expect(from?.at).toBeLessThanOrEqual(event.at!);
      seen.set(nameOf(event), event);
    }
  });

  test("trace: boot: the node's clocks as they are, and its disk", () => {
    const boots = starts.filter(({ kind }) => kind === "boot") as TraceEvent<"boot">[];
    expect(boots.length).toBeGreaterThan(3);
    for (const { at, t, node, data } of boots) {
      // World time 0 is a day in the past, give or take a second.
      expect(Math.abs(data.wallOffsetUs - 1_700_000_000_000_000)).toBeLessThanOrEqual(1_000_000);
      expect(t + data.worldOffsetUs).toBe(at);
      expect(data.disk).toBe(node * 1_000);
    }
    const rates = new Set(
      boots.filter(({ at }) => at! < 2_500_000).map(({ data }) => data.driftPpm),
    );
    expect([...rates].sort((a, b) => a - b)).toEqual([19_998, 19_999, 20_000]);
    expect(new Set(boots.map(({ data }) => data.wallOffsetUs)).size).toBe(3);
    expect(run.verdict).toBe("ok");
  });
});

describe("trace: a cluster with a map", () => {
  const mapped: Scenario = {
    ...scenario,
    name: "traced-map",
    about: "slots move while the first steward is killed",
    cluster: mappedCluster,
    faults: {
      ...scenario.faults,
      plan: () => [
        fault({ kind: "moveSlots", atUs: 2_000_000 }, 0),
        fault({ kind: "kill", atUs: 3_000_000, forUs: 400_000 }, 0),
        fault({ kind: "splitGroup", atUs: 4_000_000 }, 0),
      ],
    },
    phases: { attackUs: 6_000_000 },
  };
  const seen: TraceEvent[] = [];
  const run = simulate(mapped, { seed: 7, trace: (event) => seen.push(event) });

  test("trace: with a map: the same digest without a trace, each line as the schema has it", () => {
    expect(run.verdict).toBe("ok");
    expect(simulate(mapped, { seed: 7 }).digest).toBe(run.digest);
    for (const event of seen) expect(checkTraceEvent(event as unknown as Json)).toBe(event);
  });

  test("trace: with a map: each answer is of a group that took the slot at its epoch", () => {
    const taken = new Set<string>();
    let answers = 0;
    for (const { kind, group, data } of seen) {
      if (kind === "slots" && data.changed && data.step === "acceptSlots") {
        const [from = 0, to = 0] = data.slots;
        for (let slot = from; slot < to; slot++) taken.add(`${group}/${slot}/${data.epoch}`);
      }
      if (kind !== "reply" || data.answer !== "done") continue;
      answers++;
      expect(taken).toContain(`${group}/${data.slot}/${data.epoch}`);
    }
    expect(answers).toBeGreaterThan(10);
  });

  test("trace: with a map: jobs begin and end, and who is steward", () => {
    const jobs = seen.filter((event) => event.kind === "job").map(({ data }) => data);
    for (const kind of ["assign", "moveSlots", "split"]) {
      expect(jobs).toContainEqual(expect.objectContaining({ kind, state: "running", at: 0 }));
      expect(jobs).toContainEqual(expect.objectContaining({ kind, state: "done", step: "" }));
    }
    const stewards = seen.filter((event) => event.kind === "steward" && event.data.active);
    expect(new Set(stewards.map(({ node }) => node)).size).toBeGreaterThan(1);
  });
});
