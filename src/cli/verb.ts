/** What all verbs have in common: how they are declared, helped and ended. */
import { Command, Option } from "commander";
import type { simulate } from "../sim/simulate.js";
import { exitMeanings, type ExitCode } from "./exit-codes.js";
import { Output, type OutputFormat, type Terminal } from "./output.js";

/** What a verb runs with. */
export interface Cli {
  readonly terminal: Terminal;
  readonly simulate: typeof simulate;
  /** Calls `stop` when the user interrupts; the function it returns ends that. */
  readonly onInterrupt: (stop: () => void) => () => void;
  /** What the verb ended with. */
  exitCode: ExitCode;
}

export interface VerbSpec {
  readonly name: string;
  readonly about: string;
  readonly example: string;
  /** How it can end, besides wrong usage and a fault of our own. */
  readonly exits: readonly ExitCode[];
}

export function verb(cli: Cli, { name, about, example, exits }: VerbSpec): Command {
  const codes = [...exits, 64, 70] as const;
  const lines = codes.map((code) => `  ${String(code).padEnd(3)} ${exitMeanings[code]}`);
  return new Command(name)
    .description(about)
    .addOption(
      new Option("--format <format>", "pretty (default on a terminal) or jsonl")
        .choices(["pretty", "jsonl"])
        .env("QUORUMLAB_FORMAT"),
    )
    .addHelpText("after", `\nExit codes:\n${lines.join("\n")}\n\nExample:\n  ${example}`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.terminal.stdout.write(text),
      writeErr: () => {},
    });
}

/** Options that every verb has. */
export interface CommonOptions {
  readonly format?: OutputFormat;
}

/** Runs the verb's action and keeps its exit code. */
export function acting<Arguments extends readonly unknown[], Options extends CommonOptions>(
  cli: Cli,
  act: (output: Output, options: Options, ...names: Arguments) => Promise<ExitCode> | ExitCode,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    // Commander calls with the arguments, then the options, then the command.
    const options = given.at(-2) as Options;
    const output = new Output(cli.terminal, options.format);
    cli.exitCode = await act(output, options, ...(given.slice(0, -2) as unknown as Arguments));
  };
}
