/** Which errand takes which step. */
import { assertNever } from "../assert.js";
import type { GroupId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { MapState } from "../map/state.js";
import type { Job, Move, Step } from "../map/types.js";
import { type GroupLifeEntry, encodeGroupLifeEntry } from "../store/group-life.js";
import { decodeSlotsPiece } from "../store/slots-piece.js";
import { type Errand, type Outcome, done, later } from "./errand.js";
import { balancing } from "./balance-errand.js";
import { joining, leading, parting, renewing, swapping } from "./member-errands.js";
import { burying, erasing, founding } from "./replica-errands.js";
import { staging } from "./staging-errand.js";

export interface StewardOptions {
  /** Without an answer for so long it is asked again, another node if any could answer. */
  readonly askTimeoutUs: number;
  /** What was refused is asked again after this. */
  readonly retryUs: number;
  /** Of the state of slots in one request and in one entry. */
  readonly pieceBytes: number;
  /** Entries that a learner may lack when it takes a voter's place (thesis section 4.2.1). */
  readonly laggingMax: number;
  /**
   * So long after something that may have moved leaders (a node has come, a job is over, another steward)
   * they are balanced unasked; never again before that. Infinity: only when people ask.
   */
  readonly balanceAfterUs: number;
}

export interface ErrandsWorld {
  readonly map: Readonly<MapState>;
  readonly options: StewardOptions;
  readonly marks: Marks;
}

export function errandOf(step: Step, job: Job, { map, options, marks }: ErrandsWorld): Errand {
  switch (step.kind) {
    case "found":
      return founding(map, step.group, marks);
    case "erase":
      return erasing(map, step.group, marks);
    case "bury":
      return burying(map, step, marks);
    case "retire":
      return committing(step.group, { kind: "retire" });
    case "release":
      return releasing(step.move);
    case "stage":
      return staging(step.move, job.kept, options.pieceBytes);
    case "accept":
      return accepting(step.move, job);
    case "drop":
      return committing(ownerBefore(step.move), { kind: "dropSlots", ...of(step.move) });
    case "abandon":
      return committing(step.move.to, { kind: "abandonSlots", ...of(step.move) });
    case "reclaim":
      return committing(ownerBefore(step.move), {
        kind: "keepSlots",
        ...of(step.move),
        next: step.next,
      });
    case "join":
      return joining(step.group, step.node, { laggingMax: options.laggingMax, marks });
    case "part":
      return parting(step.group, step.node, marks);
    case "swap":
      return swapping(step, marks);
    case "renew":
      return renewing(step, marks);
    case "lead":
      return leading(step.group, step.node, marks);
    case "balance":
      return balancing(map, marks);
    case "depart":
      return { next: () => null, take: () => done };
    default:
      return assertNever(step);
  }
}

/** The leader of a group commits an entry of group life. */
function committing(
  group: GroupId,
  entry: GroupLifeEntry,
  outcome: (answer: Uint8Array) => Outcome = () => done,
): Errand {
  const request = { kind: "life", group, payload: encodeGroupLifeEntry(entry) } as const;
  return {
    next: () => ({ to: { leaderOf: group }, request }),
    take: (answer) => (answer.kind === "done" ? outcome(answer.bytes) : later),
  };
}

/** What it kept is what the new owner must have whole. */
function releasing(move: Move): Errand {
  return committing(ownerBefore(move), { kind: "exportSlots", ...of(move) }, (bytes) => {
    const piece = decodeSlotsPiece(bytes);
    if (piece.kind === "undecodable") return later;
    const { total, checksum } = piece;
    return { kind: "done", fact: { kind: "kept", total, checksum } };
  });
}

function accepting(move: Move, job: Job): Errand {
  const { total, checksum } = move.from === 0 ? { total: 0, checksum: 0 } : job.kept;
  return committing(move.to, { kind: "acceptSlots", ...of(move), total, checksum });
}

function of({ slots, epoch }: Move): Pick<Move, "slots" | "epoch"> {
  return { slots, epoch };
}

/** Slots from nobody are neither released nor dropped. */
function ownerBefore({ from }: Move): GroupId {
  return from as GroupId;
}
