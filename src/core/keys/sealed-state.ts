/**
 * The state in a snapshot of a group with keys: what is known of the keys in clear, then the state in
 * numbered chunks, sealed one by one, with a mark on the last.
 */
import { ByteReader, ByteWriter } from "../bytes.js";
import { GroupKeys } from "./group-keys.js";
import type { ChunkHeader, GroupSealer } from "./sealing.js";

/** Of a chunk before it is sealed. */
export const chunkBytes = 65_536;

const formatVersion = 1;

/** What a snapshot is of, and its own id: node, boot and a count, never used twice. */
export interface SealedStateHeader {
  readonly index: number;
  readonly term: number;
  readonly id: readonly [number, number, number];
}

/** What can be read without a key. */
export interface ClosedState {
  readonly keys: GroupKeys;
  /** 0: it is in clear, for the group had no key yet. */
  readonly keyEpoch: number;
  readonly id: readonly [number, number, number];
  readonly chunks: readonly Uint8Array[];
}

/** Under the epoch in force, of which the key is held; in clear while there is none. */
export function sealState(
  sealer: GroupSealer,
  { index, term, id }: SealedStateHeader,
  state: Uint8Array,
): Uint8Array {
  const { keys } = sealer;
  const writer = new ByteWriter(state.length + 256);
  writer.u8(formatVersion);
  keys.write(writer);
  writer.u16(keys.epoch);
  for (const part of id) writer.u53(part);
  const count = Math.max(1, Math.ceil(state.length / chunkBytes));
  writer.u32(count);
  for (let number = 0; number < count; number++) {
    const chunk = state.subarray(number * chunkBytes, (number + 1) * chunkBytes);
    const last = number === count - 1;
    const header: ChunkHeader = { index, term, keyEpoch: keys.epoch, id, number, last };
    writer.varbytes(keys.epoch === 0 ? chunk : sealer.sealChunk(header, chunk));
  }
  return writer.finish();
}

/** Null: the bytes are no such state. */
export function readClosedState(bytes: Uint8Array): ClosedState | null {
  const reader = new ByteReader(bytes);
  const keys = new GroupKeys();
  if (reader.u8() !== formatVersion || !keys.read(reader)) return null;
  const keyEpoch = reader.u16();
  const id = [reader.u53(), reader.u53(), reader.u53()] as const;
  const count = reader.u32();
  const chunks: Uint8Array[] = [];
  for (let n = 0; n < count && !reader.failed; n++) chunks.push(reader.varbytes());
  // Of a group that has a key nobody makes one in clear.
  const fits = keyEpoch === keys.epoch && chunks.length > 0;
  return reader.complete && fits ? { keys, keyEpoch, id, chunks } : null;
}

/** Null: a chunk does not open under its own header. The key of its epoch is held. */
export function openState(
  sealer: GroupSealer,
  { index, term }: { readonly index: number; readonly term: number },
  { keyEpoch, id, chunks }: ClosedState,
): Uint8Array | null {
  const writer = new ByteWriter();
  for (const [number, chunk] of chunks.entries()) {
    const last = number === chunks.length - 1;
    const header: ChunkHeader = { index, term, keyEpoch, id, number, last };
    const opened = keyEpoch === 0 ? chunk : sealer.openChunk(header, chunk);
    if (opened === null) return null;
    writer.bytes(opened);
  }
  return writer.finish();
}
