/** The command line as a function: what is typed in, an exit code out. Never throws. */
import { Command, CommanderError } from "commander";
import { isScenarioError } from "../lab/scenario-error.js";
import { currentBuild } from "../sim/search/artifact/build.js";
import { CliError } from "./errors.js";
import { exitCode, type ExitCode } from "./exit-codes.js";
import { nearest } from "./nearest.js";
import { printable } from "./printable.js";
import type { Cli } from "./verb.js";
import { checkDeterminismVerb } from "./verbs/check-determinism.js";
import { checkHistoryVerb } from "./verbs/check-history.js";
import { demoVerb } from "./verbs/demo.js";
import { explainVerb } from "./verbs/explain.js";
import { hsmVerb } from "./verbs/hsm.js";
import { listVerb } from "./verbs/list.js";
import { mergeVerb } from "./verbs/merge.js";
import { mutantsVerb } from "./verbs/mutants.js";
import { replayVerb } from "./verbs/replay.js";
import { runVerb } from "./verbs/run.js";
import { searchVerb } from "./verbs/search.js";
import { shrinkVerb } from "./verbs/shrink.js";

const verbs: readonly ((cli: Cli) => Command)[] = [
  demoVerb,
  listVerb,
  runVerb,
  searchVerb,
  replayVerb,
  shrinkVerb,
  explainVerb,
  checkDeterminismVerb,
  checkHistoryVerb,
  mergeVerb,
  mutantsVerb,
  hsmVerb,
];

/** For clusters of real nodes: in the design, and in no version so far. */
const verbsToCome: readonly string[] = ["cluster", "node", "pki"];

/** `typed` is what follows the program's name. */
export async function runProgram(
  typed: readonly string[],
  host: Omit<Cli, "exitCode">,
): Promise<ExitCode> {
  const cli: Cli = { ...host, exitCode: exitCode.held };
  const program = makeProgram(cli);
  try {
    checkVerb(program, typed[0]);
    if (typed[0] === "help" && typed[1] !== undefined) checkVerb(program, typed[1]);
    await program.parseAsync(typed, { from: "user" });
    return cli.exitCode;
  } catch (error) {
    return explain(error, cli);
  }
}

/** All verbs, not yet run. */
export function makeProgram(cli: Cli): Command {
  const program = new Command("quorumlab")
    .description("A laboratory for quorum systems: search, replay and judge simulated clusters.")
    .version(currentBuild().version, "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.terminal.stdout.write(text),
      writeErr: () => {},
    })
    .showSuggestionAfterError(false)
    .addHelpText("after", "\nExample:\n  npx quorumlab search --seeds 500");
  for (const make of verbs) program.addCommand(make(cli));
  return program;
}

function checkVerb(program: Command, typed: string | undefined): void {
  const names = [...program.commands.map((command) => command.name()), "help"];
  if (typed === undefined) {
    throw new CliError(exitCode.usage, `say what to do: ${names.join(", ")}`);
  }
  if (typed.startsWith("-") || names.includes(typed)) return;
  if (verbsToCome.includes(typed)) {
    throw new CliError(exitCode.usage, `${typed} is not built yet. So far: ${names.join(", ")}`);
  }
  const meant = nearest(typed, names);
  const hint = meant === null ? `All of them: ${names.join(", ")}` : `Did you mean ${meant}?`;
  throw new CliError(exitCode.usage, `there is no verb ${typed}. ${hint}`);
}

/** Says what went wrong in as few words as will do, and answers the exit code for it. */
function explain(error: unknown, { terminal }: Cli): ExitCode {
  const say = (text: string): unknown =>
    terminal.stderr.write(`quorumlab: ${printable(text, { painted: false })}\n`);
  if (error instanceof CommanderError) {
    // Help and version come as errors too, with 0.
    if (error.exitCode === 0) return exitCode.held;
    say(error.message.replace(/^error: /, ""));
    return exitCode.usage;
  }
  if (error instanceof CliError) {
    say(error.message);
    return error.exitCode;
  }
  if (isScenarioError(error)) {
    say(error.message);
    return exitCode.damagedFile;
  }
  const wantsStack = (terminal.env["QUORUMLAB_DEBUG"] ?? "") !== "";
  const message = error instanceof Error ? error.message : String(error);
  say(`a fault of its own: ${message}`);
  if (wantsStack && error instanceof Error) terminal.stderr.write(`${error.stack ?? ""}\n`);
  else terminal.stderr.write("Set QUORUMLAB_DEBUG=1 to see where.\n");
  return exitCode.ourFault;
}
