/** Which of many thousand events are worth a line. */
import type { TraceCause, TraceEvent } from "../../core/trace/schema.js";
import type { Weight } from "./words.js";

export interface Candidate {
  /** Position in the trace. */
  readonly position: number;
  readonly atUs: number;
  readonly weight: Weight;
  /** Of what the story is about, not of what goes on beside it. */
  readonly ours: boolean;
}

export interface Focus {
  /** Position and time of the violation, or of the end. */
  readonly position: number;
  readonly atUs: number;
  /** Positions of what the violation's causes lead back to. */
  readonly cone: ReadonlySet<number>;
  readonly linesMax: number;
  /** How long before the violation small things count. */
  readonly windowUs: number;
}

/** Positions in their order, at most `linesMax`. What lies nearer to the violation goes first. */
export function select(candidates: readonly Candidate[], focus: Focus): ReadonlySet<number> {
  const tiers: readonly ((candidate: Candidate) => boolean)[] = [
    ({ position }) => focus.cone.has(position) || position === focus.position,
    ({ weight }) => weight === 3,
    ({ weight, ours }) => weight === 2 && ours,
    ({ weight, ours, atUs }) => weight === 1 && ours && atUs >= focus.atUs - focus.windowUs,
  ];
  const chosen = new Set<number>();
  for (const belongs of tiers) {
    for (let at = candidates.length - 1; at >= 0 && chosen.size < focus.linesMax; at--) {
      const candidate = candidates[at]!;
      if (candidate.position <= focus.position && belongs(candidate)) {
        chosen.add(candidate.position);
      }
    }
  }
  return chosen;
}

/** So far back causes are followed. */
const causesMax = 60;

/**
 * Positions of an event, its cause, the cause of that, and so on. Steps are left out: what a step
 * took in and what it changed stand beside it.
 */
export function coneOf(events: readonly TraceEvent[], end: number): ReadonlySet<number> {
  const cone = new Set<number>();
  if ((events[end]?.cause ?? null) === null) return cone;
  const positions = new Map<string, number>();
  for (let at = 0; at <= end; at++) positions.set(nameOf(events[at]!), at);
  let at: number | undefined = end;
  for (let link = 0; link < causesMax && at !== undefined; link++) {
    const { kind, cause }: TraceEvent = events[at]!;
    if (kind !== "step") cone.add(at);
    at = cause === null ? undefined : positions.get(nameOf(cause));
  }
  return cone.size > 1 ? cone : new Set();
}

function nameOf({ node, boot, seq }: TraceCause): string {
  return `${node}/${boot}/${seq}`;
}
