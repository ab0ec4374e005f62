import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../../src/core/crc32.js";
import { groupId, incarnation } from "../../../src/core/ids.js";
import { decodeClientAnswer } from "../../../src/core/store/client-protocol.js";
import type { GroupLifeEntry } from "../../../src/core/store/group-life.js";
import {
  ReplicatedStore,
  type ReplicatedStoreOptions,
} from "../../../src/core/store/replicated-store.js";
import { decodeSlotsPiece } from "../../../src/core/store/slots-piece.js";
import { CountedMarks } from "../counted-marks.js";
import { ListMachine, Log, type Staged, acceptance, bytesOf, sessionOf } from "./world.js";

const slotCount = 8;
const slots = { from: 2, to: 4 };
const none = { from: 0, to: 0 };

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

const named = (name: string): Uint8Array => Uint8Array.from(Buffer.from(name));
const badEpoch = { kind: "refused", reason: "badEpoch" };
const step = (
  kind: "exportSlots" | "dropSlots" | "abandonSlots",
  epoch: number,
): GroupLifeEntry => ({
  kind,
  slots,
  epoch,
});
const keep = (epoch: number, next: number) => ({ kind: "keepSlots", slots, epoch, next }) as const;
const staged = (bytes: Uint8Array, checksum = crc32(bytes)): Staged => ({
  total: bytes.length,
  checksum,
  parts: [bytes],
});

/** The first serves all slots and holds something of those that are to move; the second serves none. */
function twoGroups(options: Partial<ReplicatedStoreOptions> = {}) {
  const marks = new CountedMarks();
  const a = new Log(store({ marks, ...options }), store(options));
  const b = new Log(store({ marks, ...options, group: groupId(2), owned: none }));
  const session = sessionOf(a.open("a"));
  bytesOf(a.data(session, 1, 1, 2, named("x")));
  return { a, b, session, marks };
}

describe("moving slots", () => {
  it("slots: released, read in pieces, staged, accepted, dropped: served there, not here", () => {
    const { a, b, session, marks } = twoGroups();
    expect(b.data(session, 1, 1, 2, named("x"))).toEqual({ kind: "moved", epoch: 0 });
    const released = decodeSlotsPiece(bytesOf(a.life(step("exportSlots", 5))));
    for (let bytesMax = 1; bytesMax < 40; bytesMax++) {
      const kept = a.kept(slots, 5, bytesMax);
      expect(kept).toMatchObject({ total: (released as { total: number }).total });
      expect(crc32(Buffer.concat(kept.parts))).toBe(kept.checksum);
    }
    expect(a.data(session, 1, 1, 2, named("x"))).toEqual({ kind: "moved", epoch: 5 });
    const steps = acceptance(slots, 5, a.kept(slots, 5, 4));
    expect(steps.length).toBeGreaterThan(5);
    for (const one of steps) bytesOf(b.life(one));
    expect(bytesOf(b.data(session, 1, 1, 2, named("x")))).toEqual(Uint8Array.of(1));
    expect(bytesOf(b.data(session, 2, 1, 2, named("y")))).toEqual(Uint8Array.of(2));
    bytesOf(a.life(step("dropSlots", 5)));
    expect(marks.counts.get("importCarriedSessions")).toBe(1);
    expect(a.stores[0]!.slots).toEqual([
      { from: 0, to: 2, state: "owned", epoch: 0, cameAt: 0 },
      { from: 2, to: 4, state: "absent", epoch: 5, cameAt: 0 },
      { from: 4, to: 8, state: "owned", epoch: 0, cameAt: 0 },
    ]);
    expect(b.stores[0]!.slots).toMatchObject([{}, { state: "owned", epoch: 5 }, {}]);
  });

  it("slots: a command or a question at another epoch: refused with the one that is known", () => {
    const { a, session, marks } = twoGroups();
    bytesOf(a.life(keep(3, 4)));
    for (const epoch of [0, 3, 5]) {
      const moved = { kind: "moved", epoch: 4 };
      expect(a.data(session, 2, 1, 2, named("y"), epoch)).toEqual(moved);
      expect(decodeClientAnswer(a.stores[0]!.query(named(""), 2, epoch))).toEqual(moved);
    }
    expect(marks.counts.get("otherEpochRefused")).toBeGreaterThan(0);
    expect(bytesOf(a.data(session, 2, 1, 2, named("y"), 4))).toEqual(Uint8Array.of(2));
  });

  it("slots: each step again: answered alike; an earlier one after a later: refused", () => {
    const { a, b, marks } = twoGroups();
    const released = bytesOf(a.life(step("exportSlots", 5)));
    expect(bytesOf(a.life(step("exportSlots", 5)))).toEqual(released);
    for (const epoch of [4, 6]) expect(a.life(step("exportSlots", epoch))).toMatchObject(badEpoch);
    const [piece, accept] = acceptance(slots, 5, a.kept(slots, 5));
    const before = bytesOf(b.life(piece!));
    expect(bytesOf(b.life(piece!))).toEqual(before);
    expect(marks.counts.get("pieceStagedAgain")).toBe(1);
    for (let time = 0; time < 2; time++) {
      bytesOf(b.life(accept!));
      expect(bytesOf(b.life(piece!))).toEqual(before);
      bytesOf(a.life(step("dropSlots", 5)));
    }
    for (const late of [step("exportSlots", 5), keep(5, 6)]) {
      expect(a.life(late)).toMatchObject(badEpoch);
    }
    expect(b.life(step("abandonSlots", 5))).toMatchObject(badEpoch);
    expect(b.life(step("dropSlots", 5))).toMatchObject(badEpoch);
    expect(marks.counts.get("lifeStepRefused")).toBeGreaterThan(0);
  });

  it("slots: pieces with a gap, of other bytes, or of another move: refused, and nothing staged", () => {
    const { b, marks } = twoGroups();
    const bytes = named("0123456789");
    const piece = (offset: number, part: string, more: object = {}): GroupLifeEntry => ({
      kind: "stageSlots",
      slots,
      epoch: 5,
      total: 10,
      checksum: crc32(bytes),
      offset,
      bytes: named(part),
      ...more,
    });
    expect(b.life(piece(1, "1"))).toMatchObject(badEpoch);
    bytesOf(b.life(piece(0, "0123")));
    const digest = b.stores[0]!.digest();
    for (const wrong of [piece(5, "5"), piece(2, "2x"), piece(4, "4", { total: 11 })]) {
      expect(b.life(wrong)).toMatchObject(badEpoch);
    }
    expect(b.life(piece(4, "4", { epoch: 4 }))).toMatchObject(badEpoch);
    expect(b.life(piece(0, "0", { epoch: 6 }))).toMatchObject({ reason: "overloaded" });
    expect(marks.counts.get("secondMoveRefused")).toBe(1);
    expect(b.stores[0]!.digest()).toEqual(digest);
    // A piece that begins with what is there goes on from it.
    expect(bytesOf(b.life(piece(2, "234567")))[0]).toBe(8);
    const { total, checksum } = staged(bytes);
    const accept = { kind: "acceptSlots", slots, epoch: 5, total, checksum } as const;
    expect(b.life(accept)).toMatchObject(badEpoch);
    bytesOf(b.life(piece(8, "8x")));
    expect(b.life(accept)).toMatchObject(badEpoch);
  });

  it("slots: whole, but not the state of slots: refused, nothing changed, and given up", () => {
    const { b, marks } = twoGroups();
    const [piece, accept] = acceptance(slots, 5, staged(named("what")));
    bytesOf(b.life(piece!));
    const digest = b.stores[0]!.digest();
    expect(b.life(accept!)).toMatchObject({ kind: "malformed" });
    expect(b.stores[0]!.digest()).toEqual(digest);
    expect(marks.counts.get("importRefused")).toBe(1);
    bytesOf(b.life(step("abandonSlots", 5)));
    expect(marks.counts.get("stagedSlotsAbandoned")).toBe(1);
    expect(b.stores[0]!.stagedBytes).toBe(0);
  });

  it("slots: abandoned: no acceptance at that epoch any more; the old owner serves at a later one", () => {
    const { a, b, session, marks } = twoGroups();
    bytesOf(a.life(step("exportSlots", 5)));
    const steps = acceptance(slots, 5, a.kept(slots, 5));
    bytesOf(b.life(steps[0]!));
    for (let time = 0; time < 2; time++) bytesOf(b.life(step("abandonSlots", 5)));
    for (const late of steps) expect(b.life(late)).toMatchObject(badEpoch);
    expect(b.life({ kind: "acceptSlots", slots, epoch: 5, total: 0, checksum: 0 })).toMatchObject(
      badEpoch,
    );
    for (let time = 0; time < 2; time++) bytesOf(a.life(keep(5, 6)));
    expect(marks.counts.get("keptSlotsServedAgain")).toBe(1);
    expect(a.life(step("exportSlots", 5))).toMatchObject(badEpoch);
    expect(bytesOf(a.data(session, 1, 1, 2, named("x"), 6))).toEqual(Uint8Array.of(1));
    // Given up before the release: that is refused when it comes.
    bytesOf(a.life(keep(7, 8)));
    expect(a.life(step("exportSlots", 7))).toMatchObject(badEpoch);
  });

  it("slots: from nobody: empty and served, where nothing is and nothing else comes", () => {
    const { a, b } = twoGroups();
    const accept = { kind: "acceptSlots", slots, epoch: 5, total: 0, checksum: 0 } as const;
    expect(a.life(accept)).toMatchObject(badEpoch);
    bytesOf(a.life(step("exportSlots", 4)));
    expect(a.life(accept)).toMatchObject(badEpoch);
    bytesOf(b.life(acceptance({ from: 6, to: 8 }, 3, staged(named("12345")))[0]!));
    expect(b.life(accept)).toMatchObject({ reason: "overloaded" });
    bytesOf(b.life({ kind: "abandonSlots", slots: { from: 6, to: 8 }, epoch: 3 }));
    for (let time = 0; time < 2; time++) bytesOf(b.life(accept));
    const session = sessionOf(b.open("b"));
    expect(bytesOf(b.data(session, 1, 1, 2, named("y"), 5))).toEqual(Uint8Array.of(1));
  });

  it("slots: more than a move may carry, or a second move out: not released", () => {
    const small = twoGroups({ moveBytesMax: 40 });
    const digest = small.a.stores[0]!.digest();
    expect(small.a.life(step("exportSlots", 5))).toMatchObject({ reason: "tooLarge" });
    expect(small.a.stores[0]!.digest()).toEqual(digest);
    expect(small.marks.counts.get("moveTooLarge")).toBe(1);
    const large = acceptance(slots, 5, staged(new Uint8Array(41)))[0]!;
    expect(small.b.life(large)).toMatchObject({ reason: "tooLarge" });
    const { a } = twoGroups();
    bytesOf(a.life(step("exportSlots", 5)));
    const second = { kind: "exportSlots", slots: { from: 0, to: 1 }, epoch: 6 } as const;
    expect(a.life(second)).toMatchObject({ reason: "overloaded" });
    bytesOf(a.life(step("dropSlots", 5)));
    bytesOf(a.life(second));
  });

  it("slots: a session forgotten after the release: what is kept of it stays as it was", () => {
    const { a, b, session } = twoGroups({ limits: { sessionsMax: 2 } });
    bytesOf(a.life(step("exportSlots", 5)));
    const before = a.kept(slots, 5);
    a.open("b");
    a.open("c");
    expect(a.data(session, 2, 1, 0, named("y"))).toEqual({ kind: "sessionExpired" });
    const restored = store({ limits: { sessionsMax: 2 } });
    expect(restored.restore(a.stores[0]!.snapshot())).toBe(true);
    a.stores[0] = restored;
    expect(a.kept(slots, 5)).toEqual(before);
    for (const one of acceptance(slots, 5, before)) bytesOf(b.life(one));
    expect(bytesOf(b.data(session, 1, 1, 2, named("x"), 5))).toEqual(Uint8Array.of(1));
  });

  it("slots: a snapshot amid another move takes the place of what was kept", () => {
    const { a } = twoGroups();
    bytesOf(a.life(step("exportSlots", 5)));
    const behind = store();
    expect(behind.restore(a.stores[0]!.snapshot())).toBe(true);
    const before = new Log(behind).kept(slots, 5);
    bytesOf(a.life(step("dropSlots", 5)));
    const others = { from: 0, to: 2 };
    bytesOf(a.life({ kind: "exportSlots", slots: others, epoch: 6 }));
    expect(behind.restore(a.stores[0]!.snapshot())).toBe(true);
    expect(new Log(behind).kept(others, 6)).toEqual(a.kept(others, 6));
    expect(a.kept(others, 6)).not.toEqual(before);
  });

  it("slots: dropped: what sessions remembered of them makes room", () => {
    const { a, session } = twoGroups({ limits: { answersPerSessionMax: 1 } });
    bytesOf(a.life(step("exportSlots", 5)));
    expect(a.data(session, 2, 1, 0, named("y"))).toMatchObject({ reason: "sessionFull" });
    bytesOf(a.life(step("dropSlots", 5)));
    expect(bytesOf(a.data(session, 2, 1, 0, named("y")))).toEqual(Uint8Array.of(1));
  });

  it("slots: what is kept is read only at its epoch; from the end on there is nothing", () => {
    const { a } = twoGroups();
    const read = (epoch: number, offset: number, range = slots) =>
      decodeClientAnswer(a.stores[0]!.readSlots(range, epoch, offset, 100));
    expect(read(0, 0)).toMatchObject(badEpoch);
    bytesOf(a.life(step("exportSlots", 5)));
    for (const epoch of [4, 6]) expect(read(epoch, 0)).toMatchObject(badEpoch);
    expect(read(5, 0, { from: 2, to: 3 })).toMatchObject(badEpoch);
    const { total } = a.kept(slots, 5);
    for (const offset of [total, total + 1, Number.MAX_SAFE_INTEGER]) {
      const answer = read(5, offset);
      if (answer.kind !== "readResult") throw new Error(answer.kind);
      expect(decodeSlotsPiece(answer.bytes)).toMatchObject({ total, bytes: new Uint8Array(0) });
    }
    bytesOf(a.life(step("dropSlots", 5)));
    expect(read(5, 0)).toMatchObject(badEpoch);
  });

  it("retire: refused while a slot is here or on its way; then everything is, for good", () => {
    const { a, b, session, marks } = twoGroups();
    expect(a.life({ kind: "retire" })).toMatchObject(badEpoch);
    const all = { from: 0, to: slotCount };
    bytesOf(a.life({ kind: "exportSlots", slots: all, epoch: 5 }));
    expect(a.life({ kind: "retire" })).toMatchObject(badEpoch);
    bytesOf(b.life(acceptance(all, 5, a.kept(all, 5))[0]!));
    expect(b.life({ kind: "retire" })).toMatchObject(badEpoch);
    bytesOf(a.life({ kind: "dropSlots", slots: all, epoch: 5 }));
    for (let time = 0; time < 2; time++) bytesOf(a.life({ kind: "retire" }));
    expect(marks.counts.get("groupRetired")).toBe(1);
    expect(a.stores[0]!.sessionCount).toBe(0);
    const retired = { kind: "refused", reason: "retired" };
    expect(a.open("again")).toMatchObject(retired);
    expect(a.data(session, 2, 1, 2, named("y"))).toMatchObject(retired);
    expect(a.life(acceptance(all, 6, staged(named("x")))[0]!)).toMatchObject(retired);
    for (const bytes of [
      a.stores[0]!.query(named(""), 2, 5),
      a.stores[0]!.readSlots(all, 5, 0, 100),
    ]) {
      expect(decodeClientAnswer(bytes)).toMatchObject(retired);
    }
    const restored = store();
    expect(restored.restore(a.stores[0]!.snapshot())).toBe(true);
    expect(restored.retired).toBe(true);
  });

  it("slots: snapshots amid a move, cut or garbled: refused with nothing changed", () => {
    const { a, b } = twoGroups();
    bytesOf(a.life(step("exportSlots", 5)));
    bytesOf(b.life(acceptance(slots, 5, a.kept(slots, 5, 9))[0]!));
    const fresh = [
      (): ReplicatedStore => store(),
      (): ReplicatedStore => store({ group: groupId(2), owned: none }),
    ];
    for (const [at, log] of [a, b].entries()) {
      const snapshot = log.stores[0]!.snapshot();
      const whole = fresh[at]!();
      expect(whole.restore(snapshot)).toBe(true);
      expect(whole.digest()).toEqual(log.stores[0]!.digest());
      expect(whole.snapshot()).toEqual(snapshot);
      fc.assert(
        fc.property(fc.nat(), fc.nat(7), (where, bit) => {
          const target = fresh[at]!();
          const empty = target.digest();
          expect(target.restore(snapshot.subarray(0, where % snapshot.length))).toBe(false);
          expect(target.digest()).toEqual(empty);
          const garbled = snapshot.slice();
          garbled[where % snapshot.length]! ^= 1 << bit;
          if (!target.restore(garbled)) expect(target.digest()).toEqual(empty);
          else expect(target.digest()).not.toEqual(log.stores[0]!.digest());
        }),
        { numRuns: 1000 },
      );
    }
  });
});
