/**
 * A judge of one property. It sees what nodes let themselves be seen doing, what the disks truly
 * hold, and the clients' history; it shares no code with what it judges. A hook that an oracle
 * leaves out costs nothing. A violation is reported once: the run ends there.
 */
import type { RecoveredReplica } from "../core/consensus.js";
import type { Entry } from "../core/entry.js";
import type { Boot, GroupId, Incarnation, Index, NodeId } from "../core/ids.js";
import type { PersistRecord } from "../core/node/observer.js";
import type { RaftMessage } from "../core/raft/messages.js";
import type { Bound, RaftView } from "../core/raft/view.js";
import type { Operation } from "./operation.js";

export interface Violation {
  /** What was broken, with all numbers, for people. */
  readonly message: string;
  /** Its shape without ids, terms, indices and times: part of the fingerprint. */
  readonly shape: string;
  readonly node: number;
  readonly group: number;
}

/** Of a message in words: the fingerprint must not change with its numbers. */
export function shapeOf(message: string): string {
  return message.replace(/\d+/g, "n");
}

export type Report = (violation: Violation) => void;

/** For a judge that ran out of its budget: the run is then neither right nor wrong. */
export type Undecided = (reason: string) => void;

export interface Oracle {
  /** After recovery or creation, before the replica's first step of this boot. */
  replicaStarted?(node: NodeId, boot: Boot, view: RaftView, recovered: RecoveredReplica): void;
  /**
   * After a step that changed what the view shows: its numbers, role, configuration or entries.
   * Leases and sizes of queues are apart.
   */
  changed?(node: NodeId, view: RaftView): void;
  /** After each step of a replica, and after `changed`. `nowUs` is world time, `localUs` the node's own clock. */
  stepped?(node: NodeId, view: RaftView, nowUs: number, localUs: number): void;
  /** Now and then: the node's queues with their limits, and those of what serves `group`. */
  sized?(node: NodeId, group: GroupId, bounds: readonly Bound[]): void;
  /** Handed to the disk, not yet durable. `batch` is never used twice on a node. */
  submitted?(node: NodeId, batch: number, persists: readonly PersistRecord[]): void;
  /** The disk truly holds this batch now, whatever it has answered. */
  durable?(node: NodeId, batch: number): void;
  /** `frame` is what the message became on the wire. */
  released?(node: NodeId, to: NodeId, message: RaftMessage, frame: Uint8Array): void;
  /** Bytes went to a disk, in clear or not. */
  wrote?(node: NodeId, file: string, bytes: Uint8Array): void;
  /** A data key is in the memory of the node: these bytes. */
  keyHeld?(node: NodeId, id: string, key: Uint8Array): void;
  /** It is there no more. */
  keyDropped?(node: NodeId, id: string): void;
  /** Something was sealed under that key with that nonce, bound to that associated data. */
  sealed?(id: string, nonce: Uint8Array, associatedData: Uint8Array): void;
  /** The node has applied that a data key is erased. */
  erased?(node: NodeId, id: string): void;
  /** At the end of the run: what a file of a disk holds. */
  scanned?(node: NodeId, file: string, bytes: Uint8Array): void;
  applied?(
    node: NodeId,
    view: RaftView,
    entries: readonly Entry[],
    digest: readonly [number, number],
  ): void;
  restored?(node: NodeId, view: RaftView, index: Index, digest: readonly [number, number]): void;
  /** The process is gone; what its disk truly holds stays. */
  crashed?(node: NodeId): void;
  /** The disk is gone too, or lost synced data that the fault says is detectable. */
  diskLost?(node: NodeId): void;
  /** A fault damaged synced bytes of the node at rest; its replicas may now hold less. */
  diskDamaged?(node: NodeId): void;
  /** The node stopped itself: a broken invariant or a failed disk. */
  stopped?(node: NodeId, reason: string): void;
  /** A group was founded with these members. */
  founded?(group: GroupId, incarnation: Incarnation, nodes: readonly NodeId[]): void;
  /** An operation was sent for the first time. */
  invoked?(operation: Operation, nowUs: number): void;
  /** An operation got its final answer, or was given up as unknown. */
  completed?(operation: Operation, nowUs: number): void;
  /** The end of the run, after healing. */
  finished?(operations: readonly Operation[]): void;
}

export interface OracleSpec {
  /** The property's name in artifacts, e.g. `election-safety`. */
  readonly id: string;
  /** One sentence: what must hold, with its source. */
  readonly about: string;
  /** Per step in the simulator. From a trace none can: hooks take Views, which it does not carry. */
  readonly judges: "step";
  readonly make: (report: Report, undecided: Undecided) => Oracle;
}
