/**
 * People who change a cluster with a map: they ask the meta group for jobs, look at the map to see
 * whether one was begun, and are done when it is over.
 */
import type { GroupId, NodeId } from "../core/ids.js";
import { metaGroup } from "../core/ids.js";
import { type MapCommand, encodeMapCommand } from "../core/map/commands.js";
import type { MapState } from "../core/map/state.js";
import { departs, worksOnNode } from "../core/map/steps.js";
import type { Job, MapGroup, MapNode } from "../core/map/types.js";
import type { AdminAction } from "../core/store/admin-protocol.js";
import type { Fault, FaultKind } from "../lab/fault.js";
import type { Goal } from "./people.js";
import type { SimProcess } from "./process.js";
import { unevenLoads } from "./served.js";
import type { Survey } from "./survey.js";

/** So many askings later people think of something else. */
const asksMax = 30;
/** Nodes that are never fewer than this. */
const nodesMin = 3;

type Map = Readonly<MapState>;
type Choose = (map: Map, word: number, world: JobsWorld) => MapCommand | null;

const choices: Readonly<Partial<Record<FaultKind, Choose>>> = {
  moveSlots,
  splitGroup,
  mergeGroups,
  createGroup,
  destroyGroup,
  spreadSlots: () => ({ kind: "spread" }),
  moveReplica,
  drainNode,
  joinNode,
  cancelJob,
  moveLeader,
  balanceLeaders: () => ({ kind: "balanceLeaders" }),
};

export function isJob(kind: FaultKind): boolean {
  return kind === "loseNode" || kind in choices;
}

export interface JobsWorld {
  readonly survey: Survey;
  readonly processes: readonly SimProcess[];
}

/** Null for what is no job. With an amount it is that by which the job is chosen, else a draw. */
export function jobGoal(
  { kind, amount }: Pick<Fault, "kind" | "amount">,
  world: JobsWorld,
): Goal | null {
  if (kind === "loseNode") return givingUpGoal(world);
  const { survey } = world;
  const choose = choices[kind];
  if (choose === undefined) return null;
  let command: MapCommand | null = null;
  let before = 0;
  let asks = 0;
  return (_leader, word) => {
    const map = survey.map();
    if (map === null) return null;
    if (command === null || asks >= asksMax) {
      command = choose(map, amount > 0 ? amount : word, world);
      before = map.newestJob;
      asks = 0;
    }
    if (command === null) return null;
    const change = changed(map, command, before);
    if (change !== "not yet") return change === "over" ? "done" : null;
    asks++;
    return mapAction(command);
  };
}

export function makingGoal(command: MapCommand, { survey }: { readonly survey: Survey }): Goal {
  return () => (survey.map() === null ? mapAction(command) : "done");
}

/** Asked for once, and again as long as slots lie unevenly and no job is at work. */
export function spreadingGoal({ survey }: JobsWorld): Goal {
  let asked = false;
  return () => {
    const map = survey.map();
    if (map === null || map.jobs.size > 0) return null;
    if (asked && unevenLoads(map).length === 0) return "done";
    asked = true;
    return mapAction({ kind: "spread" });
  };
}

/** The map knows the node's disk, and no member of a group is on another one of it. */
export function renewalGoal(
  process: SimProcess,
  { survey }: JobsWorld,
  replaceDisk: () => void,
): Goal {
  return () => {
    const map = survey.map();
    const facts = map?.nodes.get(process.node);
    if (map === null || facts === undefined || process.boot === 0) return null;
    const members = map.groups.all().flatMap((group) => {
      const member = group.members.find(({ node }) => node === process.node);
      return member === undefined ? [] : [{ group: group.group, member }];
    });
    const isGone = members.some(({ group, member }) => survey.isGone(group - 1, member));
    if (!process.takesReplicas || isGone) replaceDisk();
    const disk = process.diskId;
    if (facts.disk !== disk) return mapAction(setNode(facts, disk));
    // What is under way may bring a replica on the old disk into a group still.
    if (map.jobs.all().some((job) => worksOnNode(job, process.node))) return null;
    const isWhole = members.every(({ member }) => member.disk === disk);
    return isWhole ? "done" : mapAction({ kind: "renew", node: process.node });
  };
}

/** A node that is down is declared lost, and drained; whether or not it comes back meanwhile. */
function givingUpGoal({ survey, processes }: JobsWorld): Goal {
  let lost: NodeId | null = null;
  return (_leader, word) => {
    const map = survey.map();
    if (map === null) return null;
    const up = map.nodes.all().filter(({ state }) => state === "up");
    const down = up.filter(({ node }) => !processes[node - 1]!.alive);
    if (up.length > nodesMin) lost ??= pick(down, word)?.node ?? null;
    const node = lost === null ? undefined : map.nodes.get(lost);
    if (node === undefined) return null;
    if (node.state === "left") return "done";
    survey.givenUp.add(node.node);
    if (node.state !== "lost") return mapAction({ kind: "declareLost", node: node.node });
    const vain = map.jobs.all().find(({ steps, at }) => {
      const step = steps[at]!;
      return step.kind === "join" && step.node === node.node;
    });
    if (vain !== undefined) return mapAction({ kind: "cancel", job: vain.id });
    const isDrained = map.jobs.all().some((job) => departs(job, node.node));
    return isDrained ? null : mapAction({ kind: "drain", node: node.node });
  };
}

function setNode({ node, weight, zone, address }: MapNode, disk: number): MapCommand {
  return { kind: "setNode", node, disk, weight, zone, address };
}

function mapAction(command: MapCommand): AdminAction {
  return { kind: "map", bytes: encodeMapCommand(command) };
}

/** What became of a command; jobs up to `before` are others. */
function changed(map: Map, command: MapCommand, before: number): "not yet" | "under way" | "over" {
  if (command.kind === "setNode") {
    return map.nodes.get(command.node)?.state === "up" ? "over" : "not yet";
  }
  if (command.kind === "cancel") {
    const running = map.jobs.get(command.job);
    if (running === undefined) return "over";
    return running.state === "undoing" ? "under way" : "not yet";
  }
  const isIt = (job: Job): boolean => job.kind === command.kind && job.id > before;
  if (map.ended.all().some(isIt)) return "over";
  return map.jobs.all().some(isIt) ? "under way" : "not yet";
}

function moveSlots(map: Map, word: number): MapCommand | null {
  const owned = map.owners.filter(({ group }) => group !== 0);
  const span = pick(owned, word);
  if (span === undefined) return null;
  const to = pick(
    dataGroups(map).filter(({ group }) => group !== span.group),
    word >>> 8,
  );
  if (to === undefined) return null;
  const from = span.from + ((word >>> 4) % (span.to - span.from));
  return { kind: "moveSlots", slots: { from, to: span.to }, to: to.group };
}

function splitGroup(map: Map, word: number): MapCommand | null {
  const span = pick(
    map.owners.filter(({ group, from, to }) => group !== 0 && to - from > 1),
    word,
  );
  if (span === undefined || span.group === 0) return null;
  const middle = (span.from + span.to) >> 1;
  return { kind: "split", group: span.group, slots: { from: middle, to: span.to } };
}

function mergeGroups(map: Map, word: number): MapCommand | null {
  const [group, into] = two(dataGroups(map), word);
  if (group === undefined || into === undefined) return null;
  return { kind: "merge", group: group.group, into: into.group };
}

/** Now and then under the number of one that has ended. */
function createGroup(map: Map, word: number): MapCommand {
  const free: GroupId[] = [];
  for (let id = metaGroup + 1; id <= map.newestGroup; id++) {
    if (map.groups.get(id) === undefined) free.push(id as GroupId);
  }
  const group = word % 3 === 0 ? 0 : (pick(free, word >>> 4) ?? 0);
  return { kind: "create", group, weight: 1 + ((word >>> 8) % 3), nodes: [], replication: 3 };
}

function destroyGroup(map: Map, word: number): MapCommand | null {
  const empty = dataGroups(map).filter(({ group }) => map.owners.every((o) => o.group !== group));
  const group = pick(empty, word)?.group;
  return group === undefined ? null : { kind: "destroy", group };
}

function moveReplica(map: Map, word: number): MapCommand | null {
  const group = pick(
    map.groups.all().filter(({ phase }) => phase === "live"),
    word,
  );
  const leave = pick(group?.members ?? [], word >>> 8)?.node;
  if (group === undefined || leave === undefined) return null;
  return { kind: "moveReplica", group: group.group, leave, enter: 0 };
}

function drainNode(map: Map, word: number): MapCommand | null {
  const up = map.nodes.all().filter(({ state }) => state === "up");
  const node = pick(up, word)?.node;
  if (node === undefined || up.length <= nodesMin) return null;
  return { kind: "drain", node };
}

function joinNode(map: Map, word: number, { processes }: JobsWorld): MapCommand | null {
  const left = pick(
    map.nodes.all().filter(({ state }) => state === "left"),
    word,
  );
  return left === undefined ? null : setNode(left, processes[left.node - 1]!.diskId);
}

function cancelJob(map: Map, word: number): MapCommand | null {
  const job = pick(
    map.jobs.all().filter(({ kind, state }) => state === "running" && kind !== "assign"),
    word,
  );
  return job === undefined ? null : { kind: "cancel", job: job.id };
}

function moveLeader(map: Map, word: number): MapCommand | null {
  const group = pick(
    map.groups.all().filter(({ phase }) => phase === "live"),
    word,
  );
  const node = pick(group?.members ?? [], word >>> 8)?.node;
  if (group === undefined || node === undefined) return null;
  return { kind: "moveLeader", group: group.group, node };
}

function dataGroups(map: Map): MapGroup[] {
  return map.groups.all().filter(({ group, phase }) => group !== metaGroup && phase === "live");
}

function two<T>(from: readonly T[], word: number): readonly [T | undefined, T | undefined] {
  const first = pick(from, word);
  return [
    first,
    pick(
      from.filter((each) => each !== first),
      word >>> 8,
    ),
  ];
}

function pick<T>(from: readonly T[], word: number): T | undefined {
  return from[word % Math.max(1, from.length)];
}
