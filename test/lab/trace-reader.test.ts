import fc from "fast-check";
import { expect, test } from "vitest";
import { lineCharactersMax, readTrace, traceProblemText } from "../../src/lab/trace-reader.js";
import { header, twoLeaders } from "./explain/traces.js";

const event =
  '{"t":1,"node":1,"boot":1,"seq":1,"group":1,"kind":"crash","cause":null,"data":{"reason":"killed"}}';

test("trace: a whole file: header and events in their order, blank lines aside", () => {
  const lines = twoLeaders();
  const read = readTrace([...lines, "", ""]);
  expect(read).toMatchObject({
    ok: { header: { scenario: "isolated-leader", seed: 42 }, cut: null },
  });
  expect("ok" in read && read.ok.events).toHaveLength(lines.length - 2);
});

test("trace: a real run: no world time, and that is no error", () => {
  expect(readTrace([header, event])).toMatchObject({
    ok: { events: [{ t: 1, cause: null }] },
  });
});

test("trace: damage: the line and what was expected there", () => {
  const expectCode = (lines: readonly string[], code: string, line: number): void => {
    expect(readTrace(lines)).toMatchObject({ error: { code, line } });
  };
  expectCode([], "empty", 1);
  expectCode(["", " "], "empty", 3);
  expectCode(["not json"], "notJson", 1);
  expectCode([event], "notHeader", 1);
  expectCode([header.replace('"formatVersion":1', '"formatVersion":2')], "version", 1);
  expectCode([header.replace("quorumlab", "other")], "notHeader", 1);
  expectCode([header, event, "{}", event], "notEvent", 3);
  expectCode([header, "[1]"], "notEvent", 2);
  expectCode([header, event.replace('"t":1', '"t":1.5')], "notEvent", 2);
  expectCode([header, event.replace('"cause":null', '"cause":{"node":1}')], "notEvent", 2);
  expectCode([header, event, '{"t":', event], "notJson", 3);
  expectCode([header, "x".repeat(lineCharactersMax + 1)], "tooLong", 2);
});

test("trace: cut anywhere in its last line: what came before is read, the cut is named", () => {
  const lines = twoLeaders();
  const last = lines.at(-1)!;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: last.length - 1 }), (length) => {
      const read = readTrace([...lines.slice(0, -1), last.slice(0, length)]);
      expect(read).toMatchObject({ ok: { cut: { code: "cutShort", line: lines.length } } });
      expect("ok" in read && read.ok.events).toHaveLength(lines.length - 2);
    }),
  );
});

test("trace: cut between two lines: what is left is read, and that there is no end is told", () => {
  const lines = twoLeaders();
  for (let left = 1; left < lines.length; left++) {
    const read = readTrace([...lines.slice(0, left), ""]);
    expect(read).toMatchObject({ ok: { cut: { code: "noEnd" } } });
    expect("ok" in read && read.ok.events).toHaveLength(left - 1);
  }
});

test("trace: any one event taken out: told, by the next of its node or by the count at the end", () => {
  const lines = twoLeaders();
  for (let gone = 1; gone < lines.length - 1; gone++) {
    const read = readTrace(lines.filter((_, at) => at !== gone));
    expect(read).toMatchObject({ ok: { cut: { code: "missing" } } });
  }
  const [first, ...rest] = lines;
  expect(readTrace([first!, ...rest.slice(1)])).toMatchObject({
    ok: { cut: { line: 2, expected: "event 1 of node 1, boot 1" } },
  });
});

test("trace: a gap that says itself that events are missing is none that nobody knows of", () => {
  const gap = event.replace('"crash"', '"gap"').replace('"seq":1', '"seq":9');
  const end = '{"kind":"end","events":1}';
  expect(readTrace([header, gap, end])).toMatchObject({ ok: { cut: null } });
  expect(readTrace([header, gap, end, event])).toMatchObject({
    error: { code: "notEvent", line: 4 },
  });
});

test("trace: any lines: a trace or a typed error, never a throw", () => {
  const line = fc.oneof(fc.string(), fc.json(), fc.constantFrom(header, event));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const read = readTrace(lines);
      if ("error" in read) expect(traceProblemText(read.error)).toMatch(/^line \d+: expected /);
      else expect(read.ok.header.formatVersion).toBe(1);
    }),
  );
});
