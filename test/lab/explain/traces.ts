/** Traces by hand, small enough to read. */
import type { Json } from "../../../src/core/plain.js";
import { readTrace, type Trace } from "../../../src/lab/trace-reader.js";

export const header = JSON.stringify({
  kind: "header",
  tool: "quorumlab",
  version: 1,
  scenario: "isolated-leader",
  seed: 42,
  world: "sim",
  commit: "0123456789abcdef0123456789abcdef01234567",
  node: "v20.19.0",
  options: { nodes: 3, groups: 1, replication: 3, attackUs: 9_000_000 },
});

interface Event {
  readonly at: number;
  readonly node?: number;
  readonly boot?: number;
  readonly group?: number;
  readonly kind: string;
  readonly cause?: Json;
  readonly data?: Json;
}

/** The lines of a trace; sequence numbers are counted for each node. */
export function linesOf(events: readonly Event[]): string[] {
  const sequences = new Map<number, number>();
  return [
    header,
    ...events.map(({ at, node = 0, boot = 1, group = 1, kind, cause, data = {} }) => {
      const seq = (sequences.get(node) ?? 0) + 1;
      sequences.set(node, seq);
      const caused = cause === undefined ? {} : { cause };
      return JSON.stringify({ t: at, at, node, boot, seq, group, kind, ...caused, data });
    }),
  ];
}

export function traceOf(lines: Iterable<string>): Trace {
  const read = readTrace(lines);
  if ("error" in read) throw new Error(JSON.stringify(read.error));
  return read.ok;
}

export function state(
  replica: number,
  role: string,
  term: number,
  vote: number,
  commit: number,
  last: number,
): Json {
  return { replica, role, term, vote, commit, first: 1, last };
}

const put = { operation: "0.1", client: 0, what: "put", key: "p0/k1", value: "0.1....." };
const get = { operation: "1.4", client: 1, what: "get", key: "p0/k1", value: "" };
const cut = { id: "cut-0", kind: "cut", forUs: 4_000_000, nodes: [], peers: [1, 2, 3], amount: 0 };

/** The leader is cut off, another is elected, and both lead the same term in the end. */
export function twoLeaders(): string[] {
  return linesOf([
    { at: 0, node: 1, kind: "replicaStarted", data: state(1, "follower", 0, 0, 0, 0) },
    { at: 0, node: 2, kind: "replicaStarted", data: state(2, "follower", 0, 0, 0, 0) },
    { at: 0, node: 3, kind: "replicaStarted", data: state(3, "follower", 0, 0, 0, 0) },
    { at: 210_000, node: 1, kind: "timer", data: state(1, "preCandidate", 0, 0, 0, 0) },
    { at: 212_400, node: 1, kind: "message", data: state(1, "candidate", 1, 1, 0, 0) },
    { at: 213_000, node: 2, kind: "message", data: state(2, "follower", 1, 1, 0, 0) },
    { at: 214_123, node: 1, kind: "message", data: state(1, "leader", 1, 1, 0, 1) },
    { at: 216_000, node: 1, kind: "message", data: state(1, "leader", 1, 1, 1, 1) },
    { at: 900_000, kind: "invoked", data: { ...put, outcome: "open", result: null } },
    { at: 905_000, node: 1, kind: "message", data: state(1, "leader", 1, 1, 2, 2) },
    {
      at: 906_000,
      kind: "completed",
      data: { ...put, outcome: "ok", result: { kind: "written" } },
    },
    { at: 3_000_000, group: 0, kind: "faultBegan", data: cut },
    { at: 3_400_000, node: 3, kind: "timer", data: state(3, "candidate", 2, 3, 0, 0) },
    {
      at: 3_400_500,
      node: 3,
      group: 1,
      kind: "released",
      data: { to: 2, message: "vote", term: 2 },
    },
    { at: 3_402_000, node: 2, kind: "message", data: state(2, "follower", 2, 3, 0, 0) },
    { at: 3_403_000, node: 3, kind: "message", data: state(3, "leader", 2, 3, 0, 1) },
    { at: 3_500_000, node: 2, group: 0, kind: "crashed" },
    {
      at: 3_600_000,
      kind: "completed",
      data: { ...get, outcome: "ok", result: { kind: "value", value: null } },
    },
    {
      at: 3_700_001,
      node: 1,
      kind: "violation",
      cause: { node: 3, boot: 1, seq: 4 },
      data: {
        property: "election-safety",
        message: "replica 1 of group 1 on node 1 leads term 2, which replica 3 led already",
      },
    },
    { at: 3_700_001, node: 1, kind: "message", data: state(1, "leader", 2, 1, 2, 3) },
    { at: 9_000_000, node: 1, kind: "timer", data: state(1, "follower", 9, 0, 2, 3) },
  ]);
}
