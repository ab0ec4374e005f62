import { describe, expect, test } from "vitest";
import type { SlotDescription } from "../../../src/core/hsm/cryptoki/calls.js";
import { ckf } from "../../../src/core/hsm/cryptoki/constants.js";
import { chooseSlot } from "../../../src/core/hsm/slot-choice.js";

const at = (
  slot: number,
  label: string,
  serial: string,
  flags: number = ckf.tokenInitialized,
): SlotDescription => ({
  slot,
  label,
  serial,
  manufacturer: "",
  model: "",
  flags,
});
const a = at(7, "one".padEnd(32), "aa".padEnd(16));
const b = at(8, "two", "bb");
const twin = at(9, "two", "cc");
const empty = at(10, "", "", 0);
const slots = [a, b, twin, empty];

describe("the choice of a slot", () => {
  test("by id, label or serial, whatever blanks the token adds", () => {
    expect(chooseSlot(slots, { by: "id", slot: 8 })).toEqual({ ok: true, slot: b });
    expect(chooseSlot(slots, { by: "label", label: "one" })).toEqual({ ok: true, slot: a });
    expect(chooseSlot(slots, { by: "serial", serial: "aa" })).toEqual({ ok: true, slot: a });
  });

  test("more than one is none, and both are listed", () => {
    expect(chooseSlot(slots, { by: "label", label: "two" })).toEqual({
      ok: false,
      code: "ambiguous",
      message:
        'more than one token with label "two": slot 8 (label "two", serial "bb"), slot 9 (label "two", serial "cc")',
    });
  });

  test("none is an error that lists what is there", () => {
    expect(chooseSlot([b, empty], { by: "serial", serial: "xx" })).toMatchObject({
      code: "absent",
      message:
        'no token with serial "xx"; there are slot 8 (label "two", serial "bb"), slot 10 (not initialised)',
    });
    expect(chooseSlot([], { by: "id", slot: 1 })).toMatchObject({
      message: "no token with slot id 1; no token is there",
    });
  });

  test("a token that is not initialised never fits", () => {
    expect(chooseSlot(slots, { by: "id", slot: 10 })).toMatchObject({ code: "absent" });
    expect(chooseSlot(slots, { by: "label", label: "" })).toMatchObject({ code: "absent" });
  });

  test("neither many tokens nor odd names make the message long or more than a line", () => {
    const many = Array.from({ length: 500 }, (_, n) => at(n, "x\n\u001b[2J".repeat(50), "s"));
    const { message } = chooseSlot(many, { by: "label", label: "y" }) as { message: string };
    expect(message).toMatch(/ and 492 more$/);
    expect(message).toMatch(/^[ -~]*$/);
    expect(message.length).toBeLessThan(1_000);
  });
});
