/** Traces by hand, small enough to read. */
import type { Json } from "../../../src/core/plain.js";
import { readTrace, type Trace } from "../../../src/lab/trace-reader.js";

export const header = JSON.stringify({
  tool: "quorumlab",
  formatVersion: 1,
  commit: "0123456789abcdef0123456789abcdef01234567",
  nodeVersion: "v20.19.0",
  scenario: "isolated-leader",
  seed: 42,
  options: { nodes: 3, groups: 1, replication: 3, attackUs: 9_000_000 },
  world: "sim",
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

/** The lines of a trace; sequence numbers are counted for each boot of a node. */
export function linesOf(events: readonly Event[]): string[] {
  const sequences = new Map<string, number>();
  return [
    header,
    ...events.map(({ at, node = 0, boot = 1, group = 1, kind, cause = null, data = {} }) => {
      const key = `${node}/${boot}`;
      const seq = (sequences.get(key) ?? 0) + 1;
      sequences.set(key, seq);
      return JSON.stringify({ t: at, at, node, boot, seq, group, kind, cause, data });
    }),
    JSON.stringify({ kind: "end", events: events.length }),
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
  return { replica, role, term, vote, leader: 0, commit, first: 1, last };
}

export function recovered(replica: number): Json {
  return { replica, term: 0, vote: 0, first: 1, last: 0 };
}

const put = { client: 0, operation: "0.1", call: "put", key: "p0/k1", value: "0.1....." };
const cut = { id: "cut-0", fault: "cut", nodes: [1], peers: [2, 3], forUs: 4_000_000, amount: 0 };

/** The leader is cut off, another is elected, and both lead the same term in the end. */
export function twoLeaders(): string[] {
  const starts = [1, 2, 3].flatMap((node) => [
    { at: 0, node, kind: "recovered", data: recovered(node) },
    { at: 0, node, kind: "state", data: state(node, "follower", 0, 0, 0, 0) },
  ]);
  return linesOf([
    ...starts,
    { at: 210_000, node: 1, kind: "state", data: state(1, "preCandidate", 0, 0, 0, 0) },
    { at: 212_400, node: 1, kind: "state", data: state(1, "candidate", 1, 1, 0, 0) },
    { at: 213_000, node: 2, kind: "state", data: state(2, "follower", 1, 1, 0, 0) },
    { at: 214_123, node: 1, kind: "state", data: state(1, "leader", 1, 1, 0, 1) },
    { at: 216_000, node: 1, kind: "state", data: state(1, "leader", 1, 1, 1, 1) },
    { at: 900_000, kind: "invoke", data: { ...put, expected: null } },
    { at: 905_000, node: 1, kind: "state", data: state(1, "leader", 1, 1, 2, 2) },
    {
      at: 906_000,
      kind: "return",
      data: { client: 0, operation: "0.1", outcome: "ok", value: { kind: "written" } },
    },
    { at: 3_000_000, group: 0, kind: "fault", data: { ...cut, active: true } },
    { at: 3_400_000, node: 3, kind: "state", data: state(3, "candidate", 2, 3, 0, 0) },
    {
      at: 3_400_500,
      node: 3,
      kind: "send",
      data: { to: 2, id: 9, message: { kind: "vote", term: 2 } },
    },
    { at: 3_402_000, node: 2, kind: "state", data: state(2, "follower", 2, 3, 0, 0) },
    { at: 3_403_000, node: 3, kind: "state", data: state(3, "leader", 2, 3, 0, 1) },
    { at: 3_500_000, node: 2, group: 0, kind: "crash", data: { reason: "killed" } },
    {
      at: 3_600_000,
      kind: "return",
      data: { client: 1, operation: "1.4", outcome: "ok", value: { kind: "value", value: null } },
    },
    { at: 3_700_001, node: 1, kind: "step", data: { input: "message", word: 7 } },
    { at: 3_700_001, node: 1, kind: "state", data: state(1, "leader", 2, 1, 2, 3) },
    {
      at: 3_700_001,
      node: 1,
      kind: "violation",
      cause: { node: 3, boot: 1, seq: 5 },
      data: {
        property: "election-safety",
        message: "replica 1 of group 1 on node 1 leads term 2, which replica 3 led already",
      },
    },
    { at: 9_000_000, node: 1, kind: "state", data: state(1, "follower", 9, 0, 2, 3) },
  ]);
}
