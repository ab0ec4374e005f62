/**
 * Limits of Raft that must fit those of the log and of the link. They are compared once, when a node
 * resolves its options: what fits no batch could never be written, and what fits no frame would be
 * sent again for ever.
 */
import { assert } from "../assert.js";
import { entryPayloadBytesMax, snapshotChunkBytesMax } from "../framing/raft-encode.js";
import { type RaftOptions, raftDefaults } from "../raft/options.js";
import { entryExtraBytes } from "../wal/batch.js";

/** Of an entry's envelope, seal and record, beside what a client wrote. */
const envelopeBytesMax = 4096;

/** Fills in the defaults; limits that cannot work together are a bug of the caller. */
export function raftOptions(
  given: Partial<RaftOptions>,
  batchBytesMax: number,
  frameBytesMax: number,
): RaftOptions {
  const options = withinBatch({ ...raftDefaults, ...given }, batchBytesMax);
  const wrong = beyondFrames(options, frameBytesMax);
  assert(wrong.length === 0, "what Raft sends fits into a frame", { wrong });
  return options;
}

/** An entry that no batch of the log can hold could never be written, whoever proposed it. */
export function withinBatch(raft: RaftOptions, batchBytesMax: number): RaftOptions {
  const pieceBytesMax = batchBytesMax >> 1;
  return {
    ...raft,
    entryBytesMax: Math.min(raft.entryBytesMax, pieceBytesMax - envelopeBytesMax),
    storedEntryBytesMax: Math.min(raft.storedEntryBytesMax, pieceBytesMax - entryExtraBytes),
  };
}

/** What asks for more than a frame of `frameBytesMax` holds, in words; empty: nothing does. */
export function beyondFrames(options: RaftOptions, frameBytesMax: number): string[] {
  const { appendBytesMax, entryBytesMax, snapshotChunkBytes } = options;
  const entriesMax = entryPayloadBytesMax(frameBytesMax);
  const entryMax = entriesMax - envelopeBytesMax;
  const chunkMax = snapshotChunkBytesMax(frameBytesMax);
  const wrong: string[] = [];
  if (appendBytesMax > entriesMax)
    wrong.push(`appendBytesMax is above the ${entriesMax} bytes of entries that a frame holds`);
  if (entryBytesMax > entryMax)
    wrong.push(`entryBytesMax is above the ${entryMax} bytes of one entry that a frame holds`);
  if (snapshotChunkBytes > chunkMax)
    wrong.push(`snapshotChunkBytes is above the ${chunkMax} bytes of a chunk that a frame holds`);
  return wrong;
}
