/** What a file of keys holds, once it is open: keys, and the names of keys that were deleted. */
import { ByteReader, ByteWriter } from "../../../core/bytes.js";
import type { KeyName, KeySpec } from "../../../core/hsm/keys.js";
import { isKeyId, isNamed, specProblem } from "../key-names.js";

export interface KeyRecord {
  readonly id: string;
  readonly name: KeyName;
  readonly spec: KeySpec;
  /** Wall clock, milliseconds since 1970. */
  readonly createdMs: number;
  /** Encryptions that may have been made: counted in blocks, so never too low (policy P4). */
  readonly encryptionsReserved: number;
  /** AES: the key. Else PKCS#8, DER. Secret. */
  readonly material: Uint8Array;
}

export interface Tombstone {
  readonly id: string;
  readonly name: KeyName;
  readonly deletedMs: number;
}

export interface KeyRecords {
  readonly keys: readonly KeyRecord[];
  readonly tombstones: readonly Tombstone[];
}

export const keysMax = 16_384;
export const tombstonesMax = 65_536;
/** PKCS#8 of RSA with 4,096 bits takes 2.4 KiB. */
const materialBytesMax = 8_192;
const recordBytesMax = 128;

const algorithms = ["aes", "rsa", "ec"] as const;
const purposes = ["wrap", "encrypt", "sign"] as const;

/** A writer that holds the records, secrets and all, and has never moved them: wipe what it wrote. */
export function encodeRecords({ keys, tombstones }: KeyRecords): ByteWriter {
  const materialBytes = keys.reduce((sum, { material }) => sum + material.length, 0);
  const capacity = 64 + (keys.length + tombstones.length) * recordBytesMax + materialBytes;
  const out = new ByteWriter(capacity);
  out.u32(keys.length);
  for (const { id, name, spec, createdMs, encryptionsReserved, material } of keys) {
    writeName(out, id, name);
    out.u8(algorithms.indexOf(spec.algorithm));
    out.u16(spec.bits);
    out.u8(purposes.indexOf(spec.purpose));
    out.u8(spec.exportable ? 1 : 0);
    out.u53(createdMs);
    out.u53(encryptionsReserved);
    out.varbytes(material);
  }
  out.u32(tombstones.length);
  for (const { id, name, deletedMs } of tombstones) {
    writeName(out, id, name);
    out.u53(deletedMs);
  }
  return out;
}

/** Null: not records, or such as contradict each other. Materials are copies. */
export function decodeRecords(bytes: Uint8Array): KeyRecords | null {
  const from = new ByteReader(bytes);
  const keys: KeyRecord[] = [];
  for (let left = count(from, keysMax); left > 0 && !from.failed; left--) keys.push(readKey(from));
  const tombstones: Tombstone[] = [];
  for (let left = count(from, tombstonesMax); left > 0 && !from.failed; left--) {
    tombstones.push({ ...readName(from), deletedMs: from.u53() });
  }
  const sound = from.complete && keys.every(isSound) && areDistinct([...keys, ...tombstones]);
  if (sound) return { keys, tombstones };
  for (const { material } of keys) material.fill(0);
  return null;
}

function writeName(out: ByteWriter, id: string, { label, version }: KeyName): void {
  out.bytes(Buffer.from(id, "hex"));
  out.varbytes(Buffer.from(label, "latin1"));
  out.u32(version);
}

function readName(from: ByteReader): { readonly id: string; readonly name: KeyName } {
  const id = Buffer.from(from.bytes(16)).toString("hex");
  const label = Buffer.from(from.varbytes(recordBytesMax)).toString("latin1");
  return { id, name: { label, version: from.u32() } };
}

function readKey(from: ByteReader): KeyRecord {
  const { id, name } = readName(from);
  const algorithm = algorithms[from.u8()] ?? "aes";
  const bits = from.u16();
  const spec = { algorithm, bits, purpose: purposes[from.u8()]!, exportable: from.flag() };
  const createdMs = from.u53();
  const encryptionsReserved = from.u53();
  const material = new Uint8Array(from.varbytes(materialBytesMax));
  return { id, name, spec, createdMs, encryptionsReserved, material };
}

function count(from: ByteReader, most: number): number {
  const n = from.u32();
  if (n > most) from.failed = true;
  return from.failed ? 0 : n;
}

function isSound({ id, name, spec, material }: KeyRecord): boolean {
  const named = isKeyId(id) && isNamed(name);
  return named && specProblem(spec) === null && material.length > 0;
}

/** No id and no name twice, of the living and the dead together (policy P19). */
function areDistinct(all: readonly { readonly id: string; readonly name: KeyName }[]): boolean {
  const ids = new Set(all.map(({ id }) => id));
  const names = new Set(all.map(({ name }) => `${name.label}/${name.version}`));
  return ids.size === all.length && names.size === all.length;
}
