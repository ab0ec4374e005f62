/** Ids of data keys as they stand in records: 16 bytes. */
import type { ByteReader, ByteWriter } from "../bytes.js";
import { bytesOfHex, hexOf } from "../hsm/hex.js";
import type { DataKeyId } from "../ports/aead.js";

const idBytes = 16;

export function putDataKeyId(writer: ByteWriter, id: DataKeyId): void {
  writer.bytes(bytesOfHex(id)!);
}

export function takeDataKeyId(reader: ByteReader): DataKeyId {
  return dataKeyId(reader.bytes(idBytes));
}

/** Of 16 bytes. */
export function dataKeyId(bytes: Uint8Array): DataKeyId {
  return hexOf(bytes) as DataKeyId;
}
