/** A trace on disk: JSON lines, a header, the events and an end (CONTRACTS 8). */
import type { RunResult } from "../../../lab/run-result.js";
import type { TraceEvent } from "../../../core/trace/schema.js";
import { traceEndText, traceEventText, traceHeaderText } from "../../trace-writer.js";
import type { Build } from "./build.js";
import { writeWhole } from "./json-file.js";

/** So many events are handed to the system at once. */
const batchEvents = 4_096;

/** @throws NodeJS.ErrnoException when the system refuses */
export function writeTraceFile(
  path: string,
  { scenario, seed, decisions }: RunResult,
  { made, events }: { readonly made: Build; readonly events: readonly TraceEvent[] },
): void {
  const { commit, node: nodeVersion } = made;
  const { options } = decisions;
  writeWhole(
    path,
    lines(traceHeaderText({ scenario, seed, options, commit: commit ?? "", nodeVersion }), events),
  );
}

function* lines(header: string, events: readonly TraceEvent[]): Generator<string> {
  yield `${header}\n`;
  for (let from = 0; from < events.length; from += batchEvents) {
    const batch = events.slice(from, from + batchEvents);
    yield `${batch.map(traceEventText).join("\n")}\n`;
  }
  yield `${traceEndText(events.length)}\n`;
}
