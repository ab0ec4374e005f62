/** The text of a simulated run's trace: one JSON object a line, a header first (CONTRACTS 8). */
import type { Json } from "../core/plain.js";
import type { TraceEvent } from "./recorder.js";

export const traceFormatVersion = 1;

export interface TraceHeader {
  readonly scenario: string;
  readonly seed: number;
  /** What the seed made of the scenario's options. */
  readonly options: Readonly<Record<string, Json>>;
  /** Of the code that ran, 40 digits; null when not known. */
  readonly commit: string | null;
  /** Version of Node. */
  readonly node: string;
}

export function traceHeaderText({ scenario, seed, options, commit, node }: TraceHeader): string {
  return JSON.stringify({
    kind: "header",
    tool: "quorumlab",
    version: traceFormatVersion,
    commit,
    node,
    scenario,
    seed,
    options,
    world: "sim",
  });
}

export function traceEventText(event: TraceEvent): string {
  return JSON.stringify(event);
}
