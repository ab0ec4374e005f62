/** Reads etcd's tables: a command line, an optional body, `----`, the expected output, a blank line. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface TableCase {
  readonly command: string;
  /** What follows the command on its line, by name; "" when there is nothing behind the `=`. */
  readonly args: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Table {
  readonly name: string;
  readonly text: string;
}

export function readTables(directory: string): Table[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".txt"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(directory, name), "utf8") }));
}

/**
 * The text of a table with each expected output replaced by what `run` gives for its case: the same
 * text, byte for byte, when all is as expected.
 */
export function rewriteTable(text: string, run: (one: TableCase) => string): string {
  const lines = text.split("\n");
  const written: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at++]!;
    written.push(line);
    if (line === "" || line.startsWith("#")) continue;
    const body: string[] = [];
    for (; lines[at] !== "----"; at++) {
      if (at >= lines.length) throw new Error(`no ---- after: ${line}`);
      body.push(lines[at]!);
    }
    at++;
    while (at < lines.length && lines[at] !== "") at++;
    const output = run({ ...commandOf(line), body: body.join("\n") });
    if (!output.endsWith("\n")) throw new Error(`an output ends its last line: ${output}`);
    written.push(...body, "----", ...output.slice(0, -1).split("\n"));
  }
  return written.join("\n");
}

function commandOf(line: string): Pick<TableCase, "command" | "args"> {
  const args = new Map<string, string>();
  for (const [, name, list, word] of line.matchAll(/(\w+)=(?:\(([^)]*)\)|(\w+))/g)) {
    args.set(name!, list ?? word!);
  }
  return { command: line.split(" ", 1)[0]!, args };
}
