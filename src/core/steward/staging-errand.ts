/** The state of released slots, a piece at a time: read at the old owner, committed at the new one. */
import type { GroupId } from "../ids.js";
import type { Kept, Move } from "../map/types.js";
import { encodeGroupLifeEntry } from "../store/group-life.js";
import { decodeSlotsPiece } from "../store/slots-piece.js";
import { type Errand, bytesOf, done, later, on } from "./errand.js";

/** A new steward begins anew: pieces that are there already are acknowledged. */
export function staging({ slots, epoch, from, to }: Move, kept: Kept, pieceBytes: number): Errand {
  const { total, checksum } = kept;
  let offset = 0;
  /** Read and not committed yet. */
  let piece: Uint8Array | null = null;
  return {
    next: () => {
      if (piece === null) {
        const read = { kind: "readSlots", slots, epoch, offset, bytesMax: pieceBytes } as const;
        const group = from as GroupId;
        return { to: { leaderOf: group }, request: { ...read, group } };
      }
      const entry = {
        kind: "stageSlots",
        slots,
        epoch,
        offset,
        total,
        checksum,
        bytes: piece,
      } as const;
      const payload = encodeGroupLifeEntry(entry);
      return { to: { leaderOf: to }, request: { kind: "life", group: to, payload } };
    },
    take: (answer) => {
      const bytes = bytesOf(answer);
      if (bytes === null) return later;
      if (piece !== null) {
        offset += piece.length;
        piece = null;
        return offset >= total ? done : on;
      }
      const read = decodeSlotsPiece(bytes);
      const sound = read.kind === "piece" && read.total === total && read.checksum === checksum;
      if (!sound || read.bytes.length === 0) return later;
      piece = read.bytes.slice();
      return on;
    },
  };
}
