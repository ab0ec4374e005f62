/** A digest for each event of a run, so that two runs can be compared event by event. */
import { RollingHash } from "../../core/hash.js";
import { digestOf } from "../../core/plain.js";
import type { Scenario } from "../../lab/scenario.js";
import type { TraceEvent } from "../../core/trace/schema.js";
import type { SimulateOptions, SimulationResult } from "../simulate.js";
import type { StepDigests } from "../state-digest.js";

export type Simulate = (scenario: Scenario, options: SimulateOptions) => SimulationResult;

/** What a run left to compare. */
export interface RunLog {
  readonly digest: string;
  /** Over all states at all steps; null when the run keeps none. */
  readonly stateDigest: string | null;
  /** Two words for each event: what went in and out up to then, and all states up to then. */
  readonly words: Uint32Array;
  /** What the run came to: the names of fields with their values, or digests of large ones. */
  readonly outcome: Readonly<Record<string, string>>;
  /** The event that was asked for, in full; null when there was none at its place. */
  readonly shown: string | null;
}

/**
 * Runs with every event, that is every input that a node handles, and the state after it digested.
 * Event number `show` is kept in full, with what the trace says around it.
 */
export function recordRun(
  simulate: Simulate,
  scenario: Scenario,
  { seed, show }: { readonly seed: number; readonly show: number | null },
): RunLog {
  const log = new EventLog(show);
  const result = simulate(scenario, {
    seed,
    checkDeterminism: true,
    onStep: (digests) => log.step(digests),
    // Without anything to show, a trace would only take time.
    ...(show === null ? {} : { trace: (event: TraceEvent) => log.trace(event) }),
  });
  const { digest, stateDigest } = result;
  return { digest, stateDigest, words: log.words(), outcome: outcomeOf(result), shown: log.shown };
}

/** Oracles and checkers judge beside the events: equal events alone don't make an equal verdict. */
function outcomeOf(result: SimulationResult): RunLog["outcome"] {
  const { verdict, failure, decisions, inert, faults, marks, latenciesUs } = result;
  const { steps, simulatedUs, acknowledged, leaderChanges } = result;
  const digests = { decisions, inert, faults, marks, latenciesUs };
  return {
    verdict,
    failure: JSON.stringify(failure),
    counts: JSON.stringify({ steps, simulatedUs, acknowledged, leaderChanges }),
    ...Object.fromEntries(
      Object.entries(digests).map(([name, value]) => [name, digestOf(value).map(hex).join("")]),
    ),
  };
}

/** Number of the first event in which two runs differ; null when they are equal. */
export function firstDifference(one: RunLog, other: RunLog): number | null {
  const shorter = Math.min(one.words.length, other.words.length);
  for (let at = 0; at < shorter; at++) {
    if (one.words[at] !== other.words[at]) return at >> 1;
  }
  const same =
    one.words.length === other.words.length &&
    one.digest === other.digest &&
    one.stateDigest === other.stateDigest &&
    differentOutcome(one, other) === null;
  return same ? null : shorter >> 1;
}

/** The first field of what they came to in which two runs differ; null when they are equal. */
export function differentOutcome(one: RunLog, other: RunLog): string | null {
  const names = Object.keys(one.outcome);
  return names.find((name) => one.outcome[name] !== other.outcome[name]) ?? null;
}

const eventsAtFirst = 1 << 14;
/** So many lines of the trace are kept around an event. */
const linesMax = 8;

class EventLog {
  readonly #show: number;
  #words = new Uint32Array(2 * eventsAtFirst);
  #events = 0;
  #step: string | null = null;
  #lines: string[] = [];

  constructor(show: number | null) {
    this.#show = show ?? -1;
  }

  /** The event and the trace from the one before to the one after. */
  get shown(): string | null {
    return this.#step === null ? null : [this.#step, ...this.#lines].join("\n    ");
  }

  step({ node, atUs, run, states }: StepDigests): void {
    if (2 * this.#events === this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length);
      larger.set(this.#words);
      this.#words = larger;
    }
    if (this.#events === this.#show) {
      const [own, all] = [run, states].map((words) => words.map(hex).join(""));
      this.#step = `step of node ${node} at ${atUs} us: digest ${own}, states ${all}`;
    }
    const hash = new RollingHash();
    for (const word of [node, atUs, ...run, ...states]) hash.word(word);
    this.#words.set(hash.digest(), 2 * this.#events++);
  }

  trace(event: TraceEvent): void {
    const near = this.#events === this.#show || this.#events === this.#show + 1;
    if (near && this.#lines.length < linesMax) this.#lines.push(JSON.stringify(event));
  }

  words(): Uint32Array {
    return this.#words.slice(0, 2 * this.#events);
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
