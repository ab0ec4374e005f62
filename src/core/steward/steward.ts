/**
 * Carries out the jobs of the cluster map (docs/decisions/0004), on the node whose replica of the meta
 * group leads. It keeps only what is under way: which step a job is at stands in the map. Whatever
 * it asks may be asked twice, by it or by a steward that believes to be in office still.
 */
import type { GroupId, NodeId, RequestId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Fact, MapCommand } from "../map/commands.js";
import type { MapState } from "../map/state.js";
import { type Job, mapLimits } from "../map/types.js";
import { encodeNodeRequest } from "../node/node-requests.js";
import type { Sleeper } from "../node/wake-heap.js";
import type { ClientAnswer } from "../store/client-protocol.js";
import { type StewardOptions, errandOf } from "./errands.js";
import type { Errand, Question } from "./errand.js";

export interface StewardWorld {
  readonly marks: Marks;
  readonly options: StewardOptions;
  nowUs(): number;
  wakeAt(sleeper: Sleeper, atUs: number): void;
  /** The answer comes as `answered`, or never. */
  ask(to: NodeId, request: Uint8Array): RequestId;
  /** Proposes to the meta group here; nobody waits for the answer. */
  report(command: MapCommand): void;
}

interface Task {
  readonly job: number;
  readonly turn: number;
  readonly errand: Errand;
  /** Open, or 0; to be given up at `dueUs`, when it asks again. */
  request: RequestId | 0;
  asked: Question | null;
  dueUs: number;
  /** The step has been taken; to be reported until the map says so too. */
  fact: Fact | null;
}

export class Steward implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #world: StewardWorld;
  readonly #tasks = new Map<number, Task>();
  /** Which node to ask first for the leader of a group. */
  readonly #leaders = new Map<GroupId, NodeId>();
  #map: Readonly<MapState> | null = null;
  /** When leaders are to be balanced; Infinity while nothing has moved them. */
  #balanceAtUs = Infinity;

  constructor(world: StewardWorld) {
    this.#world = world;
  }

  /** Jobs that it is at work on. */
  get size(): number {
    return this.#tasks.size;
  }

  get limit(): number {
    return mapLimits.jobsMax;
  }

  /** Leaders may lie unevenly from now on. */
  unsettled(): void {
    if (this.#map === null || this.#balanceAtUs !== Infinity) return;
    this.#balanceAtUs = this.#world.nowUs() + this.#world.options.balanceAfterUs;
    this.#arm();
  }

  /** The map has changed, or the office: null when another node, or none, has it. */
  look(map: Readonly<MapState> | null): void {
    const isNew = this.#map === null;
    this.#map = map;
    if (map === null) {
      this.#balanceAtUs = Infinity;
      this.#tasks.clear();
      this.#leaders.clear();
      this.#world.wakeAt(this, Infinity);
      return;
    }
    for (const [id, task] of this.#tasks) {
      const job = map.jobs.get(id);
      if (job?.turn !== task.turn) this.#tasks.delete(id);
      if (job === undefined && map.ended.get(id)?.kind !== "balanceLeaders") this.unsettled();
    }
    if (isNew) this.unsettled();
    for (const job of map.jobs.all()) {
      if (!this.#tasks.has(job.id)) this.#take(job);
    }
    this.#arm();
  }

  /** Null: an answer that nobody understands. */
  answered(request: RequestId, answer: ClientAnswer | null): void {
    for (const task of this.#tasks.values()) {
      if (task.request !== request) continue;
      task.request = 0;
      if (answer === null) this.#putOff(task);
      else this.#heed(task, answer);
      this.#arm();
      return;
    }
    this.#world.marks.hit("lateNodeAnswerDropped");
  }

  woken(): void {
    const nowUs = this.#world.nowUs();
    if (this.#balanceAtUs <= nowUs) this.#balance();
    for (const task of this.#tasks.values()) {
      if (task.dueUs > nowUs) continue;
      // Who did not answer may be gone.
      if (task.request !== 0) this.#askAnother(task);
      task.request = 0;
      if (task.fact === null) this.#ask(task);
      else this.#report(task, task.fact);
    }
    this.#arm();
  }

  /** Not beside other jobs: those move leaders too, and it is due again when they are over. */
  #balance(): void {
    this.#balanceAtUs = Infinity;
    if (this.#map?.slotCount === 0 || this.#tasks.size > 0) return;
    this.#world.marks.hit("leadersBalancedUnasked");
    this.#world.report({ kind: "balanceLeaders" });
  }

  #take(job: Job): void {
    const step = job.steps[job.at]!;
    const { options, marks } = this.#world;
    const task: Task = {
      job: job.id,
      turn: job.turn,
      errand: errandOf(step, job, { map: this.#map!, options, marks }),
      request: 0,
      asked: null,
      dueUs: 0,
      fact: null,
    };
    this.#tasks.set(job.id, task);
    this.#ask(task);
  }

  #ask(task: Task): void {
    const question = task.errand.next(this.#map!);
    task.asked = question;
    if (question === null) return this.#report(task, { kind: "none" });
    const node = this.#nodeFor(question);
    if (node === undefined) return this.#putOff(task);
    const { askTimeoutUs } = this.#world.options;
    task.dueUs = this.#world.nowUs() + askTimeoutUs;
    task.request = this.#world.ask(node, encodeNodeRequest(question.request));
  }

  #heed(task: Task, answer: ClientAnswer): void {
    if (answer.kind === "refused" || answer.kind === "unknown") {
      this.#learnLeader(task, answer.leader);
    }
    const outcome = task.errand.take(answer);
    if (outcome.kind === "done") this.#report(task, outcome.fact);
    else if (outcome.kind === "on") this.#ask(task);
    else this.#putOff(task);
  }

  #report(task: Task, fact: Fact): void {
    task.fact = fact;
    task.dueUs = this.#world.nowUs() + this.#world.options.askTimeoutUs;
    this.#world.report({ kind: "advance", job: task.job, turn: task.turn, fact });
  }

  #putOff(task: Task): void {
    task.dueUs = this.#world.nowUs() + this.#world.options.retryUs;
  }

  /** Undefined when the map knows no member of the group. */
  #nodeFor({ to }: Question): NodeId | undefined {
    if ("node" in to) return to.node;
    return this.#leaders.get(to.leaderOf) ?? this.#nodesOf(to.leaderOf)[0];
  }

  #learnLeader(task: Task, leader: NodeId | 0): void {
    const to = task.asked?.to;
    if (to === undefined || !("leaderOf" in to)) return;
    if (leader === 0 || leader === this.#leaders.get(to.leaderOf)) this.#askAnother(task);
    else this.#leaders.set(to.leaderOf, leader);
  }

  #askAnother({ asked }: Task): void {
    if (asked === null || !("leaderOf" in asked.to)) return;
    const group = asked.to.leaderOf;
    const nodes = this.#nodesOf(group);
    const present = this.#leaders.get(group) ?? nodes[0];
    const at = nodes.findIndex((node) => node === present);
    const next = nodes[(at + 1) % Math.max(1, nodes.length)];
    if (next !== undefined) this.#leaders.set(group, next);
  }

  /** Its members, and who may have come into the place of the last of them without the map's knowing. */
  #nodesOf(group: GroupId): readonly NodeId[] {
    const { groups, jobs } = this.#map!;
    const members = groups.get(group)?.members.map(({ node }) => node) ?? [];
    const entering = jobs.all().flatMap(({ steps, at }) => {
      const step = steps[at]!;
      return step.kind === "swap" && step.group === group ? [step.enter] : [];
    });
    return [...members, ...entering];
  }

  #arm(): void {
    let soonestUs = this.#balanceAtUs;
    for (const { dueUs } of this.#tasks.values()) soonestUs = Math.min(soonestUs, dueUs);
    this.#world.wakeAt(this, soonestUs);
  }
}
