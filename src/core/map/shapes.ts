/** The shapes of all that stands in a map, for snapshots and commands that come from elsewhere. */
import type { GroupId, Incarnation, NodeId, ReplicaId } from "../ids.js";
import { groupIdMax } from "../ids.js";
import { type Member, replicasMax } from "../raft/configuration.js";
import { weightMax } from "../ring/scheme.js";
import { type Shape, ascii, fields, kinds, list, oneOf, whole } from "../shape.js";
import type { SlotRange } from "../state-machine.js";
import { slotCountMax } from "../store/slots.js";
import {
  type Job,
  type Kept,
  type MapGroup,
  type MapNode,
  type Move,
  type Ownership,
  type Setting,
  type Step,
  mapLimits,
} from "./types.js";

const { textCharsMax } = mapLimits;

export const nodeIdShape: Shape<NodeId> = whole<NodeId>(1);
export const groupIdShape: Shape<GroupId> = whole<GroupId>(1, groupIdMax);
const anyGroupShape = whole<GroupId | 0>(0, groupIdMax);
export const weightShape: Shape<number> = whole(1, weightMax);
export const textShape: Shape<string> = ascii(textCharsMax);
const slotShape = whole(0, slotCountMax);
const indexShape = whole();

export const slotsShape: Shape<SlotRange> = (value): value is SlotRange =>
  slotRangeShape(value) && value.from < value.to;
const slotRangeShape = fields<SlotRange>({ from: slotShape, to: slotShape });

export const memberShape: Shape<Member> = fields<Member>({
  replica: whole<ReplicaId>(1),
  node: nodeIdShape,
  disk: indexShape,
});

export const membersShape: Shape<readonly Member[]> = list(memberShape, replicasMax);

export const nodeShape: Shape<MapNode> = fields<MapNode>({
  node: nodeIdShape,
  disk: indexShape,
  state: oneOf("up", "draining", "lost", "left"),
  weight: weightShape,
  zone: textShape,
  address: textShape,
});

export const groupShape: Shape<MapGroup> = fields<MapGroup>({
  group: groupIdShape,
  incarnation: whole<Incarnation>(0, groupIdMax),
  phase: oneOf("founding", "live", "retiring"),
  weight: weightShape,
  members: membersShape,
});

export const ownershipShape: Shape<Ownership> = fields<Ownership>({
  from: slotShape,
  to: slotShape,
  group: anyGroupShape,
  epoch: indexShape,
});

export const settingShape: Shape<Setting> = fields<Setting>({ name: textShape, value: textShape });

const moveShape = fields<Move>({
  slots: slotsShape,
  epoch: indexShape,
  from: anyGroupShape,
  to: groupIdShape,
});

const ofGroup = fields<{ readonly group: GroupId }>({ group: groupIdShape });
const ofMember = fields<{ readonly group: GroupId; readonly node: NodeId }>({
  group: groupIdShape,
  node: nodeIdShape,
});
const ofReplica = fields<{
  readonly group: GroupId;
  readonly node: NodeId;
  readonly replica: ReplicaId;
}>({ group: groupIdShape, node: nodeIdShape, replica: whole<ReplicaId>(1) });
const ofMove = fields<{ readonly move: Move }>({ move: moveShape });

const stepShape: Shape<Step> = kinds<Step>({
  found: ofGroup,
  retire: ofGroup,
  erase: ofGroup,
  release: ofMove,
  stage: ofMove,
  accept: ofMove,
  drop: ofMove,
  abandon: ofMove,
  reclaim: fields({ move: moveShape, next: indexShape }),
  join: ofMember,
  renew: ofReplica,
  bury: ofReplica,
  part: ofMember,
  lead: ofMember,
  swap: fields({ group: groupIdShape, enter: nodeIdShape, leave: nodeIdShape }),
  balance: fields({}),
  depart: fields({ node: nodeIdShape }),
});

export const keptShape: Shape<Kept> = fields<Kept>({ total: indexShape, checksum: indexShape });

export const jobShape: Shape<Job> = fields<Job>({
  id: indexShape,
  kind: oneOf(
    "assign",
    "create",
    "destroy",
    "moveSlots",
    "split",
    "merge",
    "moveReplica",
    "renew",
    "drain",
    "spread",
    "moveLeader",
    "balanceLeaders",
  ),
  by: textShape,
  atUs: indexShape,
  state: oneOf("running", "undoing", "done", "undone"),
  steps: list(stepShape, mapLimits.stepsMax),
  at: indexShape,
  turn: indexShape,
  kept: keptShape,
});
