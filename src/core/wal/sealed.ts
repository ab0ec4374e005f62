/**
 * Under which data keys the records of a file are sealed. A data key is erased only when no file
 * holds a record of its epoch any more, needed or not: so what counts is what physically stands
 * there, cut, compacted and left over from an earlier use of the file.
 */
import { getU32 } from "../bytes.js";
import type { Checksum } from "../crc32.js";
import type { ReplicaKey } from "./log-store.js";
import { recordEnd, recordField, recordType, recordVersion, recordVersionAt } from "./record.js";

/** One incarnation of a group: the oldest epoch in the file. */
interface Life {
  readonly incarnation: number;
  epoch: number;
  /** Another incarnation of the same group. */
  readonly next: Life | null;
}

/** Of one file, by group: nothing for those that have no sealed record in it. */
export class SealedEpochs {
  readonly #groups = new Map<number, Life>();

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** A record sealed under `epoch` stands in the file. */
  note(group: number, incarnation: number, epoch: number): void {
    const life = this.#find(group, incarnation);
    if (life === null) {
      const next = this.#groups.get(group) ?? null;
      this.#groups.set(group, { incarnation, epoch, next });
    } else if (epoch < life.epoch) life.epoch = epoch;
  }

  /** True when a record of this incarnation is sealed under an epoch before `epoch`. */
  holdsBelow(group: number, incarnation: number, epoch: number): boolean {
    const life = this.#find(group, incarnation);
    return life !== null && life.epoch < epoch;
  }

  #find(group: number, incarnation: number): Life | null {
    let life = this.#groups.get(group) ?? null;
    while (life !== null && life.incarnation !== incarnation) life = life.next;
    return life;
  }
}

/** Of a file that has nothing sealed in it when `sealed` is null. */
export function holds(
  sealed: SealedEpochs | null,
  { group, incarnation }: ReplicaKey,
  epoch: number,
): boolean {
  return sealed !== null && sealed.holdsBelow(group, incarnation, epoch);
}

/**
 * What of `bytes`, a whole segment file, up to `end` is sealed; null: nothing. A record of this use
 * of the file counts broken too, for its salt shows what it was; one of an earlier use when it is
 * intact. Batches do not matter: what is left of one begins anywhere.
 */
export function scanSealed(
  bytes: Uint8Array,
  end: number,
  salt: number,
  crc32: Checksum,
): SealedEpochs | null {
  const sealed = new SealedEpochs();
  let type = bytes.indexOf(recordType.entry, recordField.type);
  for (; type >= 0 && type < end; type = bytes.indexOf(recordType.entry, type + 1)) {
    const at = type - recordField.type;
    const epoch = keyEpochAt(bytes, at);
    if (epoch === 0 || recordVersionAt(bytes, at) !== recordVersion) continue;
    const group = getU32(bytes, at + recordField.group);
    const incarnation = getU32(bytes, at + recordField.incarnation);
    if (sealed.holdsBelow(group, incarnation, epoch + 1)) continue;
    const ofThisUse = salt !== 0 && getU32(bytes, at + recordField.salt) === salt;
    if (!ofThisUse && !isIntact(bytes, at, crc32)) continue;
    sealed.note(group, incarnation, epoch);
  }
  return sealed.isEmpty ? null : sealed;
}

function isIntact(bytes: Uint8Array, at: number, crc32: Checksum): boolean {
  const salt = getU32(bytes, at + recordField.salt);
  return recordEnd(bytes, at, bytes.length, at, salt, crc32) !== 0;
}

function keyEpochAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at + recordField.keyEpoch] ?? 0) | ((bytes[at + recordField.keyEpoch + 1] ?? 0) << 8)
  );
}
