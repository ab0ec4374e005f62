import fc from "fast-check";
import { expect, test } from "vitest";
import { type GroupId, groupId } from "../../../src/core/ids.js";
import { decodeLedPage, encodeLedPage, ledPageMax } from "../../../src/core/store/led-page.js";

const someGroups = fc
  .uniqueArray(fc.integer({ min: 1, max: 0xffff_ffff }), { maxLength: 20 })
  .map((groups): GroupId[] => groups.sort((a, b) => a - b).map((group) => groupId(group)));

test("pages of led groups: there and back; cut short or too long they are refused", () => {
  fc.assert(
    fc.property(someGroups, fc.nat(), (groups, cut) => {
      const bytes = encodeLedPage(groups);
      expect(decodeLedPage(bytes)).toEqual({ kind: "led", groups });
      expect(decodeLedPage(bytes.subarray(0, cut % bytes.length)).kind).toBe("undecodable");
      expect(decodeLedPage(new Uint8Array([...bytes, 0])).kind).toBe("undecodable");
    }),
    { seed: 41 },
  );
});

test("pages of led groups: out of order, twice, or more than a page: refused", () => {
  const groups = (...ids: readonly number[]): GroupId[] => ids.map((id) => groupId(id));
  expect(decodeLedPage(encodeLedPage(groups(3, 2))).kind).toBe("undecodable");
  expect(decodeLedPage(encodeLedPage(groups(2, 2))).kind).toBe("undecodable");
  const many = Array.from({ length: ledPageMax + 1 }, (_, at) => groupId(at + 1));
  expect(decodeLedPage(encodeLedPage(many)).kind).toBe("undecodable");
  expect(decodeLedPage(encodeLedPage(many.slice(1))).kind).toBe("led");
});
