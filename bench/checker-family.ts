import { run } from "./checker.js";
import type { Figure } from "./figure.js";

/** The history checker against the frozen naive one on the hard recordings. */
export function benchChecker(): readonly Figure[] {
  return run();
}
