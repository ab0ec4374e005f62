/**
 * What the meta group knows of its cluster (docs/decisions/0004): who is there, which groups there are,
 * which of them serves which slot at which epoch, and the jobs that change any of it.
 */
import type { GroupId, Incarnation, NodeId, ReplicaId } from "../ids.js";
import type { Member } from "../raft/configuration.js";
import type { SlotRange } from "../state-machine.js";

/**
 * `draining`: its replicas are being moved away. `lost`: it is gone for good, and nothing is asked of it.
 * `left`: it has no replica and gets none.
 */
export type NodeState = "up" | "draining" | "lost" | "left";

export interface MapNode {
  readonly node: NodeId;
  /** The identity of its disk: replicas are made on this one, no other. */
  readonly disk: number;
  readonly state: NodeState;
  /** Its share of replicas, beside the others'. */
  readonly weight: number;
  /** Nodes of one zone may be lost together; empty: it has none. */
  readonly zone: string;
  /** Where peers and clients reach it. */
  readonly address: string;
}

/** `founding`: its members are still making it. `retiring`: it serves nothing any more. */
export type GroupPhase = "founding" | "live" | "retiring";

export interface MapGroup {
  readonly group: GroupId;
  /** Of no other group, nor of an earlier life of this one. */
  readonly incarnation: Incarnation;
  readonly phase: GroupPhase;
  /** Its share of slots, beside the others'. */
  readonly weight: number;
  /** Its voters, as last heard of. */
  readonly members: readonly Member[];
}

/** Who serves these slots; group 0: nobody yet. */
export interface Ownership extends SlotRange {
  readonly group: GroupId | 0;
  readonly epoch: number;
}

/** Slots on their way from one group to another. */
export interface Move {
  readonly slots: SlotRange;
  /** Above every epoch that these slots had before. */
  readonly epoch: number;
  /** 0: from nobody. */
  readonly from: GroupId | 0;
  readonly to: GroupId;
}

/** One step of a job. Each may be taken twice, and the second time does nothing. */
export type Step =
  /** All members make their replicas. */
  | { readonly kind: "found"; readonly group: GroupId }
  /** The group serves nothing from here on. */
  | { readonly kind: "retire"; readonly group: GroupId }
  /** All members remove their replicas, and remember that those are dead. */
  | { readonly kind: "erase"; readonly group: GroupId }
  | { readonly kind: MoveStep; readonly move: Move }
  /** Cancelled: the old owner serves the slots again, at the epoch `next`. */
  | { readonly kind: "reclaim"; readonly move: Move; readonly next: number }
  /** `node` becomes a learner of the group, and has nearly all of its log. */
  | { readonly kind: "join"; readonly group: GroupId; readonly node: NodeId }
  /** In one change `enter` becomes a voter and `leave` stops being one. */
  | {
      readonly kind: "swap";
      readonly group: GroupId;
      readonly enter: NodeId;
      readonly leave: NodeId;
    }
  /** In one change the replica on a disk that was lost gives way to a new one on the node's present disk. */
  | {
      readonly kind: "renew";
      readonly group: GroupId;
      readonly node: NodeId;
      readonly replica: ReplicaId;
    }
  /** The replica that left is removed from its node, which remembers that it is dead. */
  | {
      readonly kind: "bury";
      readonly group: GroupId;
      readonly node: NodeId;
      readonly replica: ReplicaId;
    }
  /** Cancelled: the learner on `node` goes. */
  | { readonly kind: "part"; readonly group: GroupId; readonly node: NodeId }
  | { readonly kind: "lead"; readonly group: GroupId; readonly node: NodeId }
  /** Leaders lie over the nodes by weight: seen and moved by the steward, as they are then. */
  | { readonly kind: "balance" }
  /** The node is empty. */
  | { readonly kind: "depart"; readonly node: NodeId };

export type MoveStep = "release" | "stage" | "accept" | "drop" | "abandon";

export type JobKind =
  | "assign"
  | "create"
  | "destroy"
  | "moveSlots"
  | "split"
  | "merge"
  | "moveReplica"
  | "renew"
  | "drain"
  | "spread"
  | "moveLeader"
  | "balanceLeaders";

/** `undone`: it was cancelled, and what it had begun was taken back. */
export type JobState = "running" | "undoing" | "done" | "undone";

export interface Job {
  readonly id: number;
  readonly kind: JobKind;
  /** Who asked for it, and when by the wall clock of the node that was asked, microseconds. */
  readonly by: string;
  readonly atUs: number;
  readonly state: JobState;
  readonly steps: readonly Step[];
  /** Index of the step that is being taken; all before it are done. */
  readonly at: number;
  /** Counts its changes: what is reported of an earlier one is late. */
  readonly turn: number;
  /** What the newest release has kept: bytes, and their CRC-32. */
  readonly kept: Kept;
}

export interface Kept {
  readonly total: number;
  readonly checksum: number;
}

export interface Setting {
  readonly name: string;
  readonly value: string;
}

/** Who the log says has reported a step. Nobody else may. */
export const stewardName = "steward";

/** Limits of a map. What would go beyond is refused as `full`. */
export const mapLimits = {
  nodesMax: 1024,
  groupsMax: 131_072,
  /** Slots are spread over so many groups at most: each has to be weighed for each run of slots. */
  spreadGroupsMax: 4096,
  settingsMax: 256,
  jobsMax: 16,
  stepsMax: 4096,
  /** Jobs that are over and still told of. */
  endedJobsMax: 32,
  textCharsMax: 255,
} as const;
