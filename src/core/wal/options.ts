/** Sizes and limits of the log and of the snapshot files. */
import { assert } from "../assert.js";
import { wrongNumbers } from "../option-checks.js";
import { sectorBytes } from "../ports/disk.js";

export interface WalOptions {
  /** Size of a segment file; a whole number of sectors. Default 16 MiB. */
  readonly segmentBytes: number;
  /** Largest batch as it stands on disk; at most half a segment. Default 8 MiB. */
  readonly batchBytesMax: number;
  /** Segments that are kept before old ones are emptied by checkpoint rows. Default 4. */
  readonly segmentsMin: number;
  /** Most checkpoint rows that ride on one batch. Default 64. */
  readonly checkpointRowsMax: number;
  /** Most bytes of entries that ride as checkpoint on one batch. Default 256 KiB. */
  readonly checkpointBytesMax: number;
  /** Most reads of entries that may be under way; further ones fail. Default 1,024. */
  readonly readsMax: number;
  /** Most bytes that one read of entries asks the disk for. Default 1 MiB. */
  readonly readBytesMax: number;
  /**
   * How often a piece is read again that cannot be read, or that looks damaged and answers
   * differently each time. Default 16.
   */
  readonly readAttemptsMax: number;
  /** Slots of one sector in each ring file. Default 16. */
  readonly ringSlots: number;
  /** A ring entry that no next batch has carried is written alone after this. Default 50 ms. */
  readonly ringIdleUs: number;
  /** A segment that found no room is asked for again after this. Default 1 s. */
  readonly retrySpaceUs: number;
}

export const walDefaults: WalOptions = {
  segmentBytes: 16 * 1024 * 1024,
  batchBytesMax: 8 * 1024 * 1024,
  segmentsMin: 4,
  checkpointRowsMax: 64,
  checkpointBytesMax: 256 * 1024,
  readsMax: 1024,
  readBytesMax: 1024 * 1024,
  readAttemptsMax: 16,
  ringSlots: 16,
  ringIdleUs: 50_000,
  retrySpaceUs: 1_000_000,
};

/** Fills in the defaults; numbers that cannot work together are a bug of the caller. */
export function walOptions(given: Partial<WalOptions> = {}): WalOptions {
  const options: WalOptions = { ...walDefaults, ...given };
  const wrong = checkWalOptions(options);
  assert(wrong.length === 0, "the log's sizes and limits can work together", { wrong });
  return options;
}

/** What is wrong with them, in words; empty when nothing is. */
export function checkWalOptions(options: WalOptions): string[] {
  const { segmentBytes, batchBytesMax, segmentsMin, ringSlots } = options;
  const wrong = wrongNumbers(options);
  if (segmentBytes % sectorBytes !== 0)
    wrong.push(`segmentBytes is no whole number of sectors of ${sectorBytes} bytes`);
  if (segmentBytes < 16 * sectorBytes || segmentBytes > segmentBytesMax)
    wrong.push("segmentBytes is not between 8 KiB and 1 GiB");
  if (batchBytesMax * 2 > segmentBytes) wrong.push("batchBytesMax is above half a segment");
  if (segmentsMin < 2) wrong.push("segmentsMin is below 2");
  if (ringSlots < 2) wrong.push("ringSlots is below 2");
  return wrong;
}

const segmentBytesMax = 0x4000_0000;
