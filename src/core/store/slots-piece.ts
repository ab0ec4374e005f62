/** A piece of the state of slots that a group released, on its way to their next owner. */
import { ByteReader, ByteWriter } from "../bytes.js";
import { type Undecodable, undecodable } from "../undecodable.js";

export interface SlotsPiece {
  readonly kind: "piece";
  /** Bytes of the whole state, and its CRC-32. */
  readonly total: number;
  readonly checksum: number;
  /** Those from the offset that was asked for; empty in the answer to the release itself. */
  readonly bytes: Uint8Array;
}

/** Bytes that one answer holds at most. */
export const pieceBytesMax: number = 1024 * 1024;

const formatVersion = 1;
const writer = new ByteWriter();

export function encodeSlotsPiece(piece: Omit<SlotsPiece, "kind">): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.u53(piece.total);
  writer.u32(piece.checksum);
  writer.varbytes(piece.bytes);
  return writer.finish();
}

/** `bytes` of the piece is a view. */
export function decodeSlotsPiece(bytes: Uint8Array): SlotsPiece | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const total = reader.u53();
  const checksum = reader.u32();
  const piece = reader.varbytes();
  if (!reader.complete) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  return piece.length > total
    ? undecodable("field")
    : { kind: "piece", total, checksum, bytes: piece };
}
