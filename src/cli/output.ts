/** Results go to standard output, in one of two formats; all else goes to standard error. */
import colors from "picocolors";
import { printable } from "./printable.js";

export type OutputFormat = "pretty" | "jsonl";

/** A line of `--format jsonl`. */
export type OutputRecord = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** What the program has of its process. */
export interface Terminal {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface OutputStream {
  readonly isTTY?: boolean | undefined;
  /** Width of a terminal; 0 or none when it is not known. */
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export type Colors = ReturnType<typeof colors.createColors>;

export class Output {
  readonly format: OutputFormat;
  readonly paint: Colors;
  readonly #terminal: Terminal;
  readonly #painted: boolean;

  constructor(terminal: Terminal, format: OutputFormat | undefined) {
    this.#terminal = terminal;
    const onTerminal = terminal.stdout.isTTY === true;
    this.format = format ?? (onTerminal ? "pretty" : "jsonl");
    this.#painted = useColors(terminal.env, onTerminal);
    this.paint = colors.createColors(this.#painted);
  }

  /** One record; `pretty` is what people see instead, null for nothing. */
  record(record: OutputRecord, pretty: string | null): void {
    if (this.format === "jsonl") this.#terminal.stdout.write(`${JSON.stringify(record)}\n`);
    else if (pretty !== null) this.pretty(pretty);
  }

  /** For people only, as part of the result. */
  pretty(text: string): void {
    if (this.format !== "pretty") return;
    this.#terminal.stdout.write(`${printable(text, { painted: this.#painted })}\n`);
  }

  /** Beside the result: notes, warnings. */
  note(text: string): void {
    this.#terminal.stderr.write(`${printable(text, { painted: false })}\n`);
  }

  /** The end of a failure: with the result for people, beside it for programs. */
  last(text: string): void {
    if (this.format === "pretty") this.pretty(text);
    else this.note(text);
  }
}

function useColors(env: Terminal["env"], onTerminal: boolean): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  if ((env["FORCE_COLOR"] ?? "0") !== "0") return true;
  return onTerminal;
}

/** `1234567` as `1,234,567`. */
export function grouped(n: number): string {
  return String(Math.round(n)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 fault`, `1,234 faults`. */
export function counted(n: number, thing: string): string {
  return `${grouped(n)} ${thing}${n === 1 ? "" : "s"}`;
}

/** Milliseconds for people: `820 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Left-aligned columns; the last is as long as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  }
  const lines = rows.map((row) =>
    row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at]!))).join("  "),
  );
  return lines.map((line) => `  ${line}`.trimEnd()).join("\n");
}
