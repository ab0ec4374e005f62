import { describe, expect, test } from "vitest";
import { crc32 } from "../../src/core/crc32.js";
import { type Entry, type EntryType, entryType } from "../../src/core/entry.js";
import { groupId, incarnation, index, nodeId, term } from "../../src/core/ids.js";
import { ClusterMap } from "../../src/core/map/cluster-map.js";
import { type MapCommand, encodeMapCommand } from "../../src/core/map/commands.js";
import type { StateMachine } from "../../src/core/state-machine.js";
import { encodeAdminEntry } from "../../src/core/store/entries.js";
import { type GroupLifeEntry, encodeGroupLifeEntry } from "../../src/core/store/group-life.js";
import { KvStore } from "../../src/core/store/kv.js";
import { ReplicatedStore } from "../../src/core/store/replicated-store.js";
import type { TraceData } from "../../src/core/trace/schema.js";
import { ControlEvidence } from "../../src/lab/control-evidence.js";
import { CountedMarks } from "../core/counted-marks.js";
import { member, view } from "./oracles/fakes.js";

const slotCount = 8;
const marks = new CountedMarks();
const slots = { from: 2, to: 4 };

/** A group of one replica; what it applies is seen by the same recorder. */
class Group {
  readonly #store: ReplicatedStore;
  readonly #evidence: ControlEvidence;
  #index = 0;

  constructor(machine: StateMachine, evidence: ControlEvidence = new ControlEvidence()) {
    const of = { group: groupId(1), incarnation: incarnation(1), machine, marks, slotCount };
    this.#store = new ReplicatedStore({ ...of, crc32, owned: { from: 0, to: 0 } });
    this.#evidence = evidence;
  }

  life(of: GroupLifeEntry): TraceData<"slots"> | null {
    const entry = this.#next(entryType.groupLife, encodeGroupLifeEntry(of));
    return this.#evidence.slots(view({}), entry, this.#store.apply(entry)!);
  }

  map(command: MapCommand, who = "ann"): TraceData<"job"> | null {
    const bytes = encodeMapCommand(command);
    const entry = this.#next(entryType.admin, encodeAdminEntry({ who, atUs: 0, bytes }));
    return this.#evidence.job(entry, this.#store.apply(entry)!, this.#store);
  }

  #next(type: EntryType, payload: Uint8Array): Entry {
    return { term: term(1), index: index(++this.#index), type, keyEpoch: 0, payload };
  }
}

describe("evidence of slots", () => {
  const accept = { kind: "acceptSlots", slots, epoch: 3, total: 0, checksum: 0 } as const;

  test("evidence: slots: what changes, what is asked again, what is refused", () => {
    const group = new Group(new KvStore({ slotCount, marks }));
    const known = { incarnation: 1, slots: [2, 4], next: 0 };
    expect(group.life(accept)).toEqual({
      ...known,
      index: 1,
      step: "acceptSlots",
      epoch: 3,
      outcome: "done",
      changed: true,
    });
    expect(group.life(accept)).toMatchObject({ index: 2, outcome: "done", changed: false });
    expect(group.life({ kind: "exportSlots", slots, epoch: 2 })).toMatchObject({
      outcome: "badEpoch",
      changed: false,
    });
    expect(group.life({ kind: "exportSlots", slots, epoch: 5 })).toMatchObject({ changed: true });
    expect(group.life({ kind: "keepSlots", slots, epoch: 5, next: 6 })).toMatchObject({
      epoch: 5,
      next: 6,
      changed: true,
    });
    expect(group.life({ kind: "retire" })).toMatchObject({ slots: [], outcome: "badEpoch" });
  });

  test("evidence: slots: another replica applies the same entry: it changed something there too", () => {
    const evidence = new ControlEvidence();
    for (let replica = 0; replica < 2; replica++) {
      const group = new Group(new KvStore({ slotCount, marks }), evidence);
      expect(group.life(accept)).toMatchObject({ index: 1, changed: true });
      expect(group.life(accept)).toMatchObject({ index: 2, changed: false });
    }
  });
});

describe("evidence of jobs", () => {
  const facts = { weight: 1, zone: "", address: "" };
  const make: MapCommand = {
    kind: "make",
    slotCount,
    nodes: [1, 2, 3].map((node) => ({ node: nodeId(node), disk: node, ...facts })),
    groups: [1, 2, 3].map((group) => ({
      group: groupId(group),
      incarnation: incarnation(group),
      weight: 1,
      members: [member(1), member(2), member(3)],
    })),
  };

  test("evidence: jobs: where each stands after what was asked, and what is refused", () => {
    const meta = new Group(new ClusterMap(marks));
    const made = meta.map(make)!;
    expect(made).toMatchObject({ index: 1, by: "ann", asked: "make", outcome: "ok" });
    expect(made).toMatchObject({ job: 1, kind: "assign", state: "running", at: 0 });
    const fact = { kind: "none" } as const;
    let told = made;
    for (let turn = 0; turn < made.steps; turn++) {
      const at = told.about;
      expect(told.step).toContain(at[1]! - at[0]! > 1 ? `slots ${at[0]} to` : `slot ${at[0]} `);
      told = meta.map({ kind: "advance", job: 1, turn, fact }, "steward")!;
      expect(told).toMatchObject({ asked: "advance", at: turn + 1 });
    }
    expect(told).toMatchObject({ state: "done", step: "", about: [], slots: made.slots });
    const merge = { kind: "merge", group: groupId(2), into: groupId(3) } as const;
    const merged = meta.map(merge)!;
    expect(merged).toMatchObject({ job: 2, kind: "merge", groups: [2, 3] });
    expect(meta.map({ ...merge, group: groupId(3), into: groupId(2) })).toMatchObject({
      outcome: "busy",
      job: 2,
      kind: "merge",
    });
    expect(meta.map({ kind: "cancel", job: 9 })).toMatchObject({ outcome: "noSuchJob", job: 0 });
    expect(meta.map({ kind: "cancel", job: 2 })).toMatchObject({ job: 2, state: "undoing" });
  });

  test("evidence: jobs: a group that has no map: nothing is told", () => {
    expect(new Group(new KvStore({ slotCount, marks })).map(make)).toBeNull();
  });
});
