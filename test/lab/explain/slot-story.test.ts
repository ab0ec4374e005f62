import { expect, test } from "vitest";
import type { Json } from "../../../src/core/plain.js";
import { explainTrace } from "../../../src/lab/explain/explain.js";
import { linesOf, recovered, state, traceOf } from "./traces.js";

interface Life {
  readonly step: string;
  readonly index: number;
  readonly epoch: number;
  readonly next?: number;
  readonly outcome?: string;
  readonly changed?: boolean;
  readonly slots?: readonly number[];
}

function life(of: Life): Json {
  const usual = { incarnation: 1, slots: [32, 64], next: 0, outcome: "done", changed: true };
  return { ...usual, ...of };
}

function job(index: number, asked: string, at: number, step: string, more: object = {}): Json {
  const named = { index, asked, job: 7, kind: "moveSlots", state: "running", at, steps: 4, step };
  const about = { by: "ann", outcome: "ok", about: [32, 64], slots: [32, 64], groups: [3, 2] };
  return { ...named, ...about, ...more };
}

const asks = { client: 1, call: "get", key: "p2/k6", value: null, expected: null };
const attempt = { client: 1, slot: 33 };
const reply = { ...attempt, answer: "done", newest: 0 };
const got = { client: 1, outcome: "ok", value: { kind: "value", value: "old" } };

/** An operation of client 1 on slot 33, answered by a node as a group at an epoch. */
function read(at: number, operation: string, node: number, group: number, epoch: number) {
  return [
    { at, group: 0, kind: "invoke", data: { ...asks, operation } },
    { at, group, kind: "attempt", data: { ...attempt, operation, to: node, epoch } },
    { at: at + 5, group, kind: "reply", data: { ...reply, operation, from: node, epoch } },
    { at: at + 5, group, kind: "return", data: { ...got, operation } },
  ];
}

const message = "group 3 answered operation 1.4 on p2/k6 (slot 33) at epoch 4, which was over";

/** Slot 33 goes from group 3 to group 2, and group 3 answers once more. */
const moved = [
  { at: 1, node: 1, group: 3, kind: "recovered", data: recovered(1) },
  { at: 2, node: 1, group: 3, kind: "state", data: state(1, "follower", 0, 0, 0, 0) },
  { at: 3, node: 1, group: 3, kind: "state", data: state(1, "leader", 1, 1, 0, 0) },
  { at: 10, node: 2, group: 1, kind: "steward", data: { active: true, term: 1 } },
  {
    at: 20,
    node: 1,
    group: 3,
    kind: "slots",
    data: life({ step: "acceptSlots", index: 2, epoch: 4 }),
  },
  ...read(30, "1.1", 1, 3, 4),
  { at: 40, group: 0, kind: "invoke", data: { ...asks, operation: "2.1", key: "p9/k" } },
  {
    at: 41,
    group: 2,
    kind: "attempt",
    data: { ...attempt, slot: 9, operation: "2.1", to: 1, epoch: 1 },
  },
  { at: 50, node: 2, group: 1, kind: "job", data: job(9, "moveSlots", 0, "group 3 gives up") },
  {
    at: 60,
    node: 1,
    group: 3,
    kind: "slots",
    data: life({ step: "exportSlots", index: 5, epoch: 8 }),
  },
  // Other replicas apply the same entry later.
  {
    at: 61,
    node: 2,
    group: 3,
    kind: "slots",
    data: life({ step: "exportSlots", index: 5, epoch: 8 }),
  },
  { at: 62, node: 3, group: 1, kind: "job", data: job(9, "moveSlots", 0, "group 3 gives up") },
  { at: 70, node: 2, group: 1, kind: "job", data: job(10, "advance", 2, "group 2 serves") },
  {
    at: 80,
    node: 2,
    group: 2,
    kind: "slots",
    data: life({ step: "acceptSlots", index: 3, epoch: 8 }),
  },
  ...read(90, "1.3", 2, 2, 8),
  { at: 95, group: 3, kind: "attempt", data: { ...attempt, operation: "1.4", to: 3, epoch: 4 } },
  {
    at: 99,
    group: 3,
    kind: "reply",
    data: { ...reply, operation: "1.4", from: 3, epoch: 4, answer: "moved", newest: 8 },
  },
  ...read(100, "1.4", 1, 3, 4),
  { at: 105, group: 3, kind: "violation", data: { property: "slot-ownership", message } },
];

test("explain: a slot that was served twice: its terms, the answer that does not fit, the job, the steward", () => {
  const text = explainTrace(traceOf(linesOf(moved)), { replay: [] });
  expect(text.split("\n").slice(4)).toEqual([
    "VIOLATION of slot-ownership, at 0.000105 s, group 3",
    "  must hold: a slot is served by one group at each epoch, and never again at an earlier one",
    "  but: group 3 answered operation 1.4 on p2/k6 (slot 33) at epoch 4, which was over",
    "",
    "Who served slot 33, that of p2/k6",
    "  one group at a time; each that takes it over, or takes it back, has a higher epoch",
    "  0.000020 to 0.000060: group 3 at epoch 4, 1 answer",
    "  0.000060 to 0.000080: nobody",
    "  0.000080 to the end: group 2 at epoch 8, 1 answer",
    "  1 answer fits none of these:",
    "  0.000105 n1 answered client 1 as group 3 at epoch 4; it was group 2 at epoch 8 [1.4]",
    "",
    "What led to it, for slot 33 (under the nodes: group 3)",
    "  under each node: L leads, c campaigns, p asks around first, f follows, x is down; own: the group that serves",
    "  slot 33, - for nobody",
    " seconds 123 own",
    "0.000001 ...   - n1 starts replica 1 (boot 1) in term 0, empty log",
    "0.000003 L..   - n1 LEADS term 1",
    "0.000010 L..   - n2 is the STEWARD (term 1)",
    "0.000020 L..   3 n1: group 3 SERVES slots 32 to 63 at epoch 4 (entry 2)",
    "0.000030 L..   3 client 1 asks get p2/k6 [1.1]",
    "0.000030 L..   3 client 1 asks n1 as group 3, epoch 4 [1.1]",
    '0.000035 L..   3 client 1 has "old" [1.1] from n1, group 3 at epoch 4',
    "0.000050 L..   3 job 7, moveSlots, BEGINS: step 1 of 4, group 3 gives up",
    "0.000060 L..   - n1: group 3 GIVES UP slots 32 to 63 at epoch 8 (entry 5)",
    "0.000070 L..   - job 7, moveSlots, goes on: step 3 of 4, group 2 serves",
    "0.000080 L..   2 n2: group 2 SERVES slots 32 to 63 at epoch 8 (entry 3)",
    "0.000090 L..   2 client 1 asks get p2/k6 [1.3]",
    "0.000090 L..   2 client 1 asks n2 as group 2, epoch 8 [1.3]",
    '0.000095 L..   2 client 1 has "old" [1.3] from n2, group 2 at epoch 8',
    "0.000095 L..   2 client 1 asks n3 as group 3, epoch 4 [1.4]",
    "0.000099 L..   2 client 1 hears from n3: moved: group 3 knows epoch 8, not 4 [1.4]",
    "0.000100 L..   2 client 1 asks get p2/k6 [1.4]",
    "0.000100 L..   2 client 1 asks n1 as group 3, epoch 4 [1.4]",
    '0.000105 L..   2 client 1 has "old" [1.4] from n1, group 3 at epoch 4, NOT IN FORCE',
    "0.000105 L..   2 VIOLATION of slot-ownership",
    "(not shown: 2 more)",
    "",
    "Jobs at the end",
    "  steward: n2 since 0.000010 s (term 1)",
    "  job 7, moveSlots, since 0.000070 s: step 3 of 4, group 2 serves",
    "",
    "What each node believed at the end, in group 3",
    "  n1  replica 1, leader, term 1, vote for 1, commit 0, empty log, seen at 0.000003 s",
  ]);
});

test("explain: a slot taken back while its new group serves it: both are told as serving", () => {
  const violation = { property: "linearizability", message: "no order explains [p2/k6, )" };
  const text = explainTrace(
    traceOf(
      linesOf([
        ...moved.slice(0, -5),
        {
          at: 100,
          node: 1,
          group: 3,
          kind: "slots",
          data: life({ step: "keepSlots", index: 8, epoch: 8, next: 9 }),
        },
        { at: 101, node: 2, group: 1, kind: "job", data: job(12, "cancel", 1, "group 3 serves") },
        ...read(110, "1.5", 2, 2, 8),
        ...read(120, "1.6", 1, 3, 9),
        { at: 130, group: 0, kind: "violation", data: violation },
      ]),
    ),
  );
  expect(text).toContain(
    [
      "  0.000080 to the end: group 2 at epoch 8, 2 answers",
      "  0.000100 to the end: group 3 at epoch 9, 1 answer",
      "",
    ].join("\n"),
  );
  expect(text).toContain(
    "2+3 n1: group 3 SERVES slots 32 to 63 again, at epoch 9 instead of 8 (entry 8)\n",
  );
  expect(text).toContain("job 7, moveSlots, is CANCELLED: step 2 of 4, group 3 serves\n");
});

test("explain: a step refused again and again: told once", () => {
  const refused = (index: number): Json =>
    life({ step: "stageSlots", index, epoch: 8, outcome: "overloaded", changed: false });
  const message = "job 7 (moveSlots) is at step 2 of 4: copy slots 32 to 63 to group 2";
  const text = explainTrace(
    traceOf(
      linesOf([
        { at: 1, node: 1, group: 2, kind: "slots", data: refused(4) },
        { at: 2, node: 1, group: 2, kind: "slots", data: refused(5) },
        { at: 3, node: 2, group: 2, kind: "slots", data: refused(5) },
        { at: 4, group: 0, kind: "violation", data: { property: "liveness", message } },
      ]),
    ),
  );
  const told = text.split("\n").filter((line) => line.includes("refused"));
  expect(told).toEqual([
    "0.000001 .. n1: refused, overloaded: group 2 receives a piece of slots 32 to 63 for epoch 8 (entry 4)",
  ]);
});
