import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/core/plain.js";
import {
  type TraceFieldType,
  type TraceKind,
  checkTraceEvent,
  checkTraceHeader,
  evidenceKinds,
  traceFields,
} from "../../../src/core/trace/schema.js";

const page = readFileSync("docs/reference/trace.md", "utf8");
const kinds = Object.keys(traceFields) as TraceKind[];

const samples: Record<TraceFieldType, Json> = {
  number: -1,
  text: "x",
  flag: false,
  digest: "0123456789abcdef",
  bytes: "AA==",
  numbers: [1, 2],
  optionalText: null,
  json: { any: [1] },
};

function eventOf(kind: TraceKind): Record<string, Json> {
  const fields = Object.entries(traceFields[kind]) as [string, TraceFieldType][];
  const data = Object.fromEntries(fields.map(([name, type]) => [name, samples[type]]));
  return { t: 1, node: 1, boot: 1, seq: 1, group: 0, kind, cause: null, data };
}

describe("trace", () => {
  it("trace: the page for people: every kind with its fields, and no other", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (`.+) \| (.+) \|$/gm)];
    const documented = rows.map(([, kind, fields]) => [
      kind,
      Object.fromEntries(
        fields!
          .split(" · ")
          .map((field) => field.replaceAll("`", "").split(" ") as [string, string]),
      ),
    ]);
    expect(Object.fromEntries(documented)).toEqual(traceFields);
    const evidence = rows.filter((row) => row[3]!.startsWith("evidence:")).map((row) => row[1]);
    expect(evidence).toEqual(evidenceKinds);
  });

  it.each(kinds)("trace: %s: accepted whole, refused when a field is missing or wrong", (kind) => {
    const event = eventOf(kind);
    expect(checkTraceEvent(event)).toBe(event);
    expect(
      checkTraceEvent({ ...event, at: 5, cause: { node: 1, boot: 1, seq: 1 } }),
    ).toHaveProperty("kind", kind);
    for (const [field, type] of Object.entries(traceFields[kind]) as [string, TraceFieldType][]) {
      const data = { ...(event["data"] as Record<string, Json>) };
      delete data[field];
      const refused = { kind: "badTrace", field: `data.${field}` };
      expect(checkTraceEvent({ ...event, data })).toEqual(refused);
      if (type === "json") continue;
      expect(checkTraceEvent({ ...event, data: { ...data, [field]: [null] } })).toEqual(refused);
    }
  });

  it.each(["t", "node", "boot", "seq", "group", "kind", "cause", "data"])(
    "trace: %s: needed",
    (field) => {
      expect(checkTraceEvent({ ...eventOf("gap"), [field]: "?" })).toEqual({
        kind: "badTrace",
        field,
      });
    },
  );

  it("trace: header: every field is needed", () => {
    const header: Record<string, Json> = {
      tool: "quorumlab",
      formatVersion: 1,
      commit: "",
      nodeVersion: "v20",
      scenario: "swarm",
      seed: 7,
      options: {},
      world: "sim",
    };
    expect(checkTraceHeader(header)).toBe(header);
    for (const field of Object.keys(header)) {
      expect(checkTraceHeader({ ...header, [field]: null })).toEqual({ kind: "badTrace", field });
    }
  });

  it("trace: any JSON: an event or a typed error", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(checkTraceEvent(value as Json)).toMatchObject({ kind: "badTrace" });
        expect(checkTraceHeader(value as Json)).toMatchObject({ kind: "badTrace" });
      }),
    );
  });
});
