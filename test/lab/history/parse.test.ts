import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HistoryInput, HistoryModel } from "../../../src/lab/history/check-history.js";
import {
  checkHistory,
  HISTORY_INPUTS,
  HISTORY_MODELS,
  parseHistory,
} from "../../../src/lab/history/check-history.js";
import { parseEdn } from "../../../src/lab/history/parse/edn.js";

const jepsen = { model: "cas-register", input: "jepsen-log" } as const;
const jsonl = { model: "cas-register", input: "jsonl" } as const;
const edn = { model: "kv", input: "edn" } as const;

function lines(...parts: readonly string[]): string {
  return parts.map((part) => `${part}\n`).join("");
}

function log(process: number, type: string, f: string, value: string): string {
  return `INFO  jepsen.util - ${process}\t:${type}\t:${f}\t${value}`;
}

function errorOf(
  text: string,
  options: { readonly model: HistoryModel; readonly input: HistoryInput },
): { line: number; expected: string; found: string } {
  const parsed = checkHistory(text, options);
  if (parsed.ok) throw new Error("this text was understood");
  return parsed.error;
}

describe("parse: the same history in each format", () => {
  const expected = [
    { client: 0, call: 1, return: 2, input: { f: "write", value: 1 }, output: {} },
    { client: 1, call: 3, return: 5, input: { f: "cas", from: 1, to: 2 }, output: { ok: false } },
    { client: 0, call: 4, return: null, input: { f: "write", value: 3 }, output: undefined },
    { client: 2, call: 8, return: 9, input: { f: "read" }, output: { value: null } },
  ].map((operation) => ({ key: "", ...operation }));
  const events: readonly [number, string, string, string, string][] = [
    [0, "invoke", "write", "1", "1"],
    [0, "ok", "write", "1", "1"],
    [1, "invoke", "cas", "[1 2]", "[1,2]"],
    [0, "invoke", "write", "3", "3"],
    [1, "fail", "cas", "[1 2]", "[1,2]"],
    [0, "info", "write", ":timed-out", "null"],
    [1, "invoke", "read", "nil", "null"],
    [2, "invoke", "read", "nil", "null"],
    [2, "ok", "read", "nil", "null"],
    [1, "fail", "read", ":timed-out", "null"],
    [3, "invoke", "read", "nil", "null"],
  ];

  it("parse: jepsen-log: operations with open, failed and unknown ones told apart", () => {
    const text = lines(...events.map(([process, type, f, value]) => log(process, type, f, value)));
    expect(parseHistory(text, jepsen)).toEqual({ ok: true, value: expected });
  });

  it("parse: jsonl: the same", () => {
    const text = lines(
      ...events.map(
        ([process, type, f, , value]) =>
          `{"process":${process},"type":"${type}","f":"${f}","value":${value},"time":7}`,
      ),
    );
    expect(parseHistory(text, jsonl)).toEqual({ ok: true, value: expected });
  });

  it("parse: edn: the same", () => {
    const text = lines(
      ...events.map(
        ([process, type, f, value]) =>
          `{:process ${process}, :type :${type}, :f :${f}, :value ${value}}`,
      ),
    );
    expect(parseHistory(text, { model: "cas-register", input: "edn" })).toEqual({
      ok: true,
      value: expected,
    });
  });

  it("parse: line ends of Windows, blank lines, other loggers and the nemesis: passed over", () => {
    const text =
      "\r\nINFO  jepsen.core - starting\r\nINFO  jepsen.util - :nemesis\t:info\t:start\tnil\r\n" +
      `${log(0, "invoke", "read", "nil")}\r\n${log(0, "ok", "read", "4")}\r\n`;
    const parsed = parseHistory(text, jepsen);
    expect(parsed.ok && parsed.value.map(({ call, return: end }) => [call, end])).toEqual([[4, 5]]);
  });

  it("parse: kv: a null is the empty string, a delete a put of it", () => {
    const text = lines(
      '{:process 0, :type :invoke, :f :delete, :key "k", :value nil}',
      '{:process 0, :type :ok, :f :delete, :key "k", :value nil}',
      '{:process 0, :type :invoke, :f :get, :key "k", :value nil}',
      '{:process 0, :type :ok, :f :get, :key "k", :value nil}',
    );
    const result = checkHistory(text, edn);
    expect(result.ok && result.value.verdict).toBe("ok");
    expect(result.ok && result.value.operations).toBe(2);
  });

  it("parse: jsonl: keys part the history", () => {
    const text = lines(
      '{"process":0,"type":"invoke","f":"write","key":"a","value":1}',
      '{"process":0,"type":"ok","f":"write","key":"a","value":1}',
      '{"process":0,"type":"invoke","f":"read","key":"b"}',
      '{"process":0,"type":"ok","f":"read","key":"b","value":1}',
    );
    const result = checkHistory(text, { model: "register", input: "jsonl" });
    expect(result.ok && result.value.verdict).toBe("illegal");
    expect(result.ok && result.value.reports[0]!.key).toBe("b");
  });
});

describe("parse: texts that can't be understood", () => {
  const call = log(0, "invoke", "read", "nil");
  const cases: readonly (readonly [
    string,
    string,
    typeof jepsen | typeof jsonl | typeof edn,
    number,
    RegExp,
  ])[] = [
    [
      "jepsen-log: a line cut short",
      lines(call, "INFO  jepsen.util - 0\t:ok\t:re"),
      jepsen,
      2,
      /INFO jepsen\.util/,
    ],
    ["jepsen-log: another text", "hello", jepsen, 1, /INFO jepsen\.util/],
    [
      "a return without a call",
      lines(call, log(1, "ok", "read", "1")),
      jepsen,
      2,
      /a call by process 1/,
    ],
    [
      "two calls of one process",
      lines(call, call),
      jepsen,
      2,
      /the return of process 0, which called on line 1/,
    ],
    [
      "a return of something else",
      lines(call, log(0, "ok", "write", "1")),
      jepsen,
      2,
      /the return of "read"/,
    ],
    [
      "a read that returned no value",
      lines(call, log(0, "ok", "read", ":timed-out")),
      jepsen,
      2,
      /value that was read/,
    ],
    ["a cas without a pair", lines(log(0, "invoke", "cas", "3")), jepsen, 1, /\[from, to\]/],
    [
      "an operation of another model",
      lines(log(0, "invoke", "pop", "3")),
      jepsen,
      1,
      /"read", "write" or "cas"/,
    ],
    ["jsonl: half an object", '{"process":0,"type":"inv', jsonl, 1, /one JSON object/],
    ["jsonl: a list", "[1]", jsonl, 1, /one JSON object/],
    ["jsonl: no process", '{"type":"invoke","f":"read"}', jsonl, 1, /"process"/],
    ["jsonl: no type", '{"process":0,"f":"read"}', jsonl, 1, /"type"/],
    ["jsonl: no f", '{"process":0,"type":"invoke"}', jsonl, 1, /"f"/],
    [
      "jsonl: a key that is a list",
      '{"process":0,"type":"invoke","f":"read","key":[]}',
      jsonl,
      1,
      /"key"/,
    ],
    ["edn: an open map", '{:process 0, :type :invoke, :f :get, :key "k"', edn, 1, /"}"/],
    [
      "edn: an open string",
      '{:process 0, :type :invoke, :f :get, :key "k',
      edn,
      1,
      /end of the string/,
    ],
    ["edn: no map", "[1 2]", edn, 1, /one EDN map/],
    [
      "edn: a put of a number",
      '{:process 0, :type :invoke, :f :put, :key "k", :value 3}',
      edn,
      1,
      /string to put/,
    ],
    [
      "edn: the return for another key",
      lines(
        '{:process 0, :type :invoke, :f :get, :key "k", :value nil}',
        '{:process 0, :type :ok, :f :get, :key "l", :value ""}',
      ),
      edn,
      2,
      /for key "k"/,
    ],
  ];

  it.each(cases)(
    "parse: %s: the line and what was expected",
    (_, text, options, line, expected) => {
      const error = errorOf(text, options);
      expect(error.line).toBe(line);
      expect(error.expected).toMatch(expected);
    },
  );

  it("parse: a giant line: refused, and shown cut", () => {
    const error = errorOf(`${call(0)}\n${"x".repeat(3_000_000)}`, jepsen);
    expect(error.line).toBe(2);
    expect(error.expected).toMatch(/at most 1048576 characters/);
    expect(error.found.length).toBeLessThan(100);

    function call(process: number): string {
      return log(process, "invoke", "read", "nil");
    }
  });

  it("parse: edn: deep nesting is refused, not followed", () => {
    expect(parseEdn("[".repeat(100_000))).toEqual({
      ok: false,
      expected: "at most 16 levels of nesting",
    });
  });

  it("parse: any text in any format for any model: an answer or an error with a line, never a throw", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      ":",
      ":process",
      ":type",
      "invoke",
      ":invoke",
      ":ok",
      "nil",
      " ",
      "\n",
      "0",
      "\\u",

      '{"process":0,',
      '"type":"invoke",',
      '"f":"read"}',
      "INFO  jepsen.util - 0\t",
      ":invoke\t:read\tnil",
      "\t",
    );
    const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 30 });
    const choice = {
      model: fc.constantFrom(...HISTORY_MODELS),
      input: fc.constantFrom(...HISTORY_INPUTS),
    };
    fc.assert(
      fc.property(text, fc.record(choice), (pieces, options) => {
        const result = checkHistory(pieces.join(""), options);
        if (!result.ok) expect(result.error.line).toBeGreaterThan(0);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("parse: edn values", () => {
  it.each([
    ['"a\\n\\"\\u0041"', 'a\n"A'],
    ["-12", -12],
    ["1.5", 1.5],
    ["(1, 2 [3])", [1, 2, [3]]],
    ["true ; and a comment", true],
    ["{:a nil}", new Map([["a", null]])],
    [":k", { keyword: "k" }],
  ])("parse: edn: %s", (text, value) => {
    expect(parseEdn(text)).toEqual({ ok: true, value });
  });

  it.each(["", "1 2", '"\\x"', "#{1}", "{:a 1 :a 2}", "{1 2}", "{:a}", ")", "sym"])(
    "parse: edn: %s is refused",
    (text) => {
      expect(parseEdn(text).ok).toBe(false);
    },
  );
});
