import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../../src/core/plain.js";
import {
  traceFields,
  type TraceFieldType,
  type TraceKind,
} from "../../../src/core/trace/schema.js";
import { explainTrace } from "../../../src/lab/explain/explain.js";
import { header, linesOf, state, traceOf, twoLeaders } from "./traces.js";

const replay = ["quorumlab replay out/failure.json --trace out/trace.jsonl"];

describe("a failure", () => {
  test("explain: two leaders in one term: what broke, what led to it, who believed what", () => {
    const text = explainTrace(traceOf(twoLeaders()), { replay });
    expect(text.split("\n")).toEqual([
      "isolated-leader, seed 42, world sim",
      "trace format 1, commit 0123456789abcdef0123456789abcdef01234567, Node.js v20.19.0",
      "options nodes:3 groups:1 replication:3 attackUs:9000000",
      "",
      "VIOLATION of election-safety, at 3.700001 s, node 1, group 1",
      "  must hold: at most one leader per term of a group (Raft thesis figure 3.2)",
      "  but: replica 1 of group 1 on node 1 leads term 2, which replica 3 led already",
      "",
      "What led to it, in group 1",
      "  under each node: L leads, c campaigns, p asks around first, f follows, x is down; a letter for each fault",
      "  while it lasts; * caused the violation",
      " seconds   123",
      "0.000000   ...   n1 starts replica 1 (boot 1) in term 0, empty log",
      "0.000000   f..   n2 starts replica 2 (boot 1) in term 0, empty log",
      "0.000000   ff.   n3 starts replica 3 (boot 1) in term 0, empty log",
      "0.210000   pff   n1 asks who would vote for it after term 0",
      "0.212400   cff   n1 campaigns in term 1",
      "0.213000   cff   n2 follows in term 1; votes for replica 1",
      "0.214123   Lff   n1 LEADS term 1",
      '0.900000   Lff   client 0 asks put p0/k1 "0.1" [0.1]',
      "0.905000   Lff   n1 commits through 2",
      "0.906000   Lff   client 0 has ok [0.1]",
      "3.000000 a Lff   fault cut-0 begins: cut, node 1, against 2 3, for 4 s",
      "3.400000 a Lfc   n3 campaigns in term 2",
      "3.400500 a Lfc   n3 -> n2 vote of term 2",
      "3.402000 a Lfc   n2 follows in term 2; votes for replica 3",
      "3.403000 a LfL * n3 LEADS term 2",
      "3.500000 a LxL   n2 CRASHES: killed",
      "3.600000 a LxL   client 1 has nothing there [1.4]",
      "3.700001 a LxL   n1 LEADS term 2",
      "3.700001 a LxL * VIOLATION of election-safety",
      "(not shown: 1 more)",
      "",
      "What each node believed at the end, in group 1",
      "  n1  replica 1, leader, term 2, vote for 1, commit 2, log 1..3, seen at 3.700001 s",
      "  n2  is down",
      "  n3  replica 3, leader, term 2, vote for 3, commit 0, log 1..1, seen at 3.403000 s",
      "",
      "Run it again:",
      "quorumlab replay out/failure.json --trace out/trace.jsonl",
    ]);
  });

  test("explain: few lines allowed: what matters most stays, nearest to the violation", () => {
    const text = explainTrace(traceOf(twoLeaders()), { linesMax: 4 });
    const told = text.split("\n").filter((line) => /^\d+\.\d{6}/.test(line));
    expect(told.map((line) => line.slice(17))).toEqual([
      "n3 LEADS term 2",
      "n2 CRASHES: killed",
      "n1 LEADS term 2",
      "VIOLATION of election-safety",
    ]);
  });

  test("explain: a trace without violation: says so, tells the run", () => {
    const lines = linesOf([
      { at: 5, node: 1, kind: "state", data: state(1, "follower", 3, 1, 2, 9) },
      { at: 6, node: 1, kind: "state", data: state(1, "follower", 4, 0, 2, 4) },
    ]);
    const text = explainTrace(traceOf(lines));
    expect(text).toContain("No violation in this trace.");
    expect(text).toContain("n1 follows in term 4; cuts its log back from 9 to 4");
    expect(text).not.toContain("Run it again");
  });

  test("explain: other groups: their elections are told, their clients are not", () => {
    const violation = { property: "no-lost-write", message: "gone" };
    const asks = {
      operation: "3.3",
      client: 3,
      call: "put",
      key: "p1/k3",
      value: "v",
      expected: null,
    };
    const lines = linesOf([
      { at: 1, node: 1, group: 2, kind: "state", data: state(1, "leader", 7, 1, 0, 0) },
      { at: 2, node: 1, group: 2, kind: "state", data: state(1, "follower", 8, 0, 0, 0) },
      { at: 3, group: 2, kind: "invoke", data: asks },
      { at: 4, node: 1, group: 2, kind: "state", data: state(1, "leader", 9, 1, 0, 0) },
      { at: 5, group: 1, kind: "violation", data: violation },
    ]);
    const text = explainTrace(traceOf(lines));
    expect(text).toContain("n1 LEADS term 9 in group 2\n");
    expect(text).not.toContain("client 3");
  });

  test("explain: a trace cut in half: told up to there, and said", () => {
    const lines = twoLeaders();
    const half = [...lines.slice(0, 11), lines[11]!.slice(0, 20)];
    const text = explainTrace(traceOf(half));
    expect(text).toContain("INCOMPLETE: line 12 breaks off: the writer was stopped there");
    expect(text).toContain("n1 LEADS term 1");
  });
});

describe("any trace", () => {
  const values: Record<TraceFieldType, fc.Arbitrary<Json>> = {
    number: fc.integer({ min: -5, max: 9_000_000 }),
    text: fc.oneof(fc.string(), fc.constantFrom("leader", "cas", "ok", "phase", "cut-1")),
    flag: fc.boolean(),
    digest: fc.constant("0123456789abcdef"),
    bytes: fc.constant("AA=="),
    numbers: fc.array(fc.nat(9)),
    optionalText: fc.option(fc.string()),
    json: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  };
  const event = fc.constantFrom(...(Object.keys(traceFields) as TraceKind[])).chain((kind) => {
    const fields = Object.entries(traceFields[kind]) as [string, TraceFieldType][];
    return fc.record({
      at: fc.nat(9_000_000),
      node: fc.nat(30),
      group: fc.nat(3),
      kind: fc.constant(kind),
      cause: fc.option(fc.record({ node: fc.nat(3), boot: fc.constant(1), seq: fc.nat(9) })),
      data: fc.record(Object.fromEntries(fields.map(([name, type]) => [name, values[type]]))),
    });
  });

  test("explain: any events: never throws, no line over 110 columns, no control characters", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const text = explainTrace(traceOf(linesOf(events)), { replay });
        for (const line of text.split("\n")) {
          expect(line.length).toBeLessThanOrEqual(110);
          expect(line).not.toMatch(/\p{Cc}/u);
        }
        expect(text.endsWith(replay[0]!)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("explain: a header without events: nothing happened", () => {
    expect(explainTrace(traceOf([header]))).toContain("Nothing happened.");
  });
});
