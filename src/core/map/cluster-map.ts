/**
 * The state machine of the meta group: applies what people and the steward ask of the map. All of it
 * comes in `admin` entries, with who and when; the map has no slots, and no data of clients.
 */
import { emptyBytes } from "../bytes.js";
import type { GroupId, NodeId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { SlotRange, StateMachine } from "../state-machine.js";
import { isSlotCount } from "../store/slots.js";
import {
  type GroupFacts,
  type JobCommand,
  type MapAnswer,
  type MapCommand,
  type MapRefusal,
  type NodeFacts,
  decodeMapCommand,
  encodeMapAnswer,
} from "./commands.js";
import { noOwners } from "./owners.js";
import { spreadOver } from "./placement.js";
import { planJob } from "./plan.js";
import { encodeRouting } from "./routing.js";
import { type MapState, decodeMap, emptyMap, encodeMap, mapDigest } from "./state.js";
import { changeNode, departs, movePath, noteStep } from "./steps.js";
import {
  type Job,
  type JobKind,
  type Setting,
  type Step,
  mapLimits,
  stewardName,
} from "./types.js";
import { undoSteps } from "./undo.js";

/** Who asks for something, when by the wall clock, and by which entry. */
interface Asked {
  readonly by: string;
  readonly atUs: number;
  readonly index: number;
}

export class ClusterMap implements StateMachine {
  readonly #marks: Marks;
  #state: MapState = emptyMap();

  constructor(marks: Marks) {
    this.#marks = marks;
  }

  /** For the steward, for status and for oracles. */
  get state(): Readonly<MapState> {
    return this.#state;
  }

  admin(bytes: Uint8Array, by: string, atUs: number, index: number): Uint8Array {
    const command = decodeMapCommand(bytes);
    if (command === null) return encodeMapAnswer(refused("malformed"));
    const answer = this.#apply(command, { by, atUs, index });
    if (answer.kind === "ok") this.#state.version = index;
    return encodeMapAnswer(answer);
  }

  /** What clients route by. */
  map(): { readonly version: number; readonly bytes: Uint8Array } {
    return { version: this.#state.version, bytes: encodeRouting(this.#state) };
  }

  /** Commands of clients have no meaning here. */
  apply(): Uint8Array {
    return emptyBytes;
  }

  /** The whole map, whatever is asked. */
  query(): Uint8Array {
    return encodeMap(this.#state);
  }

  digest(): readonly [number, number] {
    return mapDigest(this.#state);
  }

  exportSlots({ from, to }: SlotRange): Uint8Array {
    return from < to ? encodeMap(this.#state) : emptyBytes;
  }

  importSlots(_slots: SlotRange, bytes: Uint8Array): boolean {
    const state = bytes.length === 0 ? emptyMap() : decodeMap(bytes);
    if (state === null) return false;
    this.#state = state;
    return true;
  }

  #apply(command: MapCommand, asked: Asked): MapAnswer {
    if (command.kind === "make") return this.#make(command, asked);
    if (this.#state.slotCount === 0) return refused("notMade");
    switch (command.kind) {
      case "setNode":
        return this.#setNode(command);
      case "declareLost":
        return this.#declareLost(command.node);
      case "forgetNode":
        return this.#forgetNode(command.node);
      case "set":
        return this.#set(command);
      case "cancel":
        return this.#cancel(command.job);
      case "advance":
        return asked.by === stewardName ? this.#advance(command) : refused("notYours");
      default:
        return this.#begin(command, asked);
    }
  }

  #make(command: Extract<MapCommand, { kind: "make" }>, asked: Asked): MapAnswer {
    const map = this.#state;
    const { slotCount, nodes, groups } = command;
    if (map.slotCount !== 0) return refused("exists");
    if (!isSlotCount(slotCount) || !areWhole(nodes, groups)) return refused("malformed");
    if (groups.length > mapLimits.spreadGroupsMax) return refused("full");
    map.slotCount = slotCount;
    map.owners = noOwners(slotCount);
    for (const facts of nodes) map.nodes.set(facts.node, nodeOf(facts, "up"));
    for (const { group, incarnation, weight, members } of groups) {
      map.groups.set(group, { group, incarnation, weight, members, phase: "live" });
      map.newestGroup = Math.max(map.newestGroup, group);
      map.newestIncarnation = Math.max(map.newestIncarnation, incarnation);
    }
    const moves = spreadOver(map)
      .filter(({ group }) => group !== 0)
      .map(({ from, to, group }, n) => {
        return { slots: { from, to }, epoch: n + 1, from: 0 as const, to: group as GroupId };
      });
    map.epoch = moves.length;
    if (moves.length === 0) return ok(0);
    return this.#run("assign", moves.flatMap(movePath), asked);
  }

  #setNode(facts: NodeFacts): MapAnswer {
    const { nodes } = this.#state;
    const known = nodes.get(facts.node);
    if (known === undefined && nodes.size >= mapLimits.nodesMax) return refused("full");
    // Who has left, or was lost, and comes again is there again.
    nodes.set(facts.node, nodeOf(facts, this.#isDrained(facts.node) ? "draining" : "up"));
    return ok(0);
  }

  #declareLost(node: NodeId): MapAnswer {
    const known = this.#state.nodes.get(node);
    if (known === undefined || known.state === "left") return refused("noSuchNode");
    changeNode(this.#state, node, { state: "lost" });
    return ok(0);
  }

  #forgetNode(node: NodeId): MapAnswer {
    const { nodes } = this.#state;
    const known = nodes.get(node);
    if (known === undefined) return refused("noSuchNode");
    if (known.state !== "left") return refused("needed");
    nodes.delete(node);
    return ok(0);
  }

  #set({ name, value }: Setting): MapAnswer {
    const others = this.#state.settings.filter((setting) => setting.name !== name);
    if (value !== "" && others.length >= mapLimits.settingsMax) return refused("full");
    const kept = value === "" ? others : [...others, { name, value }];
    this.#state.settings = kept.sort((a, b) => (a.name < b.name ? -1 : 1));
    return ok(0);
  }

  #begin(command: JobCommand, asked: Asked): MapAnswer {
    const map = this.#state;
    if (map.jobs.size >= mapLimits.jobsMax) return refused("full");
    const plan = planJob(map, command);
    if (plan.kind === "refused") {
      if (plan.reason === "busy") this.#marks.hit("jobRefusedAsBusy");
      return plan;
    }
    const { steps, epochs, founded } = plan;
    map.epoch += epochs;
    if (founded !== null) {
      map.groups.set(founded.group, founded);
      map.newestGroup = Math.max(map.newestGroup, founded.group);
      map.newestIncarnation = founded.incarnation;
    }
    if (command.kind === "drain" && map.nodes.get(command.node)?.state === "up")
      changeNode(map, command.node, { state: "draining" });
    return steps.length === 0 ? ok(0) : this.#run(command.kind, steps, asked);
  }

  #run(kind: JobKind, steps: readonly Step[], { by, atUs }: Asked): MapAnswer {
    const map = this.#state;
    const id = ++map.newestJob;
    const kept = { total: 0, checksum: 0 };
    map.jobs.set(id, { id, kind, by, atUs, state: "running", steps, at: 0, turn: 0, kept });
    return ok(id);
  }

  #cancel(id: number): MapAnswer {
    const map = this.#state;
    const job = map.jobs.get(id);
    if (job === undefined) return refused("noSuchJob");
    const steps = job.state === "running" ? undoSteps(job, map.epoch + 1) : null;
    if (steps === null) {
      this.#marks.hit("cancelledTooLate");
      return refused("tooLate", id);
    }
    this.#marks.hit("jobCancelled");
    map.epoch++;
    this.#put({ ...job, state: "undoing", steps, at: 0, turn: job.turn + 1 });
    return ok(id);
  }

  #advance({ job: id, turn, fact }: Extract<MapCommand, { kind: "advance" }>): MapAnswer {
    const job = this.#state.jobs.get(id);
    const step = job?.steps[job.at];
    if (job === undefined || step === undefined || job.turn !== turn) {
      this.#marks.hit("lateReportDropped");
      return refused("stale", id);
    }
    noteStep(this.#state, step, fact);
    const kept = fact.kind === "kept" ? { total: fact.total, checksum: fact.checksum } : job.kept;
    this.#put({ ...job, at: job.at + 1, turn: turn + 1, kept });
    return ok(id);
  }

  /** A job without a step left is over. */
  #put(job: Job): void {
    const map = this.#state;
    if (job.at < job.steps.length) {
      map.jobs.set(job.id, job);
      return;
    }
    map.jobs.delete(job.id);
    const over: Job = { ...job, state: job.state === "undoing" ? "undone" : "done" };
    map.ended.set(over.id, over);
    const [oldest] = map.ended.all();
    if (map.ended.size > mapLimits.endedJobsMax) map.ended.delete(oldest!.id);
    if (over.state === "undone" && over.kind === "drain") this.#keepDrained();
  }

  /** Nobody drains them any more: they may hold replicas again. */
  #keepDrained(): void {
    for (const { node, state } of this.#state.nodes.all()) {
      if (state === "draining" && !this.#isDrained(node))
        changeNode(this.#state, node, { state: "up" });
    }
  }

  /** Whether a job is moving its replicas away, so that it can leave. */
  #isDrained(node: NodeId): boolean {
    return this.#state.jobs.all().some((job) => departs(job, node));
  }
}

/** Each node and group once, and members only on these nodes. */
function areWhole(nodes: readonly NodeFacts[], groups: readonly GroupFacts[]): boolean {
  const ids = new Set(nodes.map(({ node }) => node));
  if (ids.size === 0 || ids.size < nodes.length) return false;
  if (new Set(groups.map(({ group }) => group)).size < groups.length) return false;
  return groups.every(({ members }) => {
    return members.length > 0 && members.every(({ node }) => ids.has(node));
  });
}

function nodeOf(facts: NodeFacts, state: "up" | "draining"): NodeFacts & { state: typeof state } {
  const { node, disk, weight, zone, address } = facts;
  return { node, disk, state, weight, zone, address };
}

function ok(id: number): MapAnswer {
  return { kind: "ok", id };
}

function refused(reason: MapRefusal, job = 0): MapAnswer {
  return { kind: "refused", reason, job };
}
