/** Which of many thousand events are worth a line. */
import type { TraceLine } from "../trace-reader.js";
import type { Weight } from "./words.js";

export interface Candidate {
  /** Position in the trace. */
  readonly position: number;
  readonly atUs: number;
  readonly weight: Weight;
  readonly group: number;
}

export interface Focus {
  /** Position and time of the violation, or of the end. */
  readonly position: number;
  readonly atUs: number;
  /** The group whose story is told; 0: all. */
  readonly group: number;
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
    ({ weight, group }) => weight === 2 && ofFocus(group, focus),
    ({ weight, group, atUs }) =>
      weight === 1 && ofFocus(group, focus) && atUs >= focus.atUs - focus.windowUs,
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

/** Positions of an event, its cause, the cause of that, and so on. */
export function coneOf(events: readonly TraceLine[], position: number): ReadonlySet<number> {
  const cone = new Set<number>();
  let line = events[position];
  if (line === undefined || line.cause === null) return cone;
  const positions = new Map<string, number>();
  for (let at = 0; at <= position; at++) positions.set(nameOf(events[at]!), at);
  for (let at: number | undefined = position; at !== undefined && !cone.has(at);) {
    cone.add(at);
    line = events[at];
    at = line?.cause === null || line === undefined ? undefined : positions.get(nameOf(line.cause));
  }
  return cone;
}

function nameOf({ node, boot, seq }: Pick<TraceLine, "node" | "boot" | "seq">): string {
  return `${node}/${boot}/${seq}`;
}

function ofFocus(group: number, focus: Focus): boolean {
  return focus.group === 0 || group === 0 || group === focus.group;
}
