/**
 * What an admin asks of a node: who belongs to a group, who leads it, which slots it serves, what the
 * cluster's map says. It comes
 * in a frame type of its own, which no client may send, and none of its kinds has the number of a
 * client's: what comes by the wrong door is no request there. Answers are those of a client.
 */
import { ByteReader, ByteWriter } from "../bytes.js";
import { type MemberChange, changesMax } from "../consensus.js";
import type { GroupId, Index, NodeId, ReplicaId } from "../ids.js";
import type { SlotRange } from "../state-machine.js";
import { type Undecodable, undecodable } from "../undecodable.js";
import { finished, formatVersion } from "./client-protocol.js";

export type AdminAction =
  | {
      readonly kind: "change";
      readonly changes: readonly MemberChange[];
      /** The index of the configuration that they are meant for, 0 being the founding; null: any. */
      readonly at: Index | null;
    }
  | { readonly kind: "transfer"; readonly to: ReplicaId }
  /** The payload of a groupLife entry; see group-life.ts. */
  | { readonly kind: "life"; readonly payload: Uint8Array }
  /** Answered by the leader, with a GroupStatus; see group-status.ts. */
  | { readonly kind: "status" }
  /** A change of the map, as its state machine understands it; stands in the log with who and when. */
  | { readonly kind: "map"; readonly bytes: Uint8Array }
  /** The group takes a new data key into use, and erases the older ones when it can. */
  | { readonly kind: "rotateKeys" }
  /** The group halts for good. */
  | { readonly kind: "revokeKeys" }
  /** A piece of what was released at this epoch and is kept: read as a client's read is. */
  | (SlotsQuestion & { readonly kind: "readSlots" });

export interface SlotsQuestion {
  readonly slots: SlotRange;
  readonly epoch: number;
  readonly offset: number;
  /** Of the piece; the node has a limit of its own, see slots-piece.ts. */
  readonly bytesMax: number;
}

export type AdminRequest = AdminAction & { readonly group: GroupId };

/** As in docs/reference/client-protocol.md. Those below 64 are a client's. */
export const adminKind = {
  change: 64,
  transfer: 65,
  life: 66,
  status: 67,
  map: 68,
  readSlots: 69,
  rotateKeys: 70,
  revokeKeys: 71,
} as const;
const changeOps = ["addVoter", "addLearner", "promote", "demote", "remove"] as const;

const writer = new ByteWriter();

export function encodeAdminRequest(request: AdminRequest): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(adminKind[request.kind]);
  writer.u53(request.group);
  switch (request.kind) {
    case "change":
      writer.u8(request.at === null ? 0 : 1);
      if (request.at !== null) writer.u53(request.at);
      putChanges(request.changes);
      break;
    case "transfer":
      writer.u53(request.to);
      break;
    case "life":
      writer.varbytes(request.payload);
      break;
    case "map":
      writer.varbytes(request.bytes);
      break;
    case "readSlots":
      writer.u32(request.slots.from);
      writer.u32(request.slots.to);
      writer.u53(request.epoch);
      writer.u53(request.offset);
      writer.u32(request.bytesMax);
      break;
    case "status":
    case "rotateKeys":
    case "revokeKeys":
      break;
  }
  return writer.finish();
}

/** Byte arrays in the request are views of `bytes`. */
export function decodeAdminRequest(bytes: Uint8Array): AdminRequest | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  const group = reader.wide32() as GroupId;
  if (reader.failed) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  return finished(reader, takeRequest(reader, kind, group));
}

function takeRequest(reader: ByteReader, kind: number, group: GroupId): AdminRequest | Undecodable {
  switch (kind) {
    case adminKind.change: {
      const at = reader.flag() ? (reader.u53() as Index) : null;
      const changes = takeChanges(reader);
      return changes === null ? undecodable("field") : { kind: "change", group, changes, at };
    }
    case adminKind.transfer:
      return { kind: "transfer", group, to: reader.u53() as ReplicaId };
    case adminKind.life:
      return { kind: "life", group, payload: reader.varbytes() };
    case adminKind.status:
      return { kind: "status", group };
    case adminKind.rotateKeys:
      return { kind: "rotateKeys", group };
    case adminKind.revokeKeys:
      return { kind: "revokeKeys", group };
    case adminKind.map:
      return { kind: "map", group, bytes: reader.varbytes() };
    case adminKind.readSlots: {
      const slots = { from: reader.u32(), to: reader.u32() };
      const epoch = reader.u53();
      const offset = reader.u53();
      return { kind: "readSlots", group, slots, epoch, offset, bytesMax: reader.u32() };
    }
    default:
      return undecodable("kind");
  }
}

function putChanges(changes: readonly MemberChange[]): void {
  writer.u8(changes.length);
  for (const change of changes) {
    writer.u8(changeOps.indexOf(change.op));
    if ("node" in change) {
      writer.u53(change.node);
      writer.u53(change.disk);
    } else {
      writer.u53(change.replica);
    }
  }
}

/** Null when a field holds what none may hold. */
function takeChanges(reader: ByteReader): MemberChange[] | null {
  const count = reader.u8();
  if (count > changesMax) return null;
  const changes: MemberChange[] = [];
  for (let n = 0; n < count; n++) {
    const op = changeOps[reader.u8()];
    if (op === undefined) return null;
    changes.push(
      op === "addVoter" || op === "addLearner"
        ? { op, node: reader.u53() as NodeId, disk: reader.u53() }
        : { op, replica: reader.u53() as ReplicaId },
    );
  }
  return changes;
}
