/**
 * What the meta group is asked, as bytes in its `admin` entries: plain data (plain.ts) of one of these
 * shapes. People ask for nodes, settings and jobs; the steward reports which step is done.
 */
import type { GroupId, Incarnation, NodeId } from "../ids.js";
import { groupIdMax } from "../ids.js";
import { pack, unpack } from "../plain.js";
import type { Member } from "../raft/configuration.js";
import { replicasMax } from "../raft/configuration.js";
import { type Shape, fields, kinds, list, oneOf, whole } from "../shape.js";
import type { SlotRange } from "../state-machine.js";
import { slotCountMax } from "../store/slots.js";
import {
  groupIdShape,
  keptShape,
  membersShape,
  nodeIdShape,
  settingShape,
  slotsShape,
  textShape,
  weightShape,
} from "./shapes.js";
import { type Kept, type Setting, mapLimits } from "./types.js";

export interface NodeFacts {
  readonly node: NodeId;
  readonly disk: number;
  readonly weight: number;
  readonly zone: string;
  readonly address: string;
}

/** A group that was founded with the cluster. */
export interface GroupFacts {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly weight: number;
  readonly members: readonly Member[];
}

export type MapCommand =
  /** Once, before anything else: the slots are then assigned to the groups. */
  | {
      readonly kind: "make";
      readonly slotCount: number;
      readonly nodes: readonly NodeFacts[];
      readonly groups: readonly GroupFacts[];
    }
  /** A node that joins, or is back after all; or what has changed about it. */
  | ({ readonly kind: "setNode" } & NodeFacts)
  /** The node will not come back: what jobs would have asked of it is left undone. */
  | { readonly kind: "declareLost"; readonly node: NodeId }
  /** Only of a node that has left. */
  | { readonly kind: "forgetNode"; readonly node: NodeId }
  /** An empty value takes the setting away. */
  | ({ readonly kind: "set" } & Setting)
  | JobCommand
  | { readonly kind: "cancel"; readonly job: number }
  /** The step that a job is at has been taken. Of the steward alone. */
  | {
      readonly kind: "advance";
      readonly job: number;
      readonly turn: number;
      readonly fact: Fact;
    };

export type JobCommand =
  | {
      readonly kind: "create";
      /** 0: the next free number. */
      readonly group: GroupId | 0;
      readonly weight: number;
      /** Empty: chosen by consistent hashing. */
      readonly nodes: readonly NodeId[];
      readonly replication: number;
    }
  /** Only of a group without slots. */
  | { readonly kind: "destroy"; readonly group: GroupId }
  | { readonly kind: "moveSlots"; readonly slots: SlotRange; readonly to: GroupId }
  /** A new group on the same nodes takes these slots over. */
  | { readonly kind: "split"; readonly group: GroupId; readonly slots: SlotRange }
  /** All slots of `group` go to `into`, and it is destroyed. */
  | { readonly kind: "merge"; readonly group: GroupId; readonly into: GroupId }
  /** `enter` 0: chosen by consistent hashing. */
  | {
      readonly kind: "moveReplica";
      readonly group: GroupId;
      readonly leave: NodeId;
      readonly enter: NodeId | 0;
    }
  /** The node has another disk than before: it gets new replicas in place of those on the old one. */
  | { readonly kind: "renew"; readonly node: NodeId }
  | { readonly kind: "drain"; readonly node: NodeId }
  /** Slots are moved until they lie over the groups as consistent hashing has it. */
  | { readonly kind: "spread" }
  | { readonly kind: "moveLeader"; readonly group: GroupId; readonly node: NodeId }
  /** Leaders go from nodes that lead far more than their share to others, as few as possible. */
  | { readonly kind: "balanceLeaders" };

/** What taking a step has shown. */
export type Fact =
  | { readonly kind: "none" }
  | ({ readonly kind: "kept" } & Kept)
  | { readonly kind: "members"; readonly members: readonly Member[] };

export type MapAnswer =
  /** `id`: of the job that was begun; else 0. */
  | { readonly kind: "ok"; readonly id: number }
  /** `job`: which one stands in the way; else 0. */
  | { readonly kind: "refused"; readonly reason: MapRefusal; readonly job: number };

export type MapRefusal = (typeof mapRefusals)[number];

const mapRefusals = [
  /** The map has been made already, or the group is there. */
  "exists",
  /** The map has not been made yet. */
  "notMade",
  "noSuchNode",
  "noSuchGroup",
  "noSuchJob",
  /** A job is at work on the same group or node. */
  "busy",
  /** It serves slots: merge it into another. */
  "ownsSlots",
  /** The meta group, and the last group with slots, stay. */
  "needed",
  /** The slots are not served, or are served there already. */
  "badSlots",
  /** There are not enough nodes, or the node has a replica already, or has none. */
  "badNode",
  /** A limit of `mapLimits` is reached. */
  "full",
  /** What was begun can't be taken back any more; it will be finished. */
  "tooLate",
  /** The report is of a step that is over. */
  "stale",
  /** Steps are reported by the steward alone. */
  "notYours",
  "malformed",
] as const;

const nodeFacts = {
  node: nodeIdShape,
  disk: whole(),
  weight: weightShape,
  zone: textShape,
  address: textShape,
};

const ofGroup = fields<{ readonly group: GroupId }>({ group: groupIdShape });

const commandShape: Shape<MapCommand> = kinds<MapCommand>({
  make: fields({
    slotCount: whole(1, slotCountMax),
    nodes: list(fields<NodeFacts>(nodeFacts), mapLimits.nodesMax),
    groups: list(
      fields<GroupFacts>({
        group: groupIdShape,
        incarnation: whole<Incarnation>(0, groupIdMax),
        weight: weightShape,
        members: membersShape,
      }),
      mapLimits.groupsMax,
    ),
  }),
  setNode: fields(nodeFacts),
  declareLost: fields({ node: nodeIdShape }),
  forgetNode: fields({ node: nodeIdShape }),
  set: settingShape,
  create: fields({
    group: whole<GroupId | 0>(0, groupIdMax),
    weight: weightShape,
    nodes: list(nodeIdShape, replicasMax),
    replication: whole(1, replicasMax),
  }),
  destroy: ofGroup,
  moveSlots: fields({ slots: slotsShape, to: groupIdShape }),
  split: fields({ group: groupIdShape, slots: slotsShape }),
  merge: fields({ group: groupIdShape, into: groupIdShape }),
  moveReplica: fields({ group: groupIdShape, leave: nodeIdShape, enter: whole<NodeId | 0>() }),
  renew: fields({ node: nodeIdShape }),
  drain: fields({ node: nodeIdShape }),
  spread: fields({}),
  moveLeader: fields({ group: groupIdShape, node: nodeIdShape }),
  balanceLeaders: fields({}),
  cancel: fields({ job: whole() }),
  advance: fields({
    job: whole(),
    turn: whole(),
    fact: kinds<Fact>({
      none: fields({}),
      kept: keptShape,
      members: fields({ members: membersShape }),
    }),
  }),
});

const answerShape: Shape<MapAnswer> = kinds<MapAnswer>({
  ok: fields({ id: whole() }),
  refused: fields({ reason: oneOf(...mapRefusals), job: whole() }),
});

export function encodeMapCommand(command: MapCommand): Uint8Array {
  return pack(command);
}

/** Null when the bytes are no command. */
export function decodeMapCommand(bytes: Uint8Array): MapCommand | null {
  return shaped(bytes, commandShape);
}

export function encodeMapAnswer(answer: MapAnswer): Uint8Array {
  return pack(answer);
}

/** Null when the bytes are no answer. */
export function decodeMapAnswer(bytes: Uint8Array): MapAnswer | null {
  return shaped(bytes, answerShape);
}

function shaped<T>(bytes: Uint8Array, shape: Shape<T>): T | null {
  const unpacked = unpack(bytes);
  if ("error" in unpacked) return null;
  const value: unknown = unpacked.ok;
  return shape(value) ? value : null;
}
