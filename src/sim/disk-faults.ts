/** What faults do to one simulated disk, each with the ordinal of the fault that does it. */
import { InForce } from "./in-force.js";

export class DiskFaults {
  /** A crash tears what is not synced. */
  readonly torn: InForce<boolean> = new InForce(false);
  readonly slowness: InForce<number> = new InForce(1);
  /** Bytes that all files together may take. */
  readonly limitBytes: InForce<number> = new InForce(Infinity);
  /** Syncs answer and do nothing. */
  readonly lying: InForce<boolean> = new InForce(false);
  /** Syncs to be undone at the next crash. */
  readonly vanishSyncs: InForce<number> = new InForce(0);
  /** Each of these is to happen once for every fault listed, the first one first. */
  readonly failSyncs: number[] = [];
  readonly failReads: number[] = [];
  readonly misdirectReads: number[] = [];
  readonly misdirectWrites: number[] = [];

  clear(): void {
    const { torn, slowness, limitBytes, lying, vanishSyncs } = this;
    for (const each of [torn, slowness, limitBytes, lying, vanishSyncs]) each.clear();
    const { failSyncs, failReads, misdirectReads, misdirectWrites } = this;
    for (const each of [failSyncs, failReads, misdirectReads, misdirectWrites]) each.length = 0;
  }
}
