/**
 * Runs everything more than once and compares it event by event: in one process, in which other runs
 * came before, in one order of the scenarios and in the other; and in a fresh process each.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { assert } from "../../core/assert.js";
import { base64Decode } from "../../core/base64.js";
import type { Scenario } from "../../lab/scenario.js";
import {
  differentOutcome,
  firstDifference,
  recordRun,
  type RunLog,
  type Simulate,
} from "./event-log.js";

/** What `fresh-run.ts` prints. */
export interface FreshAnswer extends Omit<RunLog, "words"> {
  /** The bytes of the words, base64. */
  readonly words: string;
}

/** A run of the same scenario and seed that came out otherwise. */
export interface Difference {
  readonly scenario: string;
  readonly seed: number;
  /** Number of the first event that differs, from 0. */
  readonly event: number;
  readonly sides: readonly [DifferenceSide, DifferenceSide];
}

export interface DifferenceSide {
  /** Which run it was. */
  readonly run: string;
  readonly digest: string;
  /**
   * The event, in full, or what the run came to when all events are equal; null when the run had
   * ended, or could not be brought back.
   */
  readonly shown: string | null;
}

export interface DeterminismOptions {
  readonly simulate: Simulate;
  readonly scenarios: readonly Scenario[];
  /** Module that exports them, for fresh processes. */
  readonly scenariosUrl: string;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Seen alike from `src` and from `dist`. */
const freshRunUrl = new URL("../../../dist/sim/search/fresh-run.js", import.meta.url);
const answerBytesMax = 1 << 30;
/** Runs in this process to bring back an event that a run of before had. */
const triesToShow = 3;

interface Sample {
  readonly name: string;
  readonly log: RunLog;
}

/** The first difference among the runs of one seed; null when there is none, or when aborted. */
export async function checkSeed(options: DeterminismOptions): Promise<Difference | null> {
  try {
    return await compareRuns(options);
  } catch (error) {
    // The fresh process was stopped with us.
    if (options.signal.aborted) return null;
    throw error;
  }
}

async function compareRuns(options: DeterminismOptions): Promise<Difference | null> {
  const { simulate, scenarios, seed, signal } = options;
  const forward = new Map<string, RunLog>();
  for (const scenario of scenarios) {
    if (signal.aborted) return null;
    forward.set(scenario.name, recordRun(simulate, scenario, { seed, show: null }));
  }
  for (const scenario of scenarios.toReversed()) {
    if (signal.aborted) return null;
    // The fresh process works while this one does.
    const elsewhere = freshRun(options, scenario, null);
    const here = recordRun(simulate, scenario, { seed, show: null });
    const first = { name: "first in one process", log: forward.get(scenario.name)! };
    const others = [
      { name: "again there, scenarios in the other order", log: here },
      { name: "in a fresh process", log: await elsewhere },
    ];
    for (const other of others) {
      const event = firstDifference(first.log, other.log);
      if (event !== null) return describe(options, scenario, event, [first, other]);
    }
  }
  return null;
}

/** Looks for the text of the event: runs again, here and afresh, until digests match. */
async function describe(
  options: DeterminismOptions,
  scenario: Scenario,
  event: number,
  samples: readonly [Sample, Sample],
): Promise<Difference> {
  const { simulate, seed } = options;
  const found = [await freshRun(options, scenario, event)];
  for (let n = 0; n < triesToShow; n++) {
    found.push(recordRun(simulate, scenario, { seed, show: event }));
  }
  const logs = samples.map(({ log }) => log) as [RunLog, RunLog];
  const field = logs.every(({ words }) => words.length === 2 * event)
    ? differentOutcome(...logs)
    : null;
  const side = ({ name, log }: Sample): DifferenceSide => ({
    run: name,
    digest: log.digest,
    shown:
      field === null
        ? (found.find((other) => hasSame(log, other, event))?.shown ?? null)
        : `after the last event: ${field} ${log.outcome[field]}`,
  });
  return { scenario: scenario.name, seed, event, sides: [side(samples[0]), side(samples[1])] };
}

function hasSame({ words }: RunLog, other: RunLog, event: number): boolean {
  const at = 2 * event;
  return (
    at < words.length && words[at] === other.words[at] && words[at + 1] === other.words[at + 1]
  );
}

async function freshRun(
  { scenariosUrl, seed, signal }: DeterminismOptions,
  { name }: Scenario,
  show: number | null,
): Promise<RunLog> {
  const given = [fileURLToPath(freshRunUrl), scenariosUrl, name, String(seed)];
  if (show !== null) given.push(String(show));
  const { stdout } = await promisify(execFile)(process.execPath, given, {
    maxBuffer: answerBytesMax,
    signal,
  });
  const answer = JSON.parse(stdout) as FreshAnswer;
  const bytes = base64Decode(answer.words);
  assert(bytes !== null, "a run of our own answers in base64");
  return { ...answer, words: new Uint32Array(bytes.buffer) };
}
