import { describe, expect, it } from "vitest";
import { checkOperations } from "../../../src/lab/history/checker.js";
import type { SlotKvInput, SlotKvOutput } from "../../../src/lab/history/models/slot-kv.js";
import { slotKv } from "../../../src/lab/history/models/slot-kv.js";
import type { Operation } from "../../../src/lab/history/operation.js";

type SlotOperation = Operation<SlotKvInput, SlotKvOutput>;

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

function at(
  call: number,
  end: number | null,
  input: SlotKvInput,
  output: SlotKvOutput,
): SlotOperation {
  return {
    client: call,
    call,
    return: end,
    key: "",
    input,
    output: end === null ? undefined : output,
  };
}

function put(call: number, end: number | null, key: string, value: string): SlotOperation {
  return at(call, end, { f: "put", key: bytes(key), value: bytes(value) }, {});
}

/** A range that saw keys, each with the value "1". */
function range(
  [call, end]: readonly [number, number],
  [start, stop]: readonly [string, string | null],
  limit: number,
  keys: readonly string[],
): SlotOperation {
  return at(
    call,
    end,
    { f: "range", start: bytes(start), end: stop === null ? null : bytes(stop), limit },
    { entries: keys.map((key) => [bytes(key), bytes("1")] as const) },
  );
}

function verdict(operations: readonly SlotOperation[]): string {
  return checkOperations(slotKv, operations).verdict;
}

describe("slot-kv: ranges", () => {
  const two = [put(0, 1, "s/a", "1"), put(2, 3, "s/ab", "1")];

  it("slot-kv: a limit reached: what lies beyond is not said to be absent", () => {
    expect(verdict([...two, range([4, 5], ["s/", null], 1, ["s/a"])])).toBe("ok");
    expect(verdict([...two, range([4, 5], ["s/", null], 2, ["s/a"])])).toBe("illegal");
    expect(verdict([...two, range([4, 5], ["s/", null], 1, ["s/a", "s/ab"])])).toBe("illegal");
    expect(verdict([...two, range([4, 5], ["s/", null], 0, [])])).toBe("ok");
  });

  it("slot-kv: the end is excluded and the start included", () => {
    expect(verdict([...two, range([4, 5], ["s/a", "s/ab"], 9, ["s/a"])])).toBe("ok");
    expect(verdict([...two, range([4, 5], ["s/a", "s/ab"], 9, ["s/a", "s/ab"])])).toBe("illegal");
    expect(verdict([...two, range([4, 5], ["s/ab", "s/a"], 9, [])])).toBe("ok");
  });

  it("slot-kv: ranges that overlap: judged as one object", () => {
    const puts = ["s/a", "s/b", "s/c"].map((key, n) => put(2 * n, 2 * n + 1, key, "1"));
    const ranges = [
      range([10, 11], ["s/a", "s/c"], 9, ["s/a", "s/b"]),
      range([12, 13], ["s/b", "s/d"], 9, ["s/b", "s/c"]),
    ];
    const result = checkOperations(slotKv, [...puts, ...ranges]);
    expect([result.verdict, result.parts]).toEqual(["ok", 1]);
  });

  it("slot-kv: two ranges that saw two puts in opposite orders: illegal", () => {
    const puts = [put(0, 100, "s/a", "1"), put(1, 101, "s/b", "1")];
    const first = range([2, 50], ["s/", null], 9, ["s/a"]);
    expect(verdict([...puts, first, range([3, 51], ["s/", null], 9, ["s/b"])])).toBe("illegal");
    expect(verdict([...puts, first, range([3, 51], ["s/", null], 9, ["s/a", "s/b"])])).toBe("ok");
  });

  it("slot-kv: keys that no range joins: parts of their own", () => {
    const operations = [put(0, 1, "s/a", "1"), put(0, 1, "s/b", "1"), put(0, 1, "t", "1")];
    expect(checkOperations(slotKv, operations).parts).toBe(3);
    const joined = checkOperations(slotKv, [
      ...operations,
      range([2, 3], ["s/", null], 9, ["s/a", "s/b"]),
    ]);
    expect([joined.verdict, joined.parts]).toEqual(["ok", 2]);
  });
});

describe("slot-kv: single keys", () => {
  const key = bytes("k");

  it("slot-kv: a put that never returned: it may take effect late, once, or not at all", () => {
    const open = put(0, null, "k", "1");
    const get = (call: number, value: string | null): SlotOperation =>
      at(call, call + 1, { f: "get", key }, { value: value === null ? null : bytes(value) });
    expect(verdict([open, get(2, null), get(4, "1"), get(6, "1")])).toBe("ok");
    expect(verdict([open, get(2, null), get(4, null)])).toBe("ok");
    expect(verdict([open, get(2, "1"), get(4, null)])).toBe("illegal");
    const removed = at(4, 5, { f: "delete", key }, { existed: true });
    expect(verdict([open, get(2, "1"), removed, get(6, "1")])).toBe("illegal");
  });

  it("slot-kv: a cas on an absent key: only expecting null holds", () => {
    const cas = (expected: string | null, ok: boolean): SlotOperation => {
      const value = bytes("2");
      return at(
        0,
        1,
        { f: "cas", key, expected: expected === null ? null : bytes(expected), value },
        { ok },
      );
    };
    expect(verdict([cas(null, true)])).toBe("ok");
    expect(verdict([cas("", true)])).toBe("illegal");
    expect(verdict([cas("", false)])).toBe("ok");
    expect(verdict([cas(null, false)])).toBe("illegal");
  });
});
