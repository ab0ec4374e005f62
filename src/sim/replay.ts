/** Replays by decisions, whole or in part. */
import type { Decisions } from "../lab/run-result.js";

/**
 * The first so many decisions: faults by time, then unusual draws in the order in which they
 * happened. Operations all stay. Null when there are none to replay.
 */
export function prefixOf(
  decisions: Decisions | undefined,
  first: number | undefined,
): Decisions | null {
  if (decisions === undefined) return null;
  if (first === undefined) return decisions;
  const faults = decisions.faults.slice(0, first);
  return { ...decisions, faults, draws: decisions.draws.slice(0, first - faults.length) };
}
