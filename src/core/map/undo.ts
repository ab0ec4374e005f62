/**
 * A job that is cancelled: what is left to do so that the cluster stands as if it had stopped before
 * its present step. Steps that are done stay done; the present one may have been taken already.
 */
import type { GroupId } from "../ids.js";
import { isMoveStep } from "./steps.js";
import type { Job, Move, Step } from "./types.js";

/**
 * The steps in place of those that the job still had; null when it is too late: all that is left has
 * to be done anyway. `nextEpoch` is given to slots that their old owner serves again.
 */
export function undoSteps(job: Job, nextEpoch: number): readonly Step[] | null {
  const present = job.steps[job.at];
  if (present === undefined) return null;
  const unmade = foundedInVain(job);
  // It serves nothing, so nothing needs to be closed before it goes; it may not even have a leader.
  const endings: readonly Step[] = unmade === null ? [] : [{ kind: "erase", group: unmade }];
  switch (present.kind) {
    case "found":
    case "lead":
    case "balance":
      return endings;
    case "release":
    case "stage":
      return [...takenBack(present.move, nextEpoch), ...endings];
    case "join":
      return [{ kind: "part", group: present.group, node: present.node }];
    default:
      return finishedFirst(job, present);
  }
}

/** First the new owner can't accept any more, then the old one serves again. */
function takenBack(move: Move, next: number): Step[] {
  return [
    { kind: "abandon", move },
    { kind: "reclaim", move, next },
  ];
}

/** What can't be taken back is brought to its end, and nothing new is begun. */
function finishedFirst(job: Job, present: Step): readonly Step[] | null {
  const left = job.steps.slice(job.at);
  const last = left.findLastIndex((step) => belongTogether(present, step));
  const kept = left.slice(0, last + 1);
  return kept.length === left.length ? null : kept;
}

function belongTogether(present: Step, step: Step): boolean {
  if (isMoveStep(present)) return isMoveStep(step) && step.move.epoch === present.move.epoch;
  if (present.kind === "swap" || present.kind === "bury")
    return (step.kind === "swap" || step.kind === "bury") && step.group === present.group;
  // A group that was closed must go.
  return step.kind === "retire" || step.kind === "erase" || step === present;
}

/** The group that this job was to make, as long as no slot has come to it. */
function foundedInVain(job: Job): GroupId | null {
  const founded = job.steps.find((step) => step.kind === "found");
  if (founded?.kind !== "found") return null;
  const done = job.steps.slice(0, job.at);
  const accepted = done.some((step) => step.kind === "accept" && step.move.to === founded.group);
  return accepted ? null : founded.group;
}
