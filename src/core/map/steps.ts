/** What the steps of a job are about, what a step that is done changes in the map, and its words. */
import { assertNever } from "../assert.js";
import type { GroupId, NodeId } from "../ids.js";
import type { SlotRange } from "../state-machine.js";
import type { Fact } from "./commands.js";
import { withOwner } from "./owners.js";
import type { MapState } from "./state.js";
import type { Job, MapGroup, MapNode, Move, MoveStep, Step } from "./types.js";

export type MoveSteps = Extract<Step, { readonly move: Move }>;

export function isMoveStep(step: Step): step is MoveSteps {
  return "move" in step;
}

/** From its owner to another group; the first two steps can be taken back. */
export function movePath(move: Move): Step[] {
  const path: readonly MoveStep[] =
    move.from === 0 ? ["accept"] : ["release", "stage", "accept", "drop"];
  return path.map((kind) => ({ kind, move }));
}

/** The groups that a step is about. */
export function groupsOfStep(step: Step): readonly GroupId[] {
  if (step.kind === "depart" || step.kind === "balance") return [];
  if (!isMoveStep(step)) return [step.group];
  const { from, to } = step.move;
  return from === 0 ? [to] : [from, to];
}

/** Whether a job is at work on this group. */
export function worksOn(job: Job, group: GroupId): boolean {
  return job.steps.some((step) => groupsOfStep(step).includes(group));
}

/** Whether a job ends with the node leaving. */
export function departs(job: Job, node: NodeId): boolean {
  return job.steps.some((step) => step.kind === "depart" && step.node === node);
}

/** Whether a job moves replicas to or from this node, or sends it away. */
export function worksOnNode(job: Job, node: NodeId): boolean {
  return job.steps.some((step) => {
    switch (step.kind) {
      case "join":
      case "part":
      case "depart":
      case "lead":
      case "renew":
      case "bury":
        return step.node === node;
      case "swap":
        return step.enter === node || step.leave === node;
      default:
        return false;
    }
  });
}

/** What the map says from here on, the step being done. */
export function noteStep(map: MapState, step: Step, fact: Fact): void {
  switch (step.kind) {
    case "found":
      return changeGroup(map, step.group, { phase: "live" });
    case "retire":
      return changeGroup(map, step.group, { phase: "retiring" });
    case "erase":
      return map.groups.delete(step.group);
    case "accept": {
      const { slots, to, epoch } = step.move;
      map.owners = withOwner(map.owners, slots, to, epoch);
      return;
    }
    case "reclaim": {
      const { slots, from } = step.move;
      map.owners = withOwner(map.owners, slots, from, step.next);
      return;
    }
    case "swap":
    case "renew":
      if (fact.kind === "members") changeGroup(map, step.group, { members: fact.members });
      return;
    case "depart":
      return changeNode(map, step.node, { state: "left" });
    case "release":
    case "stage":
    case "drop":
    case "abandon":
    case "join":
    case "part":
    case "lead":
    case "bury":
    case "balance":
      return;
    default:
      return assertNever(step);
  }
}

export function changeGroup(map: MapState, group: GroupId, change: Partial<MapGroup>): void {
  const known = map.groups.get(group);
  if (known !== undefined) map.groups.set(group, { ...known, ...change });
}

export function changeNode(map: MapState, node: NodeId, change: Partial<MapNode>): void {
  const known = map.nodes.get(node);
  if (known !== undefined) map.nodes.set(node, { ...known, ...change });
}

/** In words for people. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "found":
      return `make group ${step.group} on its nodes`;
    case "retire":
      return `close group ${step.group}`;
    case "erase":
      return `remove group ${step.group} from its nodes`;
    case "release":
      return `group ${step.move.from} gives up ${slotWords(step.move.slots)} at epoch ${step.move.epoch}`;
    case "stage":
      return `copy ${slotWords(step.move.slots)} to group ${step.move.to}`;
    case "accept":
      return `group ${step.move.to} serves ${slotWords(step.move.slots)} at epoch ${step.move.epoch}`;
    case "drop":
      return `group ${step.move.from} forgets ${slotWords(step.move.slots)}`;
    case "abandon":
      return `group ${step.move.to} gives up ${slotWords(step.move.slots)} unserved`;
    case "reclaim":
      return `group ${step.move.from} serves ${slotWords(step.move.slots)} again at epoch ${step.next}`;
    case "join":
      return `node ${step.node} learns the log of group ${step.group}`;
    case "swap":
      return `node ${step.enter} takes the place of node ${step.leave} in group ${step.group}`;
    case "renew":
      return `node ${step.node} gets a new replica of group ${step.group} on its new disk`;
    case "bury":
      return `node ${step.node} removes replica ${step.replica} of group ${step.group}`;
    case "part":
      return `node ${step.node} leaves group ${step.group} again`;
    case "lead":
      return `node ${step.node} leads group ${step.group}`;
    case "balance":
      return "spread the leaders over the nodes";
    case "depart":
      return `node ${step.node} has left`;
    default:
      return assertNever(step);
  }
}

function slotWords({ from, to }: SlotRange): string {
  return to === from + 1 ? `slot ${from}` : `slots ${from} to ${to - 1}`;
}
