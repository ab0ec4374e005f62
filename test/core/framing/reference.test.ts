/** The tables for people and those in the code say the same. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { frameTypes } from "../../../src/core/framing/frame-types.js";
import {
  type Field,
  goodbyeReasons,
  messageFields,
  snapshotOutcomes,
} from "../../../src/core/framing/messages.js";

const page = readFileSync("docs/reference/frames.md", "utf8");

describe("frames reference", () => {
  it("reference: table of types: as in the code", () => {
    const rows = [...page.matchAll(/^\| (\d+) \| `(\w+)` \| (.+?) \| (\w+) \| (\w*) ?\|$/gm)];
    const documented = rows.map(([, type, name, roles, bytes, early]) => ({
      type: Number(type),
      name,
      roles: roles!.split(", "),
      bytesMax: bytes === "link" ? null : Number(bytes),
      early: early === "early",
    }));
    expect(documented).toEqual(frameTypes);
  });

  it("reference: table of bodies: as in the code", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.+ .+) \|$/gm)];
    const documented = rows.map(([, kind, fields]): [string, Field[]] => [
      kind!,
      fields!.split(" · ").map((field) => field.split(" ") as unknown as Field),
    ]);
    expect(Object.fromEntries(documented)).toEqual(messageFields);
  });

  it("reference: numbers of outcomes and reasons: as in the code", () => {
    const flat = page.replaceAll("\n", " ");
    const numbered = (names: readonly string[]): string =>
      names.map((name, at) => `${at} ${name}`).join(", ");
    expect(flat).toContain(`\`outcome\` a byte: ${numbered(snapshotOutcomes)}.`);
    expect(flat).toContain(`\`reason\` a byte: ${numbered(goodbyeReasons)}.`);
  });
});
