/**
 * What a trace says of slots and jobs: made of the entries that replicas apply, their answers, and the
 * map as it stands then; never of what a machine says of itself (CONTRACTS 8).
 */
import type { Entry } from "../core/entry.js";
import { entryType } from "../core/entry.js";
import { ClusterMap } from "../core/map/cluster-map.js";
import { type MapAnswer, decodeMapAnswer, decodeMapCommand } from "../core/map/commands.js";
import { describeStep, groupsOfStep, isMoveStep } from "../core/map/steps.js";
import type { Job, Step } from "../core/map/types.js";
import type { RaftView } from "../core/raft/view.js";
import { decodeClientAnswer } from "../core/store/client-protocol.js";
import { decodeAdminEntry } from "../core/store/entries.js";
import { type GroupLifeEntry, decodeGroupLifeEntry } from "../core/store/group-life.js";
import type { ReplicatedStore } from "../core/store/replicated-store.js";
import type { TraceData } from "../core/trace/schema.js";

/** Steps that are remembered, to tell a second one from the first. */
const stepsMax = 65_536;

export class ControlEvidence {
  /** A step, by what it is about -> the entry that took it first. */
  readonly #taken = new Map<string, number>();

  /** Null for an entry that nobody understands. */
  slots(view: RaftView, entry: Entry, answer: Uint8Array): TraceData<"slots"> | null {
    if (entry.type !== entryType.groupLife) return null;
    const life = decodeGroupLifeEntry(entry.payload);
    if (life.kind === "undecodable") return null;
    const outcome = answerWord(answer);
    const about =
      life.kind === "retire"
        ? { slots: [], epoch: 0, next: 0 }
        : {
            slots: [life.slots.from, life.slots.to],
            epoch: life.epoch,
            next: life.kind === "keepSlots" ? life.next : 0,
          };
    const changed = outcome === "done" && this.#isFirst(view, entry, life);
    const { incarnation } = view;
    return { incarnation, index: entry.index, step: life.kind, ...about, outcome, changed };
  }

  /** Null for what is not asked of a map. */
  job(entry: Entry, answer: Uint8Array, { machine }: ReplicatedStore): TraceData<"job"> | null {
    if (entry.type !== entryType.admin || !(machine instanceof ClusterMap)) return null;
    const admin = decodeAdminEntry(entry.payload);
    const command = admin.kind === "admin" ? decodeMapCommand(admin.bytes) : null;
    const answered = mapAnswer(answer);
    if (admin.kind !== "admin" || command === null || answered === null) return null;
    const { jobs, ended } = machine.state;
    const id = answered.kind === "ok" ? answered.id : answered.job;
    const job = id === 0 ? null : (jobs.get(id) ?? ended.get(id) ?? null);
    const outcome = answered.kind === "ok" ? "ok" : answered.reason;
    const asked = { index: entry.index, by: admin.who, asked: command.kind, outcome };
    return { ...asked, ...jobData(job) };
  }

  /** Another replica that applies the same entry takes the same step; another entry takes it again. */
  #isFirst({ group, incarnation }: RaftView, { index }: Entry, life: GroupLifeEntry): boolean {
    const offset = life.kind === "stageSlots" ? life.offset : 0;
    const about = life.kind === "retire" ? "" : `${life.slots.from}/${life.slots.to}/${life.epoch}`;
    const key = `${group}/${incarnation}/${life.kind}/${about}/${offset}`;
    const first = this.#taken.get(key);
    if (first !== undefined) return first === index;
    if (this.#taken.size >= stepsMax) this.#taken.clear();
    this.#taken.set(key, index);
    return true;
  }
}

/** What a client, or whoever asked, was told, in one word. */
export function answerWord(bytes: Uint8Array): string {
  const answer = decodeClientAnswer(bytes);
  switch (answer.kind) {
    case "readResult":
      return "done";
    case "refused":
      return answer.reason;
    case "undecodable":
      return "nonsense";
    default:
      return answer.kind;
  }
}

/** The newest epoch that a `moved` tells; else 0. */
export function movedTo(bytes: Uint8Array): number {
  const answer = decodeClientAnswer(bytes);
  return answer.kind === "moved" ? answer.epoch : 0;
}

function mapAnswer(bytes: Uint8Array): MapAnswer | null {
  const answer = decodeClientAnswer(bytes);
  return answer.kind === "done" ? decodeMapAnswer(answer.bytes) : null;
}

type JobData = Omit<TraceData<"job">, "index" | "by" | "asked" | "outcome">;

/** Job 0 where none is meant. */
function jobData(job: Job | null): JobData {
  if (job === null) {
    return { job: 0, kind: "", state: "", at: 0, steps: 0, step: "", ...nothing };
  }
  const { id, kind, state, at, steps } = job;
  const step = steps[at];
  return {
    job: id,
    kind,
    state,
    at,
    steps: steps.length,
    step: step === undefined ? "" : describeStep(step),
    about: step === undefined ? [] : slotsOf([step]),
    slots: slotsOf(steps),
    groups: [...new Set(steps.flatMap(groupsOfStep))],
  };
}

const nothing = { about: [], slots: [], groups: [] } as const;

/** Ends of ranges, two and two. */
function slotsOf(steps: readonly Step[]): number[] {
  const ranges = new Map<string, readonly [number, number]>();
  for (const step of steps) {
    if (!isMoveStep(step)) continue;
    const { from, to } = step.move.slots;
    ranges.set(`${from}/${to}`, [from, to]);
  }
  return [...ranges.values()].flat();
}
