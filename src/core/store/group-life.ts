/**
 * The payloads of groupLife entries: the steps in which slots move from group to group, and the end
 * of a group. The order in which they are meant is in docs/decisions/0004-cluster-map-and-jobs.md;
 * what each does, whenever it comes, is in moving-slots.ts.
 */
import { ByteReader, ByteWriter } from "../bytes.js";
import type { SlotRange } from "../state-machine.js";
import { type Undecodable, undecodable } from "../undecodable.js";
import { slotCountMax } from "./slots.js";

/** Each may be proposed again: done already at this epoch, it changes nothing and answers the same. */
export type GroupLifeEntry =
  /**
   * From here on the slots are not served; their state is kept. Answered with a SlotsPiece that has
   * no bytes, see slots-piece.ts.
   */
  | SlotsStep<"exportSlots">
  /** A piece of the state that another group keeps. Answered with how many bytes are staged, as u64. */
  | (SlotsStep<"stageSlots"> &
      Announced & {
        readonly offset: number;
        readonly bytes: Uint8Array;
      })
  /**
   * From here on the slots are served, with the state that was staged. With a total of 0 they come
   * from nobody, and are empty.
   */
  | (SlotsStep<"acceptSlots"> & Announced)
  /** What is staged is dropped; what would accept the slots at this epoch or below is refused. */
  | SlotsStep<"abandonSlots">
  /** What was released at `epoch`, or was to be, is served again at `next`, which is above it. */
  | (SlotsStep<"keepSlots"> & { readonly next: number })
  /** What was released at this epoch, and kept, is dropped. */
  | SlotsStep<"dropSlots">
  /** The group has no slots any more, and will never do anything again. */
  | { readonly kind: "retire" };

interface SlotsStep<Kind extends string> {
  readonly kind: Kind;
  readonly slots: SlotRange;
  readonly epoch: number;
}

interface Announced {
  /** Bytes of the whole state, and its CRC-32. */
  readonly total: number;
  readonly checksum: number;
}

const formatVersion = 1;
/** As in docs/reference/client-protocol.md. */
export const lifeOp = {
  exportSlots: 1,
  dropSlots: 2,
  stageSlots: 3,
  acceptSlots: 4,
  abandonSlots: 5,
  keepSlots: 6,
  retire: 7,
} as const;

const writer = new ByteWriter();

export function encodeGroupLifeEntry(entry: GroupLifeEntry): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(lifeOp[entry.kind]);
  if (entry.kind === "retire") return writer.finish();
  writer.u32(entry.slots.from);
  writer.u32(entry.slots.to);
  writer.u53(entry.epoch);
  if (entry.kind === "keepSlots") writer.u53(entry.next);
  if (entry.kind === "stageSlots" || entry.kind === "acceptSlots") {
    writer.u53(entry.total);
    writer.u32(entry.checksum);
  }
  if (entry.kind === "stageSlots") {
    writer.u53(entry.offset);
    writer.varbytes(entry.bytes);
  }
  return writer.finish();
}

/** The bytes of a piece are a view of `bytes`. */
export function decodeGroupLifeEntry(bytes: Uint8Array): GroupLifeEntry | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const op = reader.u8();
  if (reader.failed) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  const entry: GroupLifeEntry | Undecodable =
    op === lifeOp.retire ? { kind: "retire" } : takeSlotsStep(reader, op);
  if (reader.failed) return undecodable("end");
  return entry.kind === "undecodable" || reader.complete ? entry : undecodable("end");
}

function takeSlotsStep(reader: ByteReader, op: number): GroupLifeEntry | Undecodable {
  const slots: SlotRange = { from: reader.u32(), to: reader.u32() };
  const epoch = reader.u53();
  const wrong = slots.from >= slots.to || slots.to > slotCountMax;
  if (!reader.failed && wrong) return undecodable("field");
  switch (op) {
    case lifeOp.exportSlots:
      return { kind: "exportSlots", slots, epoch };
    case lifeOp.dropSlots:
      return { kind: "dropSlots", slots, epoch };
    case lifeOp.abandonSlots:
      return { kind: "abandonSlots", slots, epoch };
    case lifeOp.keepSlots: {
      const next = reader.u53();
      return next > epoch ? { kind: "keepSlots", slots, epoch, next } : undecodable("field");
    }
    case lifeOp.acceptSlots: {
      const { total, checksum } = takeAnnounced(reader);
      // The checksum of nothing is 0.
      if (total === 0 && checksum !== 0) return undecodable("field");
      return { kind: "acceptSlots", slots, epoch, total, checksum };
    }
    case lifeOp.stageSlots: {
      const { total, checksum } = takeAnnounced(reader);
      const offset = reader.u53();
      const bytes = reader.varbytes();
      if (bytes.length === 0 || bytes.length > total - offset) return undecodable("field");
      return { kind: "stageSlots", slots, epoch, total, checksum, offset, bytes };
    }
    default:
      return undecodable("kind");
  }
}

function takeAnnounced(reader: ByteReader): Announced {
  return { total: reader.u53(), checksum: reader.u32() };
}
