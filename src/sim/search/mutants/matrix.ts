/** The kill matrix as a page: which property catches which mutant, and after how many seeds. */
import type { Hunt } from "./hunt.js";
import type { Excluded, Mutant } from "./mutant.js";

export interface MatrixInput {
  readonly mutants: readonly Mutant[];
  readonly excluded: readonly Excluded[];
  /** For each start, one hunt for each mutant. */
  readonly hunts: readonly Hunt[];
  readonly starts: readonly number[];
  readonly seedsMax: number;
  readonly commit: string | null;
}

export function matrixPage(input: MatrixInput): string {
  const { mutants, excluded, hunts, starts, seedsMax, commit } = input;
  const caughtBy = new Set(hunts.flatMap(({ property }) => property ?? []));
  const order = mutants.flatMap(({ breaks }) => breaks).filter((id) => caughtBy.has(id));
  const properties = [...new Set(order)];
  const rows = mutants.map((mutant) => {
    const own = hunts.filter(({ id }) => id === mutant.id);
    return [
      `\`${mutant.id}\``,
      mutant.about,
      ...properties.map((property) => cellOf(own, property)),
      medianOf(own),
      mutant.source,
    ];
  });
  const head = ["mutant", "what is wrong in it", ...properties, "median of all", "learnt from"];
  const killed = mutants.filter(({ id }) => hunts.some((hunt) => hunt.id === id && hunt.killed));
  return [
    "# Kill matrix",
    "",
    "Each mutant is a known bug of a real system, planted in the source by a small edit. It is killed",
    "when a shipped scenario violates a property that it is said to break, on a seed that the code",
    "passes without it. Scenarios of a mutant take turns, one seed each. A cell is the median number of",
    "seeds until that property caught it, over the starts from which it did; in brackets how many of",
    "the starts those were.",
    "",
    `Commit ${commit ?? "unknown"}. Starts: ${starts.join(", ")}. At most ${seedsMax} seeds from each.`,
    `Killed: ${killed.length} of ${mutants.length}. Made by \`npx quorumlab mutants --matrix\`.`,
    "",
    tableRow(head),
    tableRow(head.map(() => "---")),
    ...rows.map(tableRow),
    "",
    "## Rows that the design excludes",
    "",
    tableRow(["row", "what was wrong", "why it cannot be planted here"]),
    tableRow(["---", "---", "---"]),
    ...excluded.map(({ row, was, because }) => tableRow([row, was, because])),
    "",
  ].join("\n");
}

function cellOf(hunts: readonly Hunt[], property: string): string {
  const caught = hunts.filter((hunt) => hunt.property === property);
  if (caught.length === 0) return "";
  return `${median(caught.map(({ seeds }) => seeds))} (${caught.length})`;
}

/** A start from which it survived counts as all seeds and more. */
function medianOf(hunts: readonly Hunt[]): string {
  if (hunts.length === 0) return "not run";
  const middle = median(hunts.map(({ killed, seeds }) => (killed ? seeds : Infinity)));
  return Number.isFinite(middle) ? String(middle) : "survives";
}

/** Of an even number, the higher one of the two in the middle. */
function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
