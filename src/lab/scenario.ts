/**
 * A scenario: a cluster, a workload, a fault plan, and what must hold. Plain data and small
 * functions; the same file runs in both worlds.
 */
import type { Fault, FaultKind } from "./fault.js";
import type { Draw } from "./draw.js";
import type { OracleSpec } from "./oracle.js";
import type { NodeId } from "../core/ids.js";
import type { StateMachine } from "../core/state-machine.js";

export interface Scenario {
  /** How people and artifacts name it: lower case words with dashes. */
  readonly name: string;
  /** One sentence: what it is about. */
  readonly about: string;
  readonly cluster: ClusterSpec;
  readonly workload: WorkloadSpec;
  readonly faults: FaultSpec;
  readonly phases: PhaseSpec;
  /** `violation`: the faults break what any such protocol needs, and that must be found. */
  readonly expect: "ok" | "violation";
  /** The protocol of a user's own, instead of the multi-Raft node. */
  readonly protocol?: ProtocolSpec;
  /** What the groups replicate, of a user's own, instead of the key-value store. */
  readonly stateMachine?: StateMachineSpec;
}

/** A number, or a range from which each seed draws one (both ends included). */
export type Count = number | { readonly min: number; readonly max: number };

export interface ClusterSpec {
  readonly nodes: Count;
  readonly groups: Count;
  /** Voters per group; at most the number of nodes. */
  readonly replication: Count;
  /** The founding voters of each group, as many as `groups`; consecutive nodes unless given. */
  readonly founders?: readonly (readonly number[])[];
  /** What each step of a node takes beside its turn, microseconds, so that nodes can be busy. Default 0. */
  readonly stepUs?: number;
  /**
   * A cluster with a map: a group more replicates who serves which slot, and groups are made, moved,
   * split, merged and destroyed in the run.
   */
  readonly map?: MapSpec;
  /** What users write is sealed, under keys of each node's own HSM; in so many runs of a thousand. Default 0. */
  readonly sealed?: number;
  /** Overrides of the options of every replica, in the words of core/raft/options.ts. */
  readonly raft: Readonly<Record<string, number | boolean>>;
  /** Overrides of the options of every node's log, in the words of core/wal/options.ts. */
  readonly wal: Readonly<Record<string, number>>;
  /** Overrides of the limits of sessions, in the words of core/store/sessions.ts. */
  readonly sessions?: Readonly<Record<string, number>>;
  /** Overrides of the options of every node, in the words of core/node/options.ts. */
  readonly node?: Readonly<Record<string, number>>;
}

export interface MapSpec {
  /** A power of two. */
  readonly slotCount: number;
  /** Nodes lie in so many zones in turn; 1: in none of their own. */
  readonly zones: number;
  /** The steward balances leaders unasked, so long after something may have moved them. Default: never. */
  readonly balanceAfterUs?: number;
}

export interface WorkloadSpec {
  readonly clients: Count;
  /** Time between an answer and the next operation of a client, microseconds. */
  readonly thinkUs: Count;
  /** Distinct keys. */
  readonly keys: Count;
  /** Weights of the kinds of operation; a kind that is not named does not occur. */
  readonly mix: Readonly<Partial<Record<OperationKind, number>>>;
  /** Payload bytes of a value. */
  readonly valueBytes: Count;
  /** Values are filled up with random characters, which are looked for where they must not be. */
  readonly secrets?: true;
  /** The share of reads that are asked of followers or by lease, in thousandths. */
  readonly followerReads?: number;
  readonly leaseReads?: number;
  /** The share of operations that meet on the first two keys, in thousandths. Default 0. */
  readonly hotKeys?: number;
  /** How often clients do what is seldom, in thousandths of requests; else as often as usual. */
  readonly habits?: Partial<Readonly<Record<ClientHabit, number>>>;
  /**
   * Between two requests of a client for the map at least, microseconds; default 50,000. Until then
   * it goes by an old one.
   */
  readonly mapEveryUs?: number;
  /**
   * Without an answer for so long a client asks another node, microseconds: it doubles from `min` to
   * `max` with each silence. Default 60,000 to 700,000.
   */
  readonly patienceUs?: { readonly min: number; readonly max: number };
}

/**
 * `echo`: a copy of a request goes astray and arrives late. `close`: the client ends, and another
 * one comes in its place. `nonsense`: a command without meaning.
 */
export type ClientHabit = "echo" | "close" | "nonsense";

export type OperationKind = "get" | "put" | "delete" | "cas" | "range";

export interface FaultSpec {
  /** Kinds from which each seed draws some, with rates and times of its own (swarm). */
  readonly swarm: readonly FaultKind[];
  /** How many swarm faults an attack draws at most. */
  readonly swarmFaultsMax: number;
  /** Faults that make the scenario what it is, drawn for each seed. */
  readonly plan?: (draw: Draw, cluster: ResolvedCluster) => readonly Fault[];
}

/** What the seed made of a ClusterSpec. */
export interface ResolvedCluster {
  readonly nodes: readonly NodeId[];
  /** The founding voters of each group. */
  readonly groups: readonly (readonly NodeId[])[];
  /** Null: there is no map. Else the first group replicates it. */
  readonly map: MapSpec | null;
  /** What users write is sealed. */
  readonly sealed: boolean;
  readonly attackUs: number;
}

export interface PhaseSpec {
  /** How long the attack lasts, microseconds of world time. */
  readonly attackUs: number;
}

/** How a user's own state machine takes part; see docs/guide. Log and sessions are around it. */
export interface StateMachineSpec {
  /**
   * A fresh one, in the empty state, for one replica of one group. Clients now and then send it a
   * command of no bytes, and a question of no bytes after healing: it answers, and changes nothing.
   */
  readonly machine: () => StateMachine;
  /**
   * What a client asks next, from its own draws and the answer to what it asked last; null when it
   * has asked nothing yet or got no answer. Of the workload, clients, think times and the shares of
   * reads are used.
   */
  readonly request: (draw: Draw, client: number, last: Uint8Array | null) => StateMachineRequest;
  /** Asked once when all has healed: what shows all that was done. */
  readonly lastQuestions: readonly StateMachineRequest[];
  /**
   * Judged beside all of Raft's: `linearizable(model)`, `overHistory(property)`, or oracles of the
   * user's own.
   */
  readonly properties: readonly OracleSpec[];
}

/** What a client asks of a user's own state machine. */
export interface StateMachineRequest {
  /** A command goes through the log and is applied once; a query changes nothing. */
  readonly kind: "command" | "query";
  /** ASCII. Decides the slot, and with it the group; all that is asked of one slot meets there. */
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** How a user's own machine takes part; see docs/guide. */
export interface ProtocolSpec {
  /** A fresh machine for one boot of one node. */
  readonly machine: () => import("../core/machine.js").Machine<
    import("../core/machine.js").MachineInput,
    import("../core/machine.js").MachineEffect
  >;
  /** The next request of a client, from its own draws and what it was last answered. */
  readonly request: (draw: Draw, client: number, last: Uint8Array | null) => Uint8Array;
  /** Judged at every answer. Each request goes to a node that is drawn for it. */
  readonly properties: readonly ProtocolProperty[];
}

/** A property of a user's protocol, judged at every answer over all that was answered so far. */
export interface ProtocolProperty {
  readonly id: string;
  readonly about: string;
  /** A fresh judge for one run; returns what is wrong, or null. */
  readonly judge: () => (exchange: Exchange) => string | null;
}

/** One request and its answer, in the order of the answers. */
export interface Exchange {
  readonly client: number;
  readonly node: NodeId;
  readonly request: Uint8Array;
  readonly answer: Uint8Array;
  readonly invokedUs: number;
  readonly answeredUs: number;
}
