/** A digest for each event of a run, so that two runs can be compared event by event. */
import { RollingHash } from "../../core/hash.js";
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
  /** Two words for each event, in order. */
  readonly words: Uint32Array;
  /** The event that was asked for, in full; null when there was none at its place. */
  readonly shown: string | null;
}

/** Runs with every event and every state digested; keeps the text of event number `show`. */
export function recordRun(
  simulate: Simulate,
  scenario: Scenario,
  { seed, show }: { readonly seed: number; readonly show: number | null },
): RunLog {
  const log = new EventLog(show);
  const { digest, stateDigest } = simulate(scenario, {
    seed,
    checkDeterminism: true,
    trace: (event) => log.event(event),
    onStep: (digests) => log.step(digests),
  });
  return { digest, stateDigest, words: log.words(), shown: log.shown };
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
    one.stateDigest === other.stateDigest;
  return same ? null : shorter >> 1;
}

const eventsAtFirst = 1 << 14;

class EventLog {
  readonly #show: number | null;
  #words = new Uint32Array(2 * eventsAtFirst);
  #events = 0;
  shown: string | null = null;

  constructor(show: number | null) {
    this.#show = show;
  }

  event(event: TraceEvent): void {
    const text = JSON.stringify(event);
    const hash = new RollingHash();
    hash.text(text);
    this.#add(hash.digest(), () => text);
  }

  step({ node, atUs, run, states }: StepDigests): void {
    const hash = new RollingHash();
    for (const word of [node, atUs, ...run, ...states]) hash.word(word);
    this.#add(hash.digest(), () => {
      const [own, all] = [run, states].map((words) => words.map(hex).join(""));
      return `step of node ${node} at ${atUs} us: digest ${own}, states ${all}`;
    });
  }

  words(): Uint32Array {
    return this.#words.slice(0, 2 * this.#events);
  }

  #add(words: readonly [number, number], text: () => string): void {
    if (2 * this.#events === this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length);
      larger.set(this.#words);
      this.#words = larger;
    }
    if (this.#events === this.#show) this.shown = text();
    this.#words.set(words, 2 * this.#events++);
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
