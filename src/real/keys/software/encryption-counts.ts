/**
 * How often each key has encrypted under a random IV of 96 bits (policy P4, SP 800-38D section 8.3). The
 * file holds what may have been used, in blocks that are reserved before they are: a crash makes the
 * count too high, never too low, and processes that share a file count in blocks of their own.
 */
import type { HeldKey } from "./held-key.js";
import type { KeyFile } from "./key-file.js";
import { refusedBy, Refusal } from "./refusal.js";

export const encryptionsWarned: number = 2 ** 31;
export const encryptionsMax: number = 2 ** 32;
export const encryptionsReservedAtOnce = 16_384;

interface Count {
  used: number;
  reserved: number;
  /** The reservation that is on its way to the disk. */
  reserving: Promise<void> | null;
}

export class EncryptionCounts {
  readonly #file: KeyFile;
  readonly #warn: (key: HeldKey) => void;
  /** By the key's id. */
  readonly #counts = new Map<string, Count>();

  constructor(file: KeyFile, warn: (key: HeldKey) => void) {
    this.#file = file;
    this.#warn = warn;
  }

  /** Counts one more before it is made. Rejected at the limit. */
  async take(key: HeldKey): Promise<void> {
    const count = this.#countOf(key);
    // Others that wait here may use up a block before it is this one's turn.
    while (count.used >= count.reserved) {
      count.reserving ??= this.#reserve(key, count).finally(() => (count.reserving = null));
      await count.reserving;
    }
    count.used++;
    if (count.used === encryptionsWarned) this.#warn(key);
  }

  /** Never too low. */
  usedBy(key: HeldKey): number {
    return this.#counts.get(key.reference.id)?.used ?? this.#reservedBefore(key);
  }

  forget({ reference }: HeldKey): void {
    this.#counts.delete(reference.id);
  }

  #countOf(key: HeldKey): Count {
    const { id } = key.reference;
    let count = this.#counts.get(id);
    if (count === undefined) {
      const used = this.#reservedBefore(key);
      count = { used, reserved: used, reserving: null };
      this.#counts.set(id, count);
    }
    return count;
  }

  #reservedBefore({ reference: { id } }: HeldKey): number {
    return this.#file.records.keys.find((record) => record.id === id)?.encryptionsReserved ?? 0;
  }

  async #reserve(key: HeldKey, count: Count): Promise<void> {
    if (!key.permanent) {
      count.reserved = blockAfter(count.used);
      return;
    }
    const { id } = key.reference;
    let from = 0;
    await this.#file.update(({ keys, tombstones }) => {
      const record = keys.find((each) => each.id === id);
      if (record === undefined) throw new Refusal("notFound");
      from = record.encryptionsReserved;
      const counted = { ...record, encryptionsReserved: blockAfter(from) };
      return { keys: keys.map((each) => (each === record ? counted : each)), tombstones };
    });
    const crossed = count.used < encryptionsWarned && from >= encryptionsWarned;
    count.used = from;
    count.reserved = blockAfter(from);
    // Another process may have been the one that crossed the line.
    if (crossed) this.#warn(key);
  }
}

function blockAfter(used: number): number {
  if (used >= encryptionsMax) throw refusedBy("P4");
  return Math.min(used + encryptionsReservedAtOnce, encryptionsMax);
}
