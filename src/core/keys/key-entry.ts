/**
 * Entries about a group's data keys. They stand in clear, for who has no key yet must read them
 * (CONTRACTS 12); what they hold of a key is wrapped for a member each.
 */
import { ByteReader, ByteWriter } from "../bytes.js";
import { type NodeId, isId } from "../ids.js";
import type { DataKeyId } from "../ports/aead.js";
import { votersMax } from "../quorum/majority.js";
import { type Undecodable, undecodable } from "../undecodable.js";
import { putDataKeyId, takeDataKeyId } from "./data-key-id.js";

export type KeyEntry =
  /** From here on new entries are sealed under this key. Who is no holder loses all its blobs. */
  | {
      readonly kind: "rotate";
      /** One above the epoch before it; the first is 1. */
      readonly epoch: number;
      readonly id: DataKeyId;
      readonly holders: readonly KeyHolder[];
      /** For the offline recovery key; empty where there is none. */
      readonly recovery: Uint8Array;
    }
  /** A node that comes into the group gets every key that is not erased. */
  | {
      readonly kind: "admit";
      readonly node: NodeId;
      readonly publicKey: Uint8Array;
      readonly blobs: readonly EpochBlob[];
    }
  /** Nothing sealed under an older key than that of `below` is left on any member's disk. */
  | { readonly kind: "erase"; readonly below: number }
  /** The group halts here for good. */
  | { readonly kind: "revoke" };

export interface KeyHolder {
  readonly node: NodeId;
  /** Of the node's key-encryption key: SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** The data key, for the private half of it. */
  readonly blob: Uint8Array;
}

export interface EpochBlob {
  readonly epoch: number;
  readonly id: DataKeyId;
  readonly blob: Uint8Array;
}

/** Members of a joint configuration with as many learners again. */
export const holdersMax: number = 4 * votersMax;
/** Keys of a group that are not erased yet: another rotation has to wait. */
export const liveEpochsMax = 16;
/** The header of records and entries has 16 bits for it. */
export const epochMax = 0xffff;
/** Of a public key, or of a blob: RSA with 4,096 bits takes half of it. */
export const keyBytesMax = 2_048;

const formatVersion = 1;
const op = { rotate: 1, admit: 2, erase: 3, revoke: 4 } as const;

const writer = new ByteWriter();

export function encodeKeyEntry(entry: KeyEntry): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(op[entry.kind]);
  switch (entry.kind) {
    case "rotate":
      writer.u16(entry.epoch);
      putDataKeyId(writer, entry.id);
      writer.u16(entry.holders.length);
      for (const { node, publicKey, blob } of entry.holders) {
        writer.u53(node);
        writer.varbytes(publicKey);
        writer.varbytes(blob);
      }
      writer.varbytes(entry.recovery);
      break;
    case "admit":
      writer.u53(entry.node);
      writer.varbytes(entry.publicKey);
      writer.u16(entry.blobs.length);
      for (const { epoch, id, blob } of entry.blobs) {
        writer.u16(epoch);
        putDataKeyId(writer, id);
        writer.varbytes(blob);
      }
      break;
    case "erase":
      writer.u16(entry.below);
      break;
    case "revoke":
      break;
  }
  return writer.finish();
}

/** Byte arrays in the entry are views of `bytes`. */
export function decodeKeyEntry(bytes: Uint8Array): KeyEntry | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  if (reader.failed) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  const entry = takeEntry(reader, kind);
  if (entry.kind === "undecodable") return entry;
  return reader.complete ? entry : undecodable("end");
}

function takeEntry(reader: ByteReader, kind: number): KeyEntry | Undecodable {
  switch (kind) {
    case op.rotate: {
      const epoch = reader.u16();
      const id = takeDataKeyId(reader);
      const holders = takeHolders(reader);
      const recovery = reader.varbytes(keyBytesMax);
      return holders === null
        ? undecodable("field")
        : { kind: "rotate", epoch, id, holders, recovery };
    }
    case op.admit: {
      const node = reader.u53() as NodeId;
      const publicKey = reader.varbytes(keyBytesMax);
      const blobs = takeBlobs(reader);
      if (blobs === null || !isId(node)) return undecodable("field");
      return { kind: "admit", node, publicKey, blobs };
    }
    case op.erase:
      return { kind: "erase", below: reader.u16() };
    case op.revoke:
      return { kind: "revoke" };
    default:
      return undecodable("kind");
  }
}

/** Null: too many, or one twice. */
function takeHolders(reader: ByteReader): KeyHolder[] | null {
  const count = reader.u16();
  if (count > holdersMax) return null;
  const holders: KeyHolder[] = [];
  const nodes = new Set<number>();
  for (let n = 0; n < count && !reader.failed; n++) {
    const node = reader.u53() as NodeId;
    holders.push({
      node,
      publicKey: reader.varbytes(keyBytesMax),
      blob: reader.varbytes(keyBytesMax),
    });
    if (!isId(node)) return null;
    nodes.add(node);
  }
  return nodes.size === holders.length ? holders : null;
}

function takeBlobs(reader: ByteReader): EpochBlob[] | null {
  const count = reader.u16();
  if (count > liveEpochsMax) return null;
  const blobs: EpochBlob[] = [];
  for (let n = 0; n < count && !reader.failed; n++) {
    blobs.push({
      epoch: reader.u16(),
      id: takeDataKeyId(reader),
      blob: reader.varbytes(keyBytesMax),
    });
  }
  return blobs;
}
