/** Hand-made views and a harness that runs one oracle, so that each can be shown to fail. */
import type { Configuration, Member } from "../../../src/core/raft/configuration.js";
import type { RaftView } from "../../../src/core/raft/view.js";
import {
  boot,
  groupId,
  incarnation,
  index,
  nodeId,
  replicaId,
  term,
  token,
} from "../../../src/core/ids.js";
import type { PersistRecord } from "../../../src/core/node/observer.js";
import type { Entry } from "../../../src/core/entry.js";
import type { RecoveredReplica } from "../../../src/core/consensus.js";
import type { Oracle, OracleSpec, Violation } from "../../../src/lab/oracle.js";
import type { Operation, OperationResult } from "../../../src/lab/operation.js";
import type { PlannedOperation } from "../../../src/lab/run-result.js";

/** A log entry as (term, digest); its position is its place in the list. */
export type FakeEntry = readonly [term: number, digest: number];

export interface FakeView {
  replica?: number;
  term?: number;
  vote?: number;
  role?: RaftView["role"];
  commit?: number;
  applied?: number;
  log?: readonly FakeEntry[];
  changedFrom?: number;
  configuration?: Configuration;
  configurationIndex?: number;
  leader?: number;
  asleep?: boolean;
  leaseUntilUs?: number;
  bounds?: RaftView["bounds"];
}

export function member(replica: number, node: number = replica): Member {
  return { replica: replicaId(replica), node: nodeId(node), disk: node };
}

export function configuration(
  voters: readonly number[],
  outgoing: readonly number[] = [],
): Configuration {
  return {
    voters: voters.map((replica) => member(replica)),
    outgoing: outgoing.map((replica) => member(replica)),
    learners: [],
    learnersNext: [],
    autoLeave: false,
    nextReplicaId: replicaId(99),
  };
}

export const three: Configuration = configuration([1, 2, 3]);

export function view(of: FakeView): RaftView {
  const log = of.log ?? [];
  const replica = of.replica ?? 1;
  return {
    group: groupId(1),
    incarnation: incarnation(1),
    replica: replicaId(replica),
    node: nodeId(replica),
    term: term(of.term ?? 1),
    vote: replicaId(of.vote ?? 0),
    role: of.role ?? "follower",
    leader: replicaId(of.leader ?? 0),
    commit: index(of.commit ?? 0),
    applied: index(of.applied ?? 0),
    configuration: of.configuration ?? three,
    configurationIndex: index(of.configurationIndex ?? 0),
    first: index(1),
    last: index(log.length),
    durable: index(log.length),
    changedFrom: of.changedFrom ?? Infinity,
    damaged: false,
    asleep: of.asleep ?? false,
    mayCampaign: true,
    leaseUntilUs: of.leaseUntilUs ?? 0,
    termAt: (at) => (at === 0 ? 0 : (log[at - 1]?.[0] ?? -1)),
    entryDigest: (at) => log[at - 1]?.[1] ?? -1,
    waitsFor: () => "",
    bounds: of.bounds ?? (() => []),
  };
}

/** Runs `drive` against a fresh oracle and gives back what it reported. */
export function judge(spec: OracleSpec, drive: (oracle: Required<Oracle>) => void): string[] {
  const shapes: string[] = [];
  const oracle = spec.make(
    (violation: Violation) => shapes.push(violation.shape),
    (reason) => shapes.push(`undecided: ${reason}`),
  );
  const nothing = (): void => {};
  const hooks: Oracle = {
    ...oracle,
    // Each step of a test is one that changes what is seen.
    stepped(node, of, nowUs, localUs) {
      oracle.changed?.(node, of);
      oracle.stepped?.(node, of, nowUs, localUs);
    },
  };
  drive(
    new Proxy(hooks, {
      get: (target, name) => Reflect.get(target, name) ?? nothing,
    }) as Required<Oracle>,
  );
  return shapes;
}

export function entry(at: number, ofTerm: number): Entry {
  return { term: term(ofTerm), index: index(at), type: 1, keyEpoch: 0, payload: new Uint8Array() };
}

export function persist(replica: number, of: Partial<PersistRecord>): PersistRecord {
  return {
    group: groupId(1),
    incarnation: incarnation(1),
    replica: replicaId(replica),
    token: token(1),
    hardState: null,
    truncateFrom: index(0),
    entries: [],
    installed: null,
    removed: false,
    ...of,
  };
}

export function hardState(ofTerm: number, vote = 0): PersistRecord["hardState"] {
  return { term: term(ofTerm), vote, commit: index(0) };
}

export function recovered(of: Partial<RecoveredReplica>): RecoveredReplica {
  return {
    hardState: { term: term(0), vote: 0, commit: index(0) },
    snapshot: null,
    entries: [],
    damagedThrough: index(0),
    ...of,
  };
}

export const first = boot(1);
export const node1 = nodeId(1);
export const node2 = nodeId(2);

/** A finished operation on key `p0/k0`, from `span[0]` to `span[1]`. */
export function operation(
  id: string,
  kind: PlannedOperation["kind"],
  span: readonly [number, number],
  of: { value?: string; result?: OperationResult; outcome?: Operation["outcome"] } = {},
): Operation {
  return {
    planned: {
      id,
      client: Number(id.split(".")[0]),
      thinkUs: 0,
      group: 0,
      kind,
      key: "p0/k0",
      value: of.value ?? "",
      expected: null,
      read: "leader",
    },
    invokedUs: span[0],
    completedUs: span[1],
    outcome: of.outcome ?? "ok",
    result: of.result ?? { kind: "written" },
    session: 1,
    serial: 1,
    served: null,
  };
}

export function value(text: string | null): OperationResult {
  return { kind: "value", value: text };
}
