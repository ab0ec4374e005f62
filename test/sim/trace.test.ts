import { expect, test } from "vitest";
import type { Json } from "../../src/core/plain.js";
import {
  checkTraceEvent,
  checkTraceHeader,
  type TraceCause,
  type TraceEvent,
} from "../../src/core/trace/schema.js";
import { explainTrace } from "../../src/lab/explain/explain.js";
import { fault, mixedWorkload, smallCluster } from "../../src/lab/shapes.js";
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
  expect("ok" in read && explainTrace(read.ok)).toContain("fault cut-0 begins: cut, the leader");
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
