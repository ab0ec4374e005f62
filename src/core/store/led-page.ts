/** Which groups a node leads, a page at a time, as bytes. */
import { ByteReader, ByteWriter } from "../bytes.js";
import type { GroupId } from "../ids.js";
import { type Undecodable, undecodable } from "../undecodable.js";
import { formatVersion } from "./client-protocol.js";

/** Groups in one page; one with fewer is the last. */
export const ledPageMax = 4096;

export interface LedPage {
  readonly kind: "led";
  /** Ascending. */
  readonly groups: readonly GroupId[];
}

export function encodeLedPage(groups: readonly GroupId[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(formatVersion);
  writer.u32(groups.length);
  for (const group of groups) writer.u32(group);
  return writer.finish();
}

export function decodeLedPage(bytes: Uint8Array): LedPage | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const count = reader.u32();
  if (reader.failed) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  if (count > ledPageMax) return undecodable("field");
  const groups: GroupId[] = [];
  for (let at = 0; at < count; at++) groups.push(reader.u32() as GroupId);
  if (!reader.complete) return undecodable("end");
  const ascending = groups.every((group, at) => at === 0 || group > groups[at - 1]!);
  return ascending ? { kind: "led", groups } : undecodable("field");
}
