import type { Figure } from "./figure.js";

/**
 * Figures as Markdown: what stands before the last `/` of a name is the row, what stands behind it
 * the column. A ratio that says nothing new is left out.
 */
export function tableOf(figures: readonly Figure[]): string {
  const columns = [...new Set(figures.map(({ name }) => split(name).column))];
  const rows = [...new Set(figures.map(({ name }) => split(name).row))];
  const cells = new Map(figures.map((figure) => [figure.name, cellOf(figure)]));
  const lines = [["", ...columns], ["", ...columns].map(() => "---")];
  for (const row of rows) {
    lines.push([row, ...columns.map((column) => cells.get(`${row}/${column}`) ?? "")]);
  }
  return lines.map((line) => `| ${line.join(" | ")} |\n`).join("");
}

export function cellOf({ value, unit, ratio }: Figure): string {
  const measured = `${short(value)} ${unit}`.trim();
  const isPlain = value === ratio || value === ratio * 100 || Number.isNaN(ratio) || value === 0;
  return isPlain ? measured : `${measured} (${short(ratio)} x)`;
}

/** Three digits that count, and never an exponent. */
function short(n: number): string {
  return Math.abs(n) >= 100 || n === 0 ? n.toFixed(0) : n.toFixed(Math.abs(n) < 0.1 ? 3 : 2);
}

function split(name: string): { readonly row: string; readonly column: string } {
  const at = name.lastIndexOf("/");
  return { row: name.slice(0, at), column: name.slice(at + 1) };
}
