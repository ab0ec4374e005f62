/** The table in docs/reference/hashing.md: what can be computed again is what it says. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ringKeys, ringSizes, stillFigures } from "../../bench/ring-family.js";
import { contenders, keyHashes } from "../../bench/ring-schemes.js";
import { cellOf } from "../../bench/table.js";

const page = readFileSync(new URL("../../docs/reference/hashing.md", import.meta.url), "utf8");

const hashes = keyHashes(ringKeys);

/** Cells of the row of this name, without the last one, which is timed. */
function shown(row: string): readonly string[] | undefined {
  const line = page.split("\n").find((each) => each.startsWith(`| ring/${row} |`));
  return line
    ?.split("|")
    .slice(2, -2)
    .map((cell) => cell.trim());
}

/** The largest, and what asks many targets for each key, are left to the bench. */
const isDear = (row: string): boolean => row.endsWith("-1024") || row === "rendezvous-256";
const cases = contenders.flatMap((contender) =>
  ringSizes.map((size) => ({ row: `${contender.name}-${size}`, contender, size })),
);

test("hashing: the page has a row for each scheme and size", () => {
  expect(cases.filter(({ row }) => shown(row)?.length !== 5)).toEqual([]);
});

test.each(cases.filter(({ row }) => !isDear(row)))(
  "hashing: $row is as the page says",
  ({ row, contender, size }) => {
    expect(stillFigures(contender, size, hashes).map(cellOf)).toEqual(shown(row));
  },
);
