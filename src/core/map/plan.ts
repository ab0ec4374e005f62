/** What a job has to do, step by step, or why it can't be begun. Looks at the map and changes nothing. */
import { assertNever } from "../assert.js";
import { type GroupId, type Incarnation, type NodeId, groupIdMax, metaGroup } from "../ids.js";
import type { Member } from "../raft/configuration.js";
import type { SlotRange } from "../state-machine.js";
import type { JobCommand, MapRefusal } from "./commands.js";
import { ownersWithin, slotsOf } from "./owners.js";
import { chosenMembers, memberOn, membersOn, newcomer, spreadOver } from "./placement.js";
import type { MapState } from "./state.js";
import { groupsOfStep, movePath, worksOn, worksOnNode } from "./steps.js";
import { type MapGroup, type Move, type Ownership, type Step, mapLimits } from "./types.js";

export interface Plan {
  readonly kind: "plan";
  readonly steps: readonly Step[];
  /** Epochs that it uses, from the map's next one on. */
  readonly epochs: number;
  /** Stands in the map from the beginning. */
  readonly founded: MapGroup | null;
}

export interface NoPlan {
  readonly kind: "refused";
  readonly reason: MapRefusal;
  readonly job: number;
}

export function planJob(map: MapState, command: JobCommand): Plan | NoPlan {
  const plan = planOf(map, command);
  if (plan.kind === "refused") return plan;
  if (plan.steps.length > mapLimits.stepsMax) return refused("full");
  return busyWith(map, plan.steps) ?? plan;
}

function planOf(map: MapState, command: JobCommand): Plan | NoPlan {
  switch (command.kind) {
    case "create":
      return create(map, command);
    case "destroy":
      return destroy(map, command.group);
    case "moveSlots":
      return moveSlots(map, command.slots, command.to);
    case "split":
      return split(map, command.group, command.slots);
    case "merge":
      return merge(map, command.group, command.into);
    case "moveReplica":
      return moveReplica(map, command.group, command.leave, command.enter);
    case "renew":
      return renew(map, command.node);
    case "drain":
      return drain(map, command.node);
    case "spread":
      return spread(map);
    case "moveLeader":
      return moveLeader(map, command.group, command.node);
    case "balanceLeaders":
      return plan([{ kind: "balance" }]);
    default:
      return assertNever(command);
  }
}

function create(
  map: MapState,
  { group, weight, nodes, replication }: Extract<JobCommand, { kind: "create" }>,
): Plan | NoPlan {
  const id = group === 0 ? ((map.newestGroup + 1) as GroupId) : group;
  if (map.groups.get(id) !== undefined) return refused("exists");
  if (map.groups.size >= mapLimits.groupsMax || id > groupIdMax) return refused("full");
  const members = nodes.length > 0 ? membersOn(map, nodes) : chosenMembers(map, id, replication);
  if (members === null) return refused("badNode");
  return plan([{ kind: "found", group: id }], 0, newGroup(map, id, weight, members));
}

function destroy(map: MapState, group: GroupId): Plan | NoPlan {
  if (!isLive(map, group)) return refused("noSuchGroup");
  if (group === metaGroup) return refused("needed");
  if (slotsOf(map.owners, group).length > 0) return refused("ownsSlots");
  return plan(ending(group));
}

function moveSlots(map: MapState, slots: SlotRange, to: GroupId): Plan | NoPlan {
  if (slots.to > map.slotCount) return refused("badSlots");
  if (!mayServe(map, to)) return refused("noSuchGroup");
  const moves = movesTo(map, ownersWithin(map.owners, slots), to);
  return moves.length === 0 ? refused("badSlots") : plan(moves.flatMap(movePath), moves.length);
}

function split(map: MapState, group: GroupId, slots: SlotRange): Plan | NoPlan {
  const known = map.groups.get(group);
  if (known === undefined || !mayServe(map, group)) return refused("noSuchGroup");
  const owners = ownersWithin(map.owners, slots);
  const all = slots.to <= map.slotCount && owners.every((span) => span.group === group);
  if (!all || owners.length === 0) return refused("badSlots");
  const id = (map.newestGroup + 1) as GroupId;
  if (map.groups.size >= mapLimits.groupsMax || id > groupIdMax) return refused("full");
  const members = membersOn(
    map,
    known.members.map(({ node }) => node),
  );
  if (members === null) return refused("badNode");
  const moves = movesTo(map, owners, id);
  return plan(
    [{ kind: "found", group: id }, ...moves.flatMap(movePath)],
    moves.length,
    newGroup(map, id, known.weight, members),
  );
}

function merge(map: MapState, group: GroupId, into: GroupId): Plan | NoPlan {
  if (!mayServe(map, group) || !mayServe(map, into) || group === into)
    return refused("noSuchGroup");
  const owned = map.owners.filter((span) => span.group === group);
  const moves = movesTo(map, owned, into);
  return plan([...moves.flatMap(movePath), ...ending(group)], moves.length);
}

function moveReplica(
  map: MapState,
  group: GroupId,
  leave: NodeId,
  enter: NodeId | 0,
): Plan | NoPlan {
  const known = map.groups.get(group);
  if (known === undefined || known.phase !== "live") return refused("noSuchGroup");
  const node = enter === 0 ? newcomer(map, known, leave) : enter;
  const steps = node === null ? null : replacement(map, known, leave, node);
  return steps === null ? refused("badNode") : plan(steps);
}

/** Groups that are being made, or closed, stand in the way until that is done. */
function renew(map: MapState, node: NodeId): Plan | NoPlan {
  const known = map.nodes.get(node);
  if (known?.state !== "up") return refused("noSuchNode");
  const steps: Step[] = [];
  for (const { group, phase, members } of map.groups.all()) {
    const old = memberOn(members, node);
    if (old === undefined || old.disk === known.disk) continue;
    if (phase !== "live") return busyWith(map, [{ kind: "found", group }])!;
    steps.push({ kind: "renew", group, node, replica: old.replica });
  }
  return plan(steps);
}

function drain(map: MapState, node: NodeId): Plan | NoPlan {
  const known = map.nodes.get(node);
  if (known?.state !== "up" && known?.state !== "lost") return refused("noSuchNode");
  const steps: Step[] = [];
  /** Replicas that the steps before bring to each node. */
  const coming = new Map<NodeId, number>();
  for (const group of map.groups.all()) {
    if (memberOn(group.members, node) === undefined) continue;
    if (group.phase !== "live") return busyWith(map, [{ kind: "found", group: group.group }])!;
    const enter = newcomer(map, group, node, coming);
    const moved = enter === null ? null : replacement(map, group, node, enter);
    if (enter === null || moved === null) return refused("badNode");
    coming.set(enter, (coming.get(enter) ?? 0) + 1);
    steps.push(...moved);
  }
  return plan([...steps, { kind: "depart", node }]);
}

function spread(map: MapState): Plan | NoPlan {
  if (map.groups.size > mapLimits.spreadGroupsMax) return refused("full");
  const target = spreadOver(map);
  const moves: Move[] = [];
  for (const { from, to, group } of target) {
    if (group === 0) continue;
    const apart = ownersWithin(map.owners, { from, to });
    moves.push(...movesTo(map, apart, group, moves.length));
  }
  return plan(moves.flatMap(movePath), moves.length);
}

function moveLeader(map: MapState, group: GroupId, node: NodeId): Plan | NoPlan {
  const known = map.groups.get(group);
  if (known === undefined || known.phase !== "live") return refused("noSuchGroup");
  if (memberOn(known.members, node) === undefined) return refused("badNode");
  return plan([{ kind: "lead", group, node }]);
}

/** Each with an epoch of its own, after `before` others. */
function movesTo(map: MapState, owners: readonly Ownership[], to: GroupId, before = 0): Move[] {
  return owners
    .filter(({ group }) => group !== to)
    .map((span, n) => ({
      slots: { from: span.from, to: span.to },
      epoch: map.epoch + before + n + 1,
      from: span.group,
      to,
    }));
}

/** Null when the one has no replica, or the other can get none. */
function replacement(map: MapState, group: MapGroup, leave: NodeId, node: NodeId): Step[] | null {
  const old = memberOn(group.members, leave);
  const isUp = map.nodes.get(node)?.state === "up";
  if (old === undefined || !isUp || memberOn(group.members, node) !== undefined) return null;
  const { group: id } = group;
  return [
    { kind: "join", group: id, node },
    { kind: "swap", group: id, enter: node, leave },
    { kind: "bury", group: id, node: leave, replica: old.replica },
  ];
}

function ending(group: GroupId): Step[] {
  return [
    { kind: "retire", group },
    { kind: "erase", group },
  ];
}

function newGroup(
  map: MapState,
  group: GroupId,
  weight: number,
  members: readonly Member[],
): MapGroup {
  const incarnation = (map.newestIncarnation + 1) as Incarnation;
  return { group, incarnation, phase: "founding", weight, members };
}

function isLive(map: MapState, group: GroupId): boolean {
  return map.groups.get(group)?.phase === "live";
}

/** The map's own group has no slots. */
function mayServe(map: MapState, group: GroupId): boolean {
  return group !== metaGroup && isLive(map, group);
}

/** Jobs that are at work on the same groups or nodes stand in the way of these steps. */
function busyWith(map: MapState, steps: readonly Step[]): NoPlan | null {
  for (const job of map.jobs.all()) {
    const meets = steps.some((step) => {
      if (step.kind === "depart") return worksOnNode(job, step.node);
      // It takes no group as its own: who leads may change in the midst of any job.
      if (step.kind === "balance") return job.kind === "balanceLeaders";
      return groupsOfStep(step).some((group) => worksOn(job, group));
    });
    if (meets) return refused("busy", job.id);
  }
  return null;
}

function plan(steps: readonly Step[], epochs = 0, founded: MapGroup | null = null): Plan {
  return { kind: "plan", steps, epochs, founded };
}

function refused(reason: MapRefusal, job = 0): NoPlan {
  return { kind: "refused", reason, job };
}
