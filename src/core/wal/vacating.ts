/**
 * Makes the log free of records that are sealed under an old data key, so that the key can be
 * erased. What is asked for comes down to a number: every segment before it is emptied in order,
 * whatever it holds, and its file removed, or zeroed when it is used again. A restart forgets it.
 *
 * Room comes first. The current segment is left early only for a spare that a file is kept behind,
 * and nothing is emptied for the sake of a key while there is no spare: then all of it waits.
 */
import type { Checkpointer } from "./checkpoint.js";
import type { WalContext } from "./context.js";
import type { LogIndex, SegmentState } from "./log-index.js";
import type { ReplicaKey } from "./log-store.js";
import { holds } from "./sealed.js";
import type { Spare } from "./spare.js";
import type { VoidFiles } from "./void-files.js";

export interface VacatingParts {
  readonly spare: Spare;
  readonly voids: VoidFiles;
  readonly checkpointer: Checkpointer;
}

export class Vacating {
  readonly #context: WalContext;
  readonly #index: LogIndex;
  readonly #parts: VacatingParts;
  /** Segments before this one are to go. */
  #before = 0;
  /** A segment without room for what has to be written again. */
  #full = 0;
  #triedUs = -1;

  constructor(context: WalContext, index: LogIndex, parts: VacatingParts) {
    this.#context = context;
    this.#index = index;
    this.#parts = parts;
  }

  /** Of files before this segment nothing sealed may stay. */
  get before(): number {
    return this.#before;
  }

  /** True when any file of the log holds a record of the incarnation with an epoch below `epoch`. */
  holdsBelow(key: ReplicaKey, epoch: number): boolean {
    const { spare, voids } = this.#parts;
    const inUse = this.#index.segments.some(({ sealed }) => holds(sealed, key, epoch));
    return inUse || voids.holdsBelow(key, epoch) || holds(spare.sealed, key, epoch);
  }

  /** What is still needed stays: then its entries must be compacted first, and it be asked again. */
  ask(key: ReplicaKey, epoch: number): void {
    if (this.#index.needsBelow(key.group, key.incarnation, epoch)) return;
    const { spare, voids } = this.#parts;
    for (const { segment, sealed } of [...voids.retired, ...this.#index.segments]) {
      if (holds(sealed, key, epoch)) this.#before = Math.max(this.#before, segment + 1);
    }
    if (holds(spare.sealed, key, epoch)) spare.dirty = true;
    const { kept } = voids;
    if (kept !== null && holds(kept.sealed, key, epoch)) voids.kept = { ...kept, dirty: true };
  }

  /** True when the oldest segment is to be emptied whatever share of it is garbage. */
  get empties(): boolean {
    const { segments } = this.#index;
    return segments.length > 1 && segments[0]!.segment < this.#before;
  }

  /** The spare, when the batches of `current` are to go there from now on. */
  successorOf(current: SegmentState): SegmentState | null {
    const { spare, voids } = this.#parts;
    return this.#leaves(current) && voids.kept !== null && !spare.dirty ? spare.ready : null;
  }

  /** `segment` has no room for what has to be written again. */
  leave({ segment }: SegmentState): void {
    this.#full = segment;
  }

  /** The spare takes the batches from now on, and whatever was left in its file is in it too. */
  used(spare: SegmentState): void {
    if (this.#parts.spare.dirty) this.#before = Math.max(this.#before, spare.segment + 1);
    this.#parts.spare.dirty = false;
  }

  /** What waits for nothing but time; returns when it is to be called again. */
  lookAfter(nowUs: number): number {
    const { spare, voids, checkpointer } = this.#parts;
    const leaves = this.#leaves(this.#index.current!);
    if (!leaves && voids.kept?.dirty === true) voids.drop();
    const reserves = leaves && spare.ready !== null && voids.kept === null && !voids.reserving;
    // An entry could not be read: maybe it can be now.
    const missed = this.empties && checkpointer.isThrough && !this.#index.segments[0]!.pinned;
    if (!reserves && !missed && !voids.stuck) return Infinity;
    const { retrySpaceUs } = this.#context.options;
    if (this.#triedUs < 0 || nowUs - this.#triedUs >= retrySpaceUs) {
      this.#triedUs = nowUs;
      voids.retry();
      if (reserves) voids.reserve();
      if (missed) checkpointer.again();
    }
    return this.#triedUs + retrySpaceUs;
  }

  #leaves({ segment }: SegmentState): boolean {
    return segment < this.#before || segment === this.#full;
  }
}
