import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../src/core/assert.js";
import { entryType } from "../../../src/core/entry.js";
import { groupId, incarnation } from "../../../src/core/ids.js";
import type { SessionId } from "../../../src/core/store/client-protocol.js";
import { encodeKvCommand } from "../../../src/core/store/commands.js";
import { encodeAdminEntry, encodeDataEntry } from "../../../src/core/store/entries.js";
import { KvStore } from "../../../src/core/store/kv.js";
import {
  ReplicatedStore,
  type ReplicatedStoreOptions,
} from "../../../src/core/store/replicated-store.js";
import { CountedMarks } from "../counted-marks.js";
import { ListMachine, Log, acceptance, bytesOf, sessionOf } from "./world.js";

const slotCount = 8;

function store(options: Partial<ReplicatedStoreOptions> = {}): ReplicatedStore {
  return new ReplicatedStore({
    group: groupId(1),
    incarnation: incarnation(1),
    machine: new ListMachine(),
    marks: new CountedMarks(),
    slotCount,
    ...options,
  });
}

/** An id that stands once in whatever list it was applied to. */
const named = (name: string): Uint8Array => Uint8Array.from(Buffer.from(name));

interface Step {
  readonly do: "new" | "retry" | "snapshot" | "open" | "move";
  readonly client: number;
  readonly pick: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("new", "new", "new", "retry", "retry", "snapshot", "open", "move"),
  client: fc.nat(2),
  pick: fc.nat(1000),
});

interface Client {
  session: SessionId | null;
  opened: number;
  serial: number;
  /** Every command of all its sessions: slot, name, and the answer when it is known. */
  sent: Sent[];
}

interface Sent {
  readonly session: SessionId;
  readonly serial: number;
  readonly slot: number;
  readonly name: string;
  answer: number | null;
}

const clientsOf = (): Client[] =>
  [0, 1, 2].map(() => ({ session: null, opened: 0, serial: 0, sent: [] }));

describe("replicated store", () => {
  it("store: retries, snapshots and evictions in any order: applied once, answered alike", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const limits = { sessionsMax: 2, answersPerSessionMax: 3 };
        const machines = [new ListMachine(), new ListMachine()];
        const log = new Log(...machines.map((machine) => store({ machine, limits })));
        const clients = clientsOf();
        for (const { do: action, client: at, pick } of steps) {
          const client = clients[at]!;
          if (action === "snapshot") {
            const machine = new ListMachine();
            const restored = store({ machine, limits });
            expect(restored.restore(log.stores[1]!.snapshot())).toBe(true);
            expect(restored.digest()).toEqual(log.stores[1]!.digest());
            log.stores[1] = restored;
            machines[1] = machine;
          } else if (action === "open" || client.session === null) {
            openOne(log, client, at);
          } else {
            sendOne(log, client, action === "retry", pick, `${at}-${client.opened}`);
          }
          expect(log.stores[0]!.digest()).toEqual(log.stores[1]!.digest());
          expect(log.stores[0]!.sessionCount).toBeLessThanOrEqual(limits.sessionsMax);
        }
        expect(machines[0]!.lists).toEqual(machines[1]!.lists);
        const applied = [...machines[0]!.lists.values()].flat();
        expect(new Set(applied).size).toBe(applied.length);
      }),
      { numRuns: 300 },
    );
  });

  it.each([2, 100])("store: slots move between groups of %i sessions: applied once", (most) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const machines = [new ListMachine(), new ListMachine()];
        const logs = machines.map(
          (machine, at) =>
            new Log(
              store({
                machine,
                group: groupId(at + 1),
                limits: { sessionsMax: most },
                owned: { from: at * 4, to: at * 4 + 4 },
              }),
            ),
        );
        const clients = clientsOf();
        let epoch = 0;
        for (const { do: action, client: at, pick } of steps) {
          const client = clients[at]!;
          if (client.session === null || action === "open") {
            openOne(logs[pick % 2]!, client, at);
          } else if (action === "move") {
            moveSlots(logs, { from: pick % 4, to: (pick % 4) + 3 }, ++epoch);
          } else {
            sendOne(
              logs[pick % 2]!,
              client,
              action === "retry",
              pick >> 1,
              `${at}-${client.opened}`,
            );
          }
        }
        const owned = machines.flatMap((machine, at) =>
          [...machine.lists]
            .filter(([slot]) => ownedBy(logs[at]!, slot))
            .flatMap(([, list]) => list),
        );
        expect(new Set(owned).size).toBe(owned.length);
        const answered = clients.flatMap((client) => client.sent.filter((one) => one.answer));
        for (const one of answered) expect(owned).toContain(one.name);
      }),
      { numRuns: 2000 },
    );
  });

  it("sessions: evicted by the next owner of a slot: not honoured on it ever again", () => {
    const [a, b] = twoGroups();
    const session = sessionOf(a.open("a"));
    a.data(session, 1, 1, 0, named("x"));
    move(a, b, { from: 0, to: 1 }, 1);
    expect(b.data(session, 2, 1, 0, named("y"))).toMatchObject({ kind: "done" });
    b.open("b1");
    b.open("b2");
    move(b, a, { from: 0, to: 1 }, 2);
    expect(a.data(session, 2, 1, 0, named("y"))).toEqual({ kind: "sessionExpired" });
    expect(a.data(session, 3, 1, 1, named("z"))).toMatchObject({ kind: "done" });
    // It is honoured on a part of what moves now, and so must not come along with the whole.
    move(a, b, { from: 0, to: 2 }, 3);
    expect(b.data(session, 2, 1, 0, named("y"))).toEqual({ kind: "sessionExpired" });
    const fresh = sessionOf(b.open("fresh"));
    expect(b.data(fresh, 1, 1, 0, named("w"))).toMatchObject({ kind: "done" });
  });

  it("sessions: evicted here and brought back with a slot: honoured on that slot only", () => {
    const [a, b] = twoGroups();
    const session = sessionOf(a.open("a"));
    a.data(session, 1, 1, 0, named("x"));
    a.data(session, 2, 1, 1, named("y"));
    move(a, b, { from: 0, to: 1 }, 1);
    a.open("a1");
    a.open("a2");
    move(b, a, { from: 0, to: 1 }, 2);
    expect(bytesOf(a.data(session, 1, 1, 0, named("x")))).toEqual(Uint8Array.of(1));
    expect(a.data(session, 2, 1, 1, named("y"))).toEqual({ kind: "sessionExpired" });
  });

  it("sessions: the same command again: the first answer, and nothing applied", () => {
    const marks = new CountedMarks();
    const machine = new ListMachine();
    const log = new Log(store({ machine, marks }));
    const session = sessionOf(log.open("a"));
    expect(bytesOf(log.data(session, 1, 1, 3, named("x")))).toEqual(Uint8Array.of(1));
    expect(bytesOf(log.data(session, 1, 1, 3, named("x")))).toEqual(Uint8Array.of(1));
    expect(bytesOf(log.data(session, 2, 2, 3, named("y")))).toEqual(Uint8Array.of(2));
    expect(log.data(session, 1, 1, 3, named("x"))).toMatchObject({ reason: "staleSerial" });
    expect(machine.lists).toEqual(new Map([[3, ["x", "y"]]]));
    expect([...marks.counts.keys()]).toEqual(["retryAnsweredFromSession", "retryBelowAckRefused"]);
  });

  it("sessions: an opening again: the same session, until it is closed", () => {
    const log = new Log(store());
    const session = sessionOf(log.open("a"));
    expect(session).toEqual({ group: 1, incarnation: 1, index: 1 });
    expect(sessionOf(log.open("a"))).toEqual(session);
    expect(log.session({ kind: "close", session })).toMatchObject({ kind: "done" });
    expect(log.session({ kind: "close", session })).toMatchObject({ kind: "sessionExpired" });
    expect(sessionOf(log.open("a")).index).toBe(5);
  });

  it("sessions: one too many: the one that was unused longest goes, and is refused", () => {
    const marks = new CountedMarks();
    const log = new Log(store({ marks, limits: { sessionsMax: 2 } }));
    const [a, b] = [sessionOf(log.open("a")), sessionOf(log.open("b"))];
    log.data(a, 1, 1, 0, named("a1"));
    const c = sessionOf(log.open("c"));
    expect(log.data(b, 1, 1, 0, named("b1"))).toEqual({ kind: "sessionExpired" });
    expect(log.data(a, 1, 1, 0, named("a1"))).toMatchObject({ kind: "done" });
    expect(log.data(c, 1, 1, 0, named("c1"))).toMatchObject({ kind: "done" });
    expect(marks.counts.get("sessionEvicted")).toBe(1);
    expect(marks.counts.get("expiredSessionRefused")).toBe(1);
  });

  it("sessions: too many or too large unacknowledged answers: refused until they are let go", () => {
    for (const limits of [{ answersPerSessionMax: 2 }, { answersBytesPerSessionMax: 2 }]) {
      const marks = new CountedMarks();
      const log = new Log(store({ limits, marks }));
      const session = sessionOf(log.open("a"));
      log.data(session, 1, 1, 0, named("1"));
      log.data(session, 2, 1, 0, named("2"));
      expect(log.data(session, 3, 1, 0, named("3"))).toMatchObject({ reason: "sessionFull" });
      expect(marks.counts.get("sessionAnswersFull")).toBe(1);
      expect(log.data(session, 3, 3, 0, named("3"))).toMatchObject({ kind: "done" });
    }
  });

  it("store: what an admin asked: the machine hears who, when and where; else it is malformed", () => {
    const payload = encodeAdminEntry({ who: "ann", atUs: 7, bytes: named("do") });
    const plain = new Log(store());
    expect(plain.append(entryType.admin, payload)).toEqual({ kind: "malformed", code: "kind" });
    class Listening extends ListMachine {
      admin(bytes: Uint8Array, who: string, atUs: number, index: number): Uint8Array {
        return named(`${Buffer.from(bytes).toString()} ${who} ${atUs} ${index}`);
      }
    }
    const log = new Log(store({ machine: new Listening() }));
    log.open("a");
    expect(bytesOf(log.append(entryType.admin, payload)!)).toEqual(named("do ann 7 2"));
  });

  it("store: payloads of any bytes: an answer, never a throw", () => {
    const types = [entryType.data, entryType.session, entryType.groupLife, entryType.admin];
    const log = new Log(store(), store());
    const session = sessionOf(log.open("a"));
    const sound = encodeDataEntry({
      session,
      serial: 1,
      ackBelow: 1,
      slot: 0,
      epoch: 0,
      command: named(""),
    });
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 40 }), (type, bytes) => {
        expect(log.append(type, bytes)).not.toBeNull();
        const garbled = sound.slice();
        garbled.set(bytes.subarray(0, 10), bytes.length % 30);
        expect(log.append(type, garbled)).not.toBeNull();
      }),
    );
    expect(log.append(entryType.blank, named("anything"))).toBeNull();
    expect(() => log.append(77 as never, named(""))).toThrow(InvariantError);
  });

  it("store: snapshots cut or garbled: refused with nothing changed, never a throw", () => {
    const marks = new CountedMarks();
    const make = (): ReplicatedStore =>
      store({ machine: new KvStore({ slotCount, marks: new CountedMarks() }), marks });
    const log = new Log(make());
    const session = sessionOf(log.open("a"));
    for (let n = 1; n <= 20; n++) {
      const put = encodeKvCommand({ kind: "put", key: named(`k${n}`), value: named(`v${n}`) });
      for (let slot = 0; slot < slotCount; slot++) {
        log.data(session, n * slotCount + slot, n * slotCount, slot, put);
      }
    }
    const snapshot = log.stores[0]!.snapshot();
    const target = make();
    const empty = target.digest();
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (at, bit) => {
        expect(target.restore(snapshot.subarray(0, at % snapshot.length))).toBe(false);
        expect(marks.counts.get("storeStateRefused")).toBeGreaterThan(0);
        expect(target.digest()).toEqual(empty);
        const garbled = snapshot.slice();
        garbled[at % snapshot.length]! ^= 1 << bit;
        const scratch = make();
        if (!scratch.restore(garbled)) expect(scratch.digest()).toEqual(empty);
        else expect(scratch.digest()).not.toEqual(log.stores[0]!.digest());
      }),
      { numRuns: 300 },
    );
    expect(target.restore(snapshot)).toBe(true);
    expect(target.digest()).toEqual(log.stores[0]!.digest());
    expect(target.snapshot()).toEqual(snapshot);
    expect(store({ slotCount: 16 }).restore(snapshot)).toBe(false);
  });
});

function openOne(log: Log, client: Client, at: number): void {
  client.session = sessionOf(log.open(`${at} ${client.opened++}`));
  client.serial = 0;
}

/** A new command, or any earlier one again; checks what can be known of the answer. */
function sendOne(log: Log, client: Client, retry: boolean, pick: number, name: string): void {
  const session = client.session!;
  let one = client.sent[pick % Math.max(1, client.sent.length)];
  if (!retry || one === undefined) {
    const serial = ++client.serial;
    one = { session, serial, slot: pick % slotCount, name: `${name}-${serial}`, answer: null };
    client.sent.push(one);
  }
  // At times the client lets go what it has an answer for.
  const { serial } = one;
  const waiting = client.sent.find(
    (other) => other.session === one.session && (other.answer === null || other.serial === serial),
  );
  const ackBelow = pick % 3 === 0 ? waiting!.serial : 1;
  const answer = log.data(one.session, serial, ackBelow, one.slot, named(one.name));
  if (answer.kind !== "done") return;
  if (one.answer !== null) expect(answer.bytes[0]).toBe(one.answer);
  one.answer = answer.bytes[0]!;
}

/** The first serves all slots; each has room for two sessions. */
function twoGroups(): [Log, Log] {
  const limits = { sessionsMax: 2 };
  const owned = { from: 0, to: 0 };
  return [new Log(store({ limits })), new Log(store({ group: groupId(2), owned, limits }))];
}

function move(from: Log, to: Log, slots: { from: number; to: number }, epoch: number): void {
  bytesOf(from.life({ kind: "exportSlots", slots, epoch }));
  for (const step of acceptance(slots, epoch, from.kept(slots, epoch))) bytesOf(to.life(step));
  bytesOf(from.life({ kind: "dropSlots", slots, epoch }));
}

/** To the other group, whichever has them all. */
function moveSlots(logs: readonly Log[], slots: { from: number; to: number }, epoch: number): void {
  for (const [at, log] of logs.entries()) {
    const within = Array.from({ length: slots.to - slots.from }, (_, n) => slots.from + n);
    if (!within.every((slot) => ownedBy(log, slot))) continue;
    move(log, logs[1 - at]!, slots, epoch);
    return;
  }
}

function ownedBy(log: Log, slot: number): boolean {
  const span = log.stores[0]!.slots.find(({ from, to }) => slot >= from && slot < to);
  return span?.state === "owned";
}
