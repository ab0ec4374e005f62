import { Option, type Command } from "commander";
import {
  checkHistory as check,
  HISTORY_INPUTS,
  HISTORY_MODELS,
  type CheckResult,
  type HistoryInput,
  type HistoryModel,
} from "../../lab/history/index.js";
import { readText } from "../../sim/search/artifact/json-file.js";
import { CliError, fileError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { grouped, type Output } from "../output.js";
import { wholeNumber } from "../options.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";

interface CheckHistoryOptions extends CommonOptions {
  readonly model: HistoryModel;
  readonly input: HistoryInput;
  readonly steps?: number;
  readonly memory?: number;
}

/** So much of the longest legal order is shown. */
const shownOperations = 5;

export function checkHistoryVerb(cli: Cli): Command {
  return verb(cli, {
    name: "check-history",
    about: "Judges whether a recorded history is linearizable.",
    example: "npx quorumlab check-history history.jsonl --model kv",
    exits: [0, 1, 2, 65, 66],
  })
    .argument("<file>", "the history")
    .addOption(
      new Option("--model <model>", "what the objects are")
        .choices(HISTORY_MODELS)
        .default("register"),
    )
    .addOption(
      new Option("--input <format>", "how it is written").choices(HISTORY_INPUTS).default("jsonl"),
    )
    .option("--steps <n>", "give up after so many steps of the model", (text) => wholeNumber(text))
    .option("--memory <mib>", "give up beyond so many MiB", (text) => wholeNumber(text, 65_536))
    .action(acting(cli, checkHistory));
}

function checkHistory(output: Output, options: CheckHistoryOptions, file: string): ExitCode {
  const text = readText(file);
  if ("problem" in text) throw fileError(text.problem);
  const startedMs = performance.now();
  const judged = check(text.ok, {
    model: options.model,
    input: options.input,
    stepBudget: options.steps,
    memoryBytes: options.memory === undefined ? undefined : options.memory * 1024 * 1024,
  });
  const wallMs = Math.round(performance.now() - startedMs);
  if (!judged.ok) {
    const { line, expected, found } = judged.error;
    throw new CliError(
      exitCode.damagedFile,
      `${file}:${line}: expected ${expected}\n  found: ${found}`,
    );
  }
  const { verdict, operations } = judged.value;
  if (operations === 0) {
    // Nothing was judged: a file that was never written must not look like one that holds.
    throw new CliError(exitCode.damagedFile, `${file}: there is no operation in it`);
  }
  output.record(
    { kind: "verdict", verdict, operations, wallMs },
    [`${verdict}  ${grouped(operations)} operations, ${wallMs} ms`, ...why(judged.value)].join(
      "\n",
    ),
  );
  return { ok: exitCode.held, illegal: exitCode.violated, unknown: exitCode.undecided }[verdict];
}

function why({ reports }: CheckResult): string[] {
  return reports.flatMap(({ key, verdict, why: reason, linearized, blocked, operations }) => {
    const place = key === "" ? "the object" : `key ${key}`;
    if (verdict === "unknown") return [`  ${place}: gave up, out of ${reason}`];
    const lines = [
      `  ${place}: no order of its ${operations} operations is legal; ` +
        `the longest legal one has ${linearized.length}`,
    ];
    const from = Math.max(0, linearized.length - shownOperations);
    for (const each of linearized.slice(from)) lines.push(`    ${shown(each)}`);
    if (blocked !== null) lines.push(`  and then this cannot return: ${shown(blocked)}`);
    return lines;
  });
}

function shown(operation: CheckResult["reports"][number]["linearized"][number]): string {
  const { client, call, input, output } = operation;
  const answer = output === undefined ? "no answer" : JSON.stringify(output);
  return `line ${call}, process ${client}: ${JSON.stringify(input)} -> ${answer}`;
}
