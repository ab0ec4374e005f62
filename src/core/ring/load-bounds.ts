/**
 * Bounded loads (Mirrokni, Thorup and Zadimoghaddam 2016): nobody carries more than a factor above its
 * share. Here the same factor also bounds from below. Whole numbers throughout, and no product reaches
 * 2^53.
 */
import { assert } from "../assert.js";
import { weightMax } from "./scheme.js";

/** By how much a load may exceed its share, in thousandths of the share. */
export const capThousandthsDefault = 1_100;
export const capThousandthsMin = 1_000;
export const capThousandthsMax = 10_000;
/** The most that may be shared out: slots, or replicas in a cluster. */
export const loadTotalMax: number = 16 * 1024 * 1024;

/** What is shared out, and the part of it that belongs to one of several weights. */
export interface Share {
  readonly total: number;
  readonly weight: number;
  readonly weightSum: number;
}

/** ceil(cap * share). All that share in the total can carry it together, whatever the cap. */
export function loadMost(share: Share, capThousandths: number): number {
  checkBounds(share, capThousandths);
  return ceilingOf(share.total * share.weight * capThousandths, share.weightSum * 1_000);
}

/** floor(share / cap). All can have so much at once. */
export function loadLeast(share: Share, capThousandths: number): number {
  checkBounds(share, capThousandths);
  return floorOf(share.total * share.weight * 1_000, share.weightSum * capThousandths);
}

function checkBounds({ total, weight }: Share, capThousandths: number): void {
  assert(
    Number.isInteger(total) && total >= 0 && total <= loadTotalMax,
    "what is shared is bounded",
  );
  assert(weight <= weightMax, "a weight is at most weightMax", { weight });
  assert(isCap(capThousandths), "a cap is from capThousandthsMin to capThousandthsMax", {
    capThousandths,
  });
}

export function isCap(capThousandths: number): boolean {
  return (
    Number.isInteger(capThousandths) &&
    capThousandths >= capThousandthsMin &&
    capThousandths <= capThousandthsMax
  );
}

/** Exact, where a quotient of floating point may be rounded up to the next whole number. */
function floorOf(dividend: number, divisor: number): number {
  return (dividend - (dividend % divisor)) / divisor;
}

function ceilingOf(dividend: number, divisor: number): number {
  const rest = dividend % divisor;
  return rest === 0 ? dividend / divisor : (dividend - rest) / divisor + 1;
}
