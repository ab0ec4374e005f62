/**
 * Limits that need not be tight: all at once, or else one by one. What a failure needs of them is
 * then what its file names.
 */
import type { Json } from "../../core/plain.js";
import type { Decisions } from "../../lab/run-result.js";
import type { Attempts, Trying } from "./attempts.js";

export function* loosenLimits(attempts: Attempts): Trying {
  const names = Object.keys(limitsOf(attempts.best));
  if (names.length === 0 || (yield* attempts.accept(withLimits(attempts.best, {})))) return;
  if (names.length === 1) return;
  for (const name of names) {
    const { [name]: _loose, ...tight } = limitsOf(attempts.best);
    yield* attempts.accept(withLimits(attempts.best, tight));
  }
}

/** None in a file of before, whose limits are drawn. */
function limitsOf({ options }: Decisions): Readonly<Record<string, Json>> {
  const limits = options["limits"];
  return typeof limits === "object" && limits !== null && !Array.isArray(limits)
    ? (limits as Readonly<Record<string, Json>>)
    : {};
}

function withLimits(decisions: Decisions, limits: Readonly<Record<string, Json>>): Decisions {
  return { ...decisions, options: { ...decisions.options, limits } };
}
