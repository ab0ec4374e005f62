/**
 * People: they change members and move leaders at bad times, and bring wiped nodes back as new
 * replicas. An errand has a goal; it is asked of whoever leads, again and again, until the goal is
 * reached or patience ends. Nobody who matters is sent away: what stays must be able to go on.
 */
import { type NodeId, groupId } from "../core/ids.js";
import type { MemberChange } from "../core/consensus.js";
import type { MapCommand } from "../core/map/commands.js";
import type { Member } from "../core/raft/configuration.js";
import type { RaftView } from "../core/raft/view.js";
import { type AdminAction, encodeAdminRequest } from "../core/store/admin-protocol.js";
import type { Fault } from "../lab/fault.js";
import { eventKind } from "./events.js";
import { isJob, jobGoal, makingGoal, renewalGoal, spreadingGoal } from "./jobs.js";
import type { SimProcess } from "./process.js";
import type { Scheduler } from "./scheduler.js";
import { type KeyedStream, within } from "./streams.js";
import type { Survey } from "./survey.js";

/** How often an errand asks, and how many times at most. */
const beatUs = { min: 1_000, max: 120_000 } as const;
const beatsMax = 240;
/** A node that lost something is looked after for longer. */
const rejoinBeatsMax = 400;
/** Entries that a learner may lack when it becomes a voter. */
const laggingMax = 32;
/** Voters that nobody goes below. */
const votersMin = 3;

export interface PeopleWorld {
  readonly scheduler: Scheduler;
  readonly chance: KeyedStream;
  readonly processes: readonly SimProcess[];
  readonly survey: Survey;
  /** Sends an admin request to a node; nobody waits for the answer. */
  askNode(node: number, bytes: Uint8Array): void;
  effective(fault: number): void;
  /** Gives a node a new disk if every group survives that. */
  replaceDisk(node: number, fault: number): void;
}

/** What to ask of the leader now; null: wait. `done` ends the errand. */
export type Goal = (leader: RaftView, word: number) => AdminAction | "done" | null;

interface Errand {
  readonly group: number;
  readonly fault: number;
  readonly goal: Goal;
  /** Also after the attack. */
  readonly lasts: boolean;
  asked: number;
  /** How often it may still ask. */
  beats: number;
  over: boolean;
}

export class People {
  readonly #world: PeopleWorld;
  readonly #errands: Errand[] = [];
  #stopped = false;

  constructor(world: PeopleWorld) {
    this.#world = world;
  }

  /** Sets out on what the fault says; its number is `ordinal`. */
  setOut(fault: Fault, ordinal: number): void {
    const goal = goalOf(fault, this.#world);
    if (goal !== null) this.#add(isJob(fault.kind) ? 0 : fault.group, ordinal, goal);
  }

  /** The first thing that a cluster with a map is asked, after the attack still. */
  makeMap(command: MapCommand): void {
    this.#add(0, -1, makingGoal(command, this.#world), Infinity);
  }

  /** Brings a wiped node back into a group of which it was a member. */
  rejoin(node: number, group: number, fault: number): void {
    const process = this.#world.processes[node]!;
    const goal: Goal = (leader) => {
      if (!process.takesReplicas) this.#world.replaceDisk(node, fault);
      return rejoinGoal(leader, process, this.#world);
    };
    this.#add(group, fault, goal, rejoinBeatsMax);
  }

  /** Tells the map of a node's new disk, and asks it for new replicas there. */
  renew(node: number, fault: number): void {
    const goal = renewalGoal(this.#world.processes[node]!, this.#world, () =>
      this.#world.replaceDisk(node, fault),
    );
    this.#add(0, fault, goal, Infinity);
  }

  /** When all is healed: slots are spread over the groups once more. */
  spreadAtLast(): void {
    this.#add(0, -1, spreadingGoal(this.#world), Infinity);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** An `errand` event is due. */
  beat(ordinal: number): void {
    const errand = this.#errands[ordinal]!;
    if ((this.#stopped && !errand.lasts) || errand.over || errand.beats-- <= 0) return;
    const { scheduler, chance, survey } = this.#world;
    const word = chance.word(scheduler.nowUs, errand.group, errand.fault, 3);
    const atUs = scheduler.nowUs + within(word, beatUs.min, beatUs.max);
    scheduler.add(atUs, eventKind.errand, ordinal);
    const leader = survey.leader(errand.group);
    if (leader === null) return;
    const action = errand.goal(leader, word >>> 3);
    if (action === null) return;
    if (action === "done") {
      errand.over = true;
      if (errand.asked > 0) this.#world.effective(errand.fault);
      return;
    }
    errand.asked++;
    const group = groupId(errand.group + 1);
    this.#world.askNode(leader.node - 1, encodeAdminRequest({ ...action, group }));
  }

  #add(group: number, fault: number, goal: Goal, beats: number = beatsMax): void {
    const lasts = beats === Infinity;
    const errand = { group, fault, goal, lasts, asked: 0, beats, over: false };
    this.#errands.push(errand);
    const { scheduler } = this.#world;
    scheduler.add(scheduler.nowUs, eventKind.errand, this.#errands.length - 1);
  }
}

function goalOf(fault: Fault, world: PeopleWorld): Goal | null {
  switch (fault.kind) {
    case "transferLeader":
      return transferGoal();
    case "addLearner":
      return addGoal(world, false);
    case "promote":
      return addGoal(world, true);
    case "removeMember":
      return removeGoal(world, (leader, word) => {
        const others = leader.configuration.voters.filter(({ node }) => node !== leader.node);
        return pick(others, word);
      });
    case "removeLeader":
      return removeGoal(world, (leader) =>
        leader.configuration.voters.find(({ replica }) => replica === leader.replica),
      );
    case "replaceMembers":
      return replaceGoal(world);
    case "rotateKeys":
      return rotateGoal();
    default:
      return jobGoal(fault, world);
  }
}

function transferGoal(): Goal {
  let from: number | null = null;
  return (leader, word) => {
    from ??= leader.replica;
    if (leader.replica !== from) return "done";
    const others = leader.configuration.voters.filter(({ replica }) => replica !== leader.replica);
    const to = pick(others, word);
    return to === undefined ? "done" : { kind: "transfer", to: to.replica };
  };
}

/** Asked once of whoever leads; asked again it could be a second one. */
function rotateGoal(): Goal {
  let asked = false;
  return () => {
    if (asked) return "done";
    asked = true;
    return { kind: "rotateKeys" };
  };
}

/** A node that has no member joins as a learner and, if so wished, becomes a voter. */
function addGoal(world: PeopleWorld, promote: boolean): Goal {
  let node: NodeId | null = null;
  return (leader, word) => {
    const { learners, voters } = leader.configuration;
    if (isJoint(leader)) return null;
    node ??= promote ? (learners[0]?.node ?? null) : null;
    node ??= pick(spares(leader, world), word)?.node ?? null;
    if (node === null) return "done";
    if (voters.some((each) => each.node === node)) return "done";
    const learner = learners.find((each) => each.node === node);
    if (learner === undefined) return change(addition(world, node, "addLearner"));
    return promote ? promotion(leader, learner, world) : "done";
  };
}

/** A member leaves; where too few would stay, another takes its place first. */
function removeGoal(
  world: PeopleWorld,
  choose: (leader: RaftView, word: number) => Member | undefined,
): Goal {
  let leaving: Member | null = null;
  const add = addGoal(world, true);
  return (leader, word) => {
    if (isJoint(leader)) return null;
    const { voters } = leader.configuration;
    leaving ??= choose(leader, word) ?? null;
    if (leaving === null) return "done";
    const { replica } = leaving;
    if (!voters.some((each) => each.replica === replica)) return "done";
    const staying = voters.filter((each) => each.replica !== replica);
    if (voters.length > votersMin) {
      if (!world.survey.mayConsistOf(leader.group - 1, staying, 0)) return null;
      return change({ op: "remove", replica });
    }
    const added = add(leader, word);
    return added === "done" && voters.length <= votersMin ? "done" : added;
  };
}

/** One or two members give way to as many nodes that had none, all in one change. */
function replaceGoal(world: PeopleWorld): Goal {
  let leaving: readonly number[] | null = null;
  return (leader, word) => {
    if (isJoint(leader)) return null;
    const { voters } = leader.configuration;
    const free = spares(leader, world).slice(0, 2);
    if (leaving === null) {
      const from = word % voters.length;
      const turned = [...voters.slice(from), ...voters.slice(0, from)];
      leaving = turned.slice(0, free.length).map(({ replica }) => replica);
    }
    const going = voters.filter(({ replica }) => leaving!.includes(replica));
    if (going.length === 0 || free.length < going.length) return "done";
    const staying = voters.filter((each) => !going.includes(each));
    if (!world.survey.mayConsistOf(leader.group - 1, staying, going.length)) return null;
    return change(
      ...going.map(({ replica }) => ({ op: "remove", replica }) as const),
      ...free.slice(0, going.length).map(({ node }) => addition(world, node, "addVoter")),
    );
  };
}

/** The old replica goes, a new one joins as a learner, and becomes a voter if the old one was. */
function rejoinGoal(
  leader: RaftView,
  process: SimProcess,
  world: PeopleWorld,
): AdminAction | "done" | null {
  if (isJoint(leader) || process.boot === 0) return null;
  const { voters, learners } = leader.configuration;
  const here = [...voters, ...learners].filter(({ node }) => node === process.node);
  const old = here.find(
    (member) => member.disk !== process.diskId || world.survey.isGone(leader.group - 1, member),
  );
  if (old !== undefined) return change({ op: "remove", replica: old.replica });
  const present = here.at(0);
  if (present === undefined) {
    return change({ op: "addLearner", node: process.node, disk: process.diskId });
  }
  return voters.includes(present) ? "done" : promotion(leader, present, world);
}

/** A learner is promoted once it has nearly all that the leader has (thesis section 4.2.1). */
function promotion(leader: RaftView, learner: Member, world: PeopleWorld): AdminAction | null {
  const replica = world.survey.replicaOf(leader.group - 1, learner);
  if (replica === null || replica.last + laggingMax < leader.last) return null;
  return change({ op: "promote", replica: learner.replica });
}

function spares(leader: RaftView, world: PeopleWorld): SimProcess[] {
  const { voters, learners } = leader.configuration;
  const used = new Set([...voters, ...learners].map(({ node }) => node));
  return world.processes.filter(
    ({ node, index, boot }) => boot > 0 && !used.has(node) && !world.survey.isDamaged(index),
  );
}

function addition(world: PeopleWorld, node: NodeId, op: "addLearner" | "addVoter"): MemberChange {
  return { op, node, disk: world.processes[node - 1]!.diskId };
}

function change(...changes: readonly MemberChange[]): AdminAction {
  // They change members at bad times, whatever came before.
  return { kind: "change", changes, at: null };
}

function isJoint(leader: RaftView): boolean {
  return leader.configuration.outgoing.length > 0;
}

function pick<T>(from: readonly T[], word: number): T | undefined {
  return from[word % Math.max(1, from.length)];
}
