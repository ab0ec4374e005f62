/** What one run is asked for and what it gives back. */
import type { Fault, FaultKind } from "./fault.js";
import type { OperationKind, StateMachineRequest } from "./scenario.js";
import type { Json } from "../core/plain.js";

/** Everything about a run that was not usual, by name; enough to run it again. */
export interface Decisions {
  /** The resolved options of the swarm: numbers of nodes, groups, clients, and so on. */
  readonly options: Readonly<Record<string, Json>>;
  readonly faults: readonly Fault[];
  readonly operations: readonly PlannedOperation[];
  /** Names of draws that came out unusual: a loss, a duplicate, a long delay, a torn sector. */
  readonly draws: readonly string[];
}

/** One operation of one client. A client does its operations in order, one at a time. */
export interface PlannedOperation {
  /** `client.ordinal` */
  readonly id: string;
  readonly client: number;
  readonly thinkUs: number;
  readonly group: number;
  readonly kind: OperationKind | StateMachineRequest["kind"];
  readonly key: string;
  /** Value of a put; new value of a cas; of a command or query its bytes, a character for each. */
  readonly value: string;
  /** What a cas expects, null for absent. */
  readonly expected: string | null;
  readonly read: "leader" | "lease" | "follower";
}

export interface Failure {
  readonly property: string;
  /** The property and the shape of the violation, without ids, terms, indices and times. */
  readonly fingerprint: string;
  /** What was broken, with all numbers, for people. */
  readonly message: string;
  readonly step: number;
  readonly atUs: number;
  readonly node: number;
  readonly group: number;
}

export interface FaultCount {
  /** Seeds or runs whose plan held the kind at all: 1 or 0 for a run. */
  readonly drawn: number;
  /** How often it was put into force. */
  readonly fired: number;
  /** How often it changed anything: a message cut, an unsynced byte lost, a pending read failed. */
  readonly effective: number;
}

export interface RunResult {
  readonly scenario: string;
  readonly seed: number;
  readonly verdict: "ok" | "violation" | "undecided";
  readonly failure: Failure | null;
  /** Inputs handled by nodes. */
  readonly steps: number;
  readonly simulatedUs: number;
  readonly acknowledged: number;
  readonly leaderChanges: number;
  /** 16 hex digits over every input and effect. */
  readonly digest: string;
  readonly faults: Readonly<Partial<Record<FaultKind, FaultCount>>>;
  readonly marks: Readonly<Record<string, number>>;
  readonly decisions: Decisions;
  /** Unusual draws that were too many to be recorded: unless 0, only the seed repeats the run. */
  readonly drawsNotRecorded: number;
  /** How long each of the decided operations took; 0 for one that was still under way. */
  readonly latenciesUs: readonly number[];
  /**
   * Ids of planned faults that changed nothing, and listed decisions that matched nothing: limits
   * that there are no more, operations that never began, draws that nothing answered to.
   */
  readonly inert: readonly string[];
}
