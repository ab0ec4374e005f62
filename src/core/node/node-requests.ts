/**
 * What one node asks of another on behalf of the steward: all that an admin may ask of a group, and
 * to make or remove a replica. Frames of their own carry it, which no client or admin may send.
 */
import { ByteReader, ByteWriter } from "../bytes.js";
import type { GroupId, Incarnation, ReplicaId } from "../ids.js";
import {
  type AdminRequest,
  decodeAdminRequest,
  encodeAdminRequest,
} from "../store/admin-protocol.js";
import { finished, formatVersion } from "../store/client-protocol.js";
import { type Undecodable, undecodable } from "../undecodable.js";

/** `found`: a member makes its replica; done once that is durable. `configuration` is encoded. */
export interface FoundRequest {
  readonly kind: "found";
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly configuration: Uint8Array;
}

/** Done once the replica is gone for good, or can never be made here any more. */
export interface EraseRequest {
  readonly kind: "erase";
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
}

export type NodeRequest = AdminRequest | FoundRequest | EraseRequest;

/** As in docs/reference/client-protocol.md. Those from 64 to 95 are an admin's. */
const nodeKind = { found: 96, erase: 97 } as const;

const writer = new ByteWriter();

export function encodeNodeRequest(request: NodeRequest): Uint8Array {
  if (request.kind !== "found" && request.kind !== "erase") return encodeAdminRequest(request);
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(nodeKind[request.kind]);
  writer.u53(request.group);
  writer.u53(request.incarnation);
  if (request.kind === "found") writer.varbytes(request.configuration);
  else writer.u53(request.replica);
  return writer.finish();
}

/** Byte arrays in the request are views of `bytes`. */
export function decodeNodeRequest(bytes: Uint8Array): NodeRequest | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = reader.u8();
  if (reader.failed) return undecodable("end");
  if (kind !== nodeKind.found && kind !== nodeKind.erase) return decodeAdminRequest(bytes);
  if (version !== formatVersion) return undecodable("version");
  const group = reader.wide32() as GroupId;
  const incarnation = reader.wide32() as Incarnation;
  return finished<NodeRequest>(
    reader,
    kind === nodeKind.found
      ? { kind: "found", group, incarnation, configuration: reader.varbytes() }
      : { kind: "erase", group, incarnation, replica: reader.u53() as ReplicaId },
  );
}
