/** Ids of data keys as they stand in records: 16 bytes. */
import type { ByteReader, ByteWriter } from "../bytes.js";
import type { DataKeyId } from "../ports/aead.js";

const idBytes = 16;

export function putDataKeyId(writer: ByteWriter, id: DataKeyId): void {
  for (let at = 0; at < idBytes; at++) {
    writer.u8(Number.parseInt(id.slice(2 * at, 2 * at + 2), 16));
  }
}

export function takeDataKeyId(reader: ByteReader): DataKeyId {
  return dataKeyId(reader.bytes(idBytes));
}

/** Of 16 bytes. */
export function dataKeyId(bytes: Uint8Array): DataKeyId {
  let id = "";
  for (const byte of bytes) id += byte.toString(16).padStart(2, "0");
  return id as DataKeyId;
}
