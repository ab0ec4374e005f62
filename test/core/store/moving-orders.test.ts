/**
 * Slots move between two groups while stewards lose their office: each step may be left half done, come
 * again, or come long after its job was given up. A small model, which only sees what the groups answer
 * and what they let be read, judges.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { bytesKey } from "../../../src/core/bytes.js";
import { groupId, incarnation } from "../../../src/core/ids.js";
import type { SlotRange } from "../../../src/core/state-machine.js";
import {
  type ClientAnswer,
  type SessionId,
  decodeClientAnswer,
} from "../../../src/core/store/client-protocol.js";
import type { GroupLifeEntry } from "../../../src/core/store/group-life.js";
import { ReplicatedStore } from "../../../src/core/store/replicated-store.js";
import { CountedMarks } from "../counted-marks.js";
import { ListMachine, Log, type Staged, acceptance, sessionOf } from "./world.js";

const slotCount = 4;
/** What moves, always as a whole: then a session is honoured on all of it or on nothing. */
const ranges: readonly SlotRange[] = [
  { from: 0, to: 1 },
  { from: 1, to: 4 },
];
const slotsOf = ({ from, to }: SlotRange): number[] =>
  Array.from({ length: to - from }, (_, n) => from + n);
const rangeOf = (slot: number): number => (slot < 1 ? 0 : 1);

type Step = "release" | "stage" | "accept" | "drop" | "abandon" | "keep";

interface Job {
  readonly range: number;
  readonly from: number;
  readonly to: number;
  readonly epoch: number;
  /** For the old owner, if the move is given up. */
  readonly next: number;
  step: Step;
  staged: Staged | null;
}

interface Route {
  group: number;
  epoch: number;
}

interface Sent {
  readonly session: SessionId;
  readonly serial: number;
  readonly slot: number;
  readonly name: string;
  /** The first answer to it, once it is known to be applied. */
  answer: number | null;
}

function freshStore(group: number): ReplicatedStore {
  return new ReplicatedStore({
    group: groupId(group + 1),
    incarnation: incarnation(1),
    machine: new ListMachine(),
    marks: new CountedMarks(),
    slotCount,
    owned: { from: 0, to: group === 0 ? slotCount : 0 },
  });
}

class TwoGroups {
  readonly logs = [0, 1].map((group) => new Log(freshStore(group)));
  /** As the map has it. */
  readonly routes: Route[] = ranges.map(() => ({ group: 0, epoch: 0 }));
  epoch = 0;
  job: Job | null = null;
  /** All that any steward ever proposed to a group: each may arrive again, or for the first time. */
  readonly proposed: GroupLifeEntry[][] = [[], []];
  /** What each slot must hold, and which epochs of it were begun, ended or abandoned. */
  readonly lists: string[][] = Array.from({ length: slotCount }, () => []);
  readonly begun = new Map<string, number>();
  readonly ended = new Set<string>();
  readonly abandoned = new Set<string>();
  readonly serving: (Route | null)[] = Array.from({ length: slotCount }, () => ({
    group: 0,
    epoch: 0,
  }));
  readonly sent: Sent[] = [];
  session: SessionId | null = null;
  serial = 0;
  opened = 0;

  start(pick: number): void {
    if (this.job !== null) return;
    const range = pick % ranges.length;
    const { group: from } = this.routes[range]!;
    const epoch = ++this.epoch;
    const next = ++this.epoch;
    this.job = { range, from, to: 1 - from, epoch, next, step: "release", staged: null };
  }

  /** What the job's present step proposes, and to whom. */
  entries(job: Job): readonly [group: number, entries: readonly GroupLifeEntry[]] {
    const at = { slots: ranges[job.range]!, epoch: job.epoch } as const;
    switch (job.step) {
      case "release":
        return [job.from, [{ kind: "exportSlots", ...at }]];
      case "stage":
        return [job.to, acceptance(at.slots, at.epoch, job.staged!).slice(0, -1)];
      case "accept":
        return [job.to, acceptance(at.slots, at.epoch, job.staged!).slice(-1)];
      case "drop":
        return [job.from, [{ kind: "dropSlots", ...at }]];
      case "abandon":
        return [job.to, [{ kind: "abandonSlots", ...at }]];
      case "keep":
        return [job.from, [{ kind: "keepSlots", ...at, next: job.next }]];
    }
  }

  /** The steward proposes the step, hears how it went unless the answer is lost, and goes on. */
  step(answerLost: boolean, some: number): void {
    const { job } = this;
    if (job === null) return;
    const [group, entries] = this.entries(job);
    // An answer is lost, or only some of the pieces are staged before the steward is another one.
    const count = answerLost ? some % (entries.length + 1) : entries.length;
    const answers = entries.slice(0, count).map((entry) => this.propose(group, entry));
    this.proposed[group]!.push(...entries);
    if (answerLost) return;
    const refused = answers.find(({ kind }) => kind !== "done");
    if (job.step === "abandon" && refused !== undefined) {
      // Too late to go back: it was accepted.
      job.step = "accept";
      return;
    }
    expect(refused, `${job.step} at ${job.epoch}`).toBeUndefined();
    this.advance(job);
  }

  advance(job: Job): void {
    const slots = ranges[job.range]!;
    switch (job.step) {
      case "release":
        job.staged = this.logs[job.from]!.kept(slots, job.epoch, 7);
        job.step = "stage";
        return;
      case "stage":
        job.step = "accept";
        return;
      case "accept":
        this.routes[job.range] = { group: job.to, epoch: job.epoch };
        job.step = "drop";
        return;
      case "abandon":
        job.step = "keep";
        return;
      case "keep":
        this.routes[job.range] = { group: job.from, epoch: job.next };
        this.job = null;
        return;
      case "drop":
        this.job = null;
        return;
    }
  }

  cancel(): void {
    const { job } = this;
    const may = job?.step === "release" || job?.step === "stage" || job?.step === "accept";
    if (may) job.step = "abandon";
  }

  /** Of a steward that has lost its office since: it is under way, and nobody waits for it. */
  leak(): void {
    const { job } = this;
    if (job === null) return;
    const [group, entries] = this.entries(job);
    this.proposed[group]!.push(...entries);
    // It may also have believed that all was staged.
    if (job.staged === null) return;
    const accept = acceptance(ranges[job.range]!, job.epoch, job.staged).at(-1)!;
    this.proposed[job.to]!.push(accept);
  }

  late(pick: number): void {
    const group = pick % 2;
    const entries = this.proposed[group]!;
    if (entries.length > 0) this.propose(group, entries[(pick >> 1) % entries.length]!);
  }

  propose(group: number, entry: GroupLifeEntry): ClientAnswer {
    const answer = this.logs[group]!.life(entry);
    if (entry.kind === "abandonSlots" && answer.kind === "done") {
      for (const slot of slotsOf(entry.slots)) this.abandoned.add(`${slot} at ${entry.epoch}`);
    }
    this.look();
    return answer;
  }

  restart(group: number): void {
    const log = this.logs[group]!;
    const restored = freshStore(group);
    expect(restored.restore(log.stores[0]!.snapshot())).toBe(true);
    expect(restored.digest()).toEqual(log.stores[0]!.digest());
    log.stores[0] = restored;
  }

  /** Who serves each slot, at any of the epochs that matter now; `all`: at any that ever did. */
  look(all = false): void {
    const every = Array.from({ length: this.epoch + 1 }, (_, epoch) => epoch);
    for (let slot = 0; slot < slotCount; slot++) {
      const serving: Route[] = [];
      const { epoch: routed } = this.routes[rangeOf(slot)]!;
      const { epoch = 0, next = 0 } = this.job ?? {};
      for (const [group, { stores }] of this.logs.entries()) {
        const known = decodeClientAnswer(stores[0]!.query(new Uint8Array(0), slot, 0));
        const moved = known.kind === "moved" ? known.epoch : 0;
        for (const at of all ? every : new Set([0, moved, routed, epoch, next])) {
          const answer = decodeClientAnswer(stores[0]!.query(new Uint8Array(0), slot, at));
          if (answer.kind !== "readResult") continue;
          serving.push({ group, epoch: at });
          if (bytesKey(answer.bytes) !== this.lists[slot]!.join()) throw new Error("another list");
        }
      }
      this.judge(slot, serving);
    }
  }

  judge(slot: number, serving: readonly Route[]): void {
    expect(serving.length, `slot ${slot} is served once at most`).toBeLessThanOrEqual(1);
    const now = serving[0] ?? null;
    const before = this.serving[slot]!;
    if (before !== null && (now === null || now.epoch !== before.epoch)) {
      this.ended.add(`${slot} at ${before.epoch}`);
    }
    this.serving[slot] = now;
    if (now === null) {
      expect(this.job?.range, "only what is on the move is served by nobody").toBe(rangeOf(slot));
      return;
    }
    const name = `${slot} at ${now.epoch}`;
    expect(this.ended.has(name), `${name} was ended and is served again`).toBe(false);
    expect(this.abandoned.has(name), `${name} was abandoned and is served`).toBe(false);
    expect(this.begun.get(name) ?? now.group, `${name} by one group only`).toBe(now.group);
    this.begun.set(name, now.group);
  }

  send(pick: number, retry: boolean, stale: boolean): void {
    let one = this.sent[pick % Math.max(1, this.sent.length)];
    if (!retry || one === undefined) {
      this.session ??= this.open(pick % 2);
      const serial = ++this.serial;
      const slot = pick % slotCount;
      one = { session: this.session, serial, slot, name: `c${this.sent.length}`, answer: null };
      this.sent.push(one);
    }
    const route = this.routes[rangeOf(one.slot)]!;
    const to = stale ? { group: (pick >> 2) % 2, epoch: (pick >> 3) % (this.epoch + 1) } : route;
    this.ask(one, to);
    this.look();
  }

  ask(one: Sent, { group, epoch }: Route): void {
    const serving = this.serving[one.slot]!;
    const served = serving?.group === group && serving.epoch === epoch;
    const command = Uint8Array.from(Buffer.from(one.name));
    const answer = this.logs[group]!.data(one.session, one.serial, 1, one.slot, command, epoch);
    if (answer.kind === "done") {
      expect(served, "done only where the slot is served").toBe(true);
      if (one.answer === null) {
        this.lists[one.slot]!.push(one.name);
        one.answer = this.lists[one.slot]!.length;
      }
      expect(answer.bytes).toEqual(Uint8Array.of(one.answer));
      return;
    }
    expect(answer.kind).toBe(served ? "sessionExpired" : "moved");
    if (!served) return;
    expect(one.answer, "what was answered is remembered").toBe(null);
    if (one.session === this.session) this.session = null;
  }

  open(group: number): SessionId {
    this.serial = 0;
    return sessionOf(this.logs[group]!.open(`session ${this.opened++}`));
  }

  /** Forward or back to the end, and then everything once more. */
  finish(): void {
    for (let n = 0; n < 20 && this.job !== null; n++) this.step(false, 0);
    expect(this.job).toBe(null);
    for (const [group, entries] of this.proposed.entries()) {
      for (const entry of entries) this.propose(group, entry);
    }
    this.look();
    for (const [slot, serving] of this.serving.entries()) {
      expect(serving).toEqual(this.routes[rangeOf(slot)]);
    }
    for (const one of this.sent) {
      if (one.answer !== null) this.ask(one, this.routes[rangeOf(one.slot)]!);
    }
    this.look(true);
  }
}

const actions = [
  ...([
    "start",
    "start",
    "step",
    "step",
    "step",
    "step",
    "lost",
    "lost",
    "leak",
    "cancel",
  ] as const),
  ...([
    "late",
    "late",
    "late",
    "new",
    "new",
    "retry",
    "staleNew",
    "staleRetry",
    "restart",
  ] as const),
];

it("slots: steps in any order, again and late: one owner at a time, and nothing is forgotten", () => {
  const reached = { moved: 0, abandoned: 0, movedMore: 0 };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...actions), fc.nat(10_000)), {
        maxLength: 70,
        size: "max",
      }),
      (drawn) => {
        const world = new TwoGroups();
        for (const [action, pick] of drawn) {
          if (action === "start") world.start(pick);
          else if (action === "step") world.step(false, 0);
          else if (action === "lost") world.step(true, pick);
          else if (action === "leak") world.leak();
          else if (action === "cancel") world.cancel();
          else if (action === "late") world.late(pick);
          else if (action === "restart") world.restart(pick % 2);
          else world.send(pick, /retry/i.test(action), action.startsWith("stale"));
        }
        world.finish();
        if (world.begun.size > slotCount) reached.moved++;
        if (world.abandoned.size > 0) reached.abandoned++;
        if (world.ended.size > 4) reached.movedMore++;
      },
    ),
    { numRuns: 500 },
  );
  // Runs in which nothing moved would hold whatever the store does.
  for (const count of Object.values(reached)) expect(count).toBeGreaterThan(50);
});
