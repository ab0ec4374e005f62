/** The text of a simulated run's trace: one JSON object a line, a header first (CONTRACTS 8). */
import {
  type TraceEnd,
  type TraceEvent,
  type TraceHeader,
  traceFormatVersion,
} from "../core/trace/schema.js";

/** What the header says of a run; the rest of it is the same for all. */
export type TraceOrigin = Pick<
  TraceHeader,
  "scenario" | "seed" | "options" | "commit" | "nodeVersion"
>;

export function traceHeaderText(origin: TraceOrigin): string {
  return JSON.stringify(traceHeader(origin));
}

export function traceHeader(origin: TraceOrigin): TraceHeader {
  return { tool: "quorumlab", formatVersion: traceFormatVersion, ...origin, world: "sim" };
}

export function traceEventText(event: TraceEvent): string {
  return JSON.stringify(event);
}

/** Goes below the last event: by it a reader knows that nothing is missing. */
export function traceEndText(events: number): string {
  const end: TraceEnd = { kind: "end", events };
  return JSON.stringify(end);
}
