/** One direction of a link between two simulated nodes, and which faults are in force on it. */
import { InForce } from "./in-force.js";

/** Frames that it holds at most, by default. */
export const queueFramesMax = 4_096;

export interface Link {
  readonly from: number;
  readonly to: number;
  /** Number of the connection; what was sent on another one never arrives. */
  connection: number;
  /** Whether the sender believes that it is up. */
  up: boolean;
  baseUs: number;
  lastArrivalUs: number;
  queued: number;
  readonly queueMax: InForce<number>;
  readonly slowness: InForce<number>;
  readonly cut: InForce<boolean>;
  readonly corrupted: InForce<boolean>;
  readonly halfOpen: InForce<boolean>;
  /** True: rates of loss and the like do not apply any more. */
  healed: boolean;
}

export function newLink(from: number, to: number, baseUs: number): Link {
  return {
    from,
    to,
    connection: 0,
    up: false,
    baseUs,
    lastArrivalUs: 0,
    queued: 0,
    queueMax: new InForce(queueFramesMax),
    slowness: new InForce(1),
    cut: new InForce(false),
    corrupted: new InForce(false),
    halfOpen: new InForce(false),
    healed: false,
  };
}

/** True when frames can be taken along this way at all. */
export function carries({ cut, halfOpen }: Link): boolean {
  return !cut.value && !halfOpen.value;
}
