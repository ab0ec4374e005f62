import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slotKv } from "../../../src/lab/history/models/slot-kv.js";
import {
  type KvAnswer,
  type KvCommand,
  type KvQuestion,
  decodeKvAnswer,
  decodeKvCommand,
  decodeKvQuestion,
  encodeKvAnswer,
  encodeKvCommand,
  encodeKvQuestion,
  rangeBytesMax,
  valueBytesMax,
} from "../../../src/core/store/commands.js";
import { KvStore } from "../../../src/core/store/kv.js";
import {
  isSlotCount,
  slotCountDefault,
  slotHashName,
  slotOf,
  slotPart,
} from "../../../src/core/store/slots.js";
import { CountedMarks } from "../counted-marks.js";

const text = (value: string): Uint8Array => Uint8Array.from(value, (unit) => unit.charCodeAt(0));
const key = fc.string({ unit: fc.constantFrom("a", "b", "/", "!", "0"), maxLength: 4 }).map(text);
const value = fc.uint8Array({ maxLength: 3 });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary);

const command: fc.Arbitrary<KvCommand> = fc.oneof(
  fc.record({ kind: fc.constant("put"), key, value }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("delete"), key }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constant("cas"), key, expected: optional(value), value },
    { noNullPrototype: true },
  ),
) as fc.Arbitrary<KvCommand>;
const question: fc.Arbitrary<KvQuestion> = fc.oneof(
  fc.record({ kind: fc.constant("get"), key }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constant("range"), start: key, end: optional(key), limit: fc.nat(4) },
    { noNullPrototype: true },
  ),
) as fc.Arbitrary<KvQuestion>;

// One slot: all keys meet, whatever their prefix.
const slotCounts = fc.constantFrom(1, 4, slotCountDefault);

function kvStore(slotCount: number): KvStore {
  return new KvStore({ slotCount, marks: new CountedMarks() });
}

function answered(bytes: Uint8Array): KvAnswer {
  const answer = decodeKvAnswer(bytes);
  if (answer.kind === "undecodable") throw new Error(answer.code);
  return answer;
}

describe("kv store", () => {
  it("kv: random commands and questions: as the history model of one prefix says", () => {
    fc.assert(
      fc.property(slotCounts, fc.array(fc.oneof(command, question)), (slotCount, all) => {
        const kv = kvStore(slotCount);
        const states = new Map<string, typeof slotKv.initial>();
        for (const one of all) {
          const first = one.kind === "range" ? one.start : one.key;
          const slot = slotOf(first, slotCount);
          const isQuestion = one.kind === "get" || one.kind === "range";
          const answer = isQuestion
            ? kv.query(encodeKvQuestion(one), slot)
            : kv.apply(encodeKvCommand(one), slot);
          const part = slotPart(Buffer.from(first).toString("latin1"));
          const { kind, ...input } = one;
          const state = slotKv.step(
            states.get(part) ?? slotKv.initial,
            { f: kind, ...input } as never,
            answered(answer) as never,
          );
          expect(state).toBeDefined();
          states.set(part, state!);
        }
        const pairs = [...states.values()].reduce((sum, state) => sum + state.length / 2, 0);
        expect(kv.size).toBe(pairs);
      }),
      { numRuns: 300 },
    );
  });

  it("kv: however a state was reached: one digest; export and import keep it", () => {
    fc.assert(
      fc.property(slotCounts, fc.array(command), fc.nat(), (slotCount, all, cut) => {
        const kv = kvStore(slotCount);
        for (const one of all) kv.apply(encodeKvCommand(one), slotOf(one.key, slotCount));
        const other = kvStore(slotCount);
        other.apply(encodeKvCommand({ kind: "put", key: text("b/x"), value: text("old") }), 0);
        const middle = cut % (slotCount + 1);
        for (const slots of [
          { from: middle, to: slotCount },
          { from: 0, to: middle },
        ]) {
          expect(other.importSlots(slots, kv.exportSlots(slots))).toBe(true);
        }
        expect(other.digest()).toEqual(kv.digest());
        expect(other.size).toBe(kv.size);
        const everything = { from: 0, to: slotCount };
        expect(other.exportSlots(everything)).toEqual(kv.exportSlots(everything));
        other.importSlots(everything, other.exportSlots({ from: 0, to: 0 }));
        expect(other.digest()).toEqual([0, 0]);
      }),
    );
  });

  it("kv: another value, another key: another digest", () => {
    const digestAfter = (...puts: [string, string][]): string => {
      const kv = kvStore(1);
      for (const [k, v] of puts) {
        kv.apply(encodeKvCommand({ kind: "put", key: text(k), value: text(v) }), 0);
      }
      return kv.digest().join();
    };
    const all = [
      digestAfter(["a", "1"]),
      digestAfter(["a", "2"]),
      digestAfter(["b", "1"]),
      digestAfter(["a", "2"], ["b", "1"]),
      digestAfter(["a", "1"], ["b", "2"]),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(digestAfter(["a", "1"], ["a", "2"])).toBe(all[1]);
  });

  it("kv: values: kept as they were when the command came", () => {
    const kv = kvStore(1);
    const bytes = encodeKvCommand({ kind: "put", key: text("a"), value: text("1") });
    kv.apply(bytes, 0);
    bytes.fill(0);
    const got = kv.query(encodeKvQuestion({ kind: "get", key: text("a") }), 0);
    expect(answered(got)).toEqual({ kind: "get", value: text("1") });
  });

  it("kv: the wrong slot: refused, nothing changed", () => {
    const kv = kvStore(4);
    const wrong = (slotOf(text("a"), 4) + 1) % 4;
    const put = encodeKvCommand({ kind: "put", key: text("a"), value: text("1") });
    expect(answered(kv.apply(put, wrong))).toEqual({ kind: "wrongSlot" });
    const get = encodeKvQuestion({ kind: "get", key: text("a") });
    expect(answered(kv.query(get, wrong))).toEqual({ kind: "wrongSlot" });
    expect(kv.size).toBe(0);
  });

  it("kv: a range of more bytes than an answer may hold: refused", () => {
    const kv = kvStore(1);
    const count = rangeBytesMax / valueBytesMax;
    for (let n = 0; n < count; n++) {
      const large = new Uint8Array(valueBytesMax);
      kv.apply(encodeKvCommand({ kind: "put", key: text(`a/${n}`), value: large }), 0);
    }
    const all = { kind: "range", start: text("a/"), end: null, limit: count } as const;
    expect(answered(kv.query(encodeKvQuestion(all), 0))).toEqual({ kind: "tooLarge" });
    const fewer = encodeKvQuestion({ ...all, limit: count - 1 });
    expect(answered(kv.query(fewer, 0))).toMatchObject({ kind: "range" });
  });

  it("kv: imports cut, garbled or of other slots: refused, nothing changed", () => {
    const from = kvStore(4);
    for (const name of ["a", "b", "c/1", "c/2", "d"]) {
      const put = encodeKvCommand({ kind: "put", key: text(name), value: text(name) });
      from.apply(put, slotOf(text(name), 4));
    }
    const bytes = from.exportSlots({ from: 0, to: 4 });
    const kv = kvStore(4);
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(kv.importSlots({ from: 0, to: 4 }, bytes.subarray(0, cut))).toBe(false);
    }
    expect(kv.importSlots({ from: 0, to: 1 }, bytes)).toBe(false);
    expect(kv.size).toBe(0);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (noise) => {
        const scratch = kvStore(4);
        if (!scratch.importSlots({ from: 0, to: 4 }, noise)) expect(scratch.size).toBe(0);
      }),
    );
  });

  it("kv codec: commands, questions and answers: round trips; garbage is a typed error", () => {
    const answer: fc.Arbitrary<KvAnswer> = fc.oneof(
      fc.constantFrom<KvAnswer>(
        { kind: "put" },
        { kind: "wrongSlot" },
        { kind: "tooLarge" },
        { kind: "malformed", code: "kind" },
        { kind: "delete", existed: true },
        { kind: "cas", ok: false },
        { kind: "get", value: null },
      ),
      value.map((bytes): KvAnswer => ({ kind: "get", value: bytes })),
      fc.array(fc.tuple(key, value)).map((entries): KvAnswer => ({ kind: "range", entries })),
    );
    const codecs = [
      [command, encodeKvCommand, decodeKvCommand],
      [question, encodeKvQuestion, decodeKvQuestion],
      [answer, encodeKvAnswer, decodeKvAnswer],
    ] as const;
    for (const [arbitrary, encode, decode] of codecs) {
      fc.assert(
        fc.property(arbitrary, fc.nat(), fc.uint8Array({ maxLength: 20 }), (one, at, noise) => {
          const bytes = (encode as (given: unknown) => Uint8Array)(one);
          expect(decode(bytes)).toEqual(one);
          expect(decode(bytes.subarray(0, at % bytes.length)).kind).toBe("undecodable");
          expect(decode(Uint8Array.of(...bytes, 0)).kind).toBe("undecodable");
          const decoded = decode(noise);
          if (decoded.kind !== "undecodable") {
            expect((encode as (given: unknown) => Uint8Array)(decoded)).toEqual(noise);
          }
        }),
      );
    }
  });
});

describe("slots", () => {
  it("slots: pinned values: the hash of this name never changes", () => {
    expect(slotHashName).toBe("fnv1a-fmix32/1");
    const pinned = ["", "a", "user/1", "user/2", "user", "/x"].map((name) => slotOf(text(name)));
    expect(pinned).toMatchInlineSnapshot(`
      [
        31755,
        45491,
        31027,
        31027,
        31027,
        31755,
      ]
    `);
    expect(slotOf(text("user/1"))).toBe(slotOf(text("user")));
  });

  it("slots: keys of one prefix share a slot; many prefixes spread evenly", () => {
    const counts = Array.from({ length: 64 }, () => 0);
    for (let n = 0; n < 64_000; n++) counts[slotOf(text(`key${n}/rest`), 64)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it("slots: counts: powers of two up to 2^20", () => {
    expect([1, 2, 65_536, 1 << 20].every(isSlotCount)).toBe(true);
    expect([0, 3, -2, 1.5, 1 << 21, NaN].some(isSlotCount)).toBe(false);
  });
});
