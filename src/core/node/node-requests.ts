/**
 * What one node asks of another on behalf of the steward: all that an admin may ask of a group, to make
 * or remove a replica, which groups it leads, and what leaders ask about keys. Frames of their own
 * carry it, which no client or admin may send.
 */
import { ByteReader, ByteWriter } from "../bytes.js";
import type { GroupId, Incarnation, ReplicaId } from "../ids.js";
import { keyBytesMax } from "../keys/key-entry.js";
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

/** Which groups the node leads, from the first one above `above` on: a page, see store/led-page.ts. */
export interface LedRequest {
  readonly kind: "led";
  readonly above: number;
}

/** For the public half of the node's key-encryption key. */
export interface KekRequest {
  readonly kind: "kek";
}

/**
 * Done once nothing that is sealed under a key of the group below that epoch is left on the node. It is
 * asked about a member there, which may not have been made yet: then it is not done.
 */
export interface KeyFloorRequest {
  readonly kind: "keyFloor";
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly below: number;
}

/**
 * The public half of the asking node's key-encryption key, which is not the one that the group's keys
 * are wrapped for. Done by whoever leads the group.
 */
export interface KeyClaimRequest {
  readonly kind: "keyClaim";
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly publicKey: Uint8Array;
}

/** What a node answers for itself. */
export type OwnRequest =
  FoundRequest | EraseRequest | LedRequest | KekRequest | KeyFloorRequest | KeyClaimRequest;

export type NodeRequest = AdminRequest | OwnRequest;

/** As in docs/reference/client-protocol.md. Those from 64 to 95 are an admin's. */
export const nodeKind = {
  found: 96,
  erase: 97,
  led: 98,
  kek: 99,
  keyFloor: 100,
  keyClaim: 101,
} as const;
type NodeKind = keyof typeof nodeKind;
const kindOf = new Map<number, NodeKind>(
  Object.entries(nodeKind).map(([name, kind]) => [kind, name as NodeKind]),
);

const writer = new ByteWriter();

export function encodeNodeRequest(request: NodeRequest): Uint8Array {
  if (!isOfNodes(request)) return encodeAdminRequest(request);
  writer.reset();
  writer.u8(formatVersion);
  writer.u8(nodeKind[request.kind]);
  if (request.kind === "kek") return writer.finish();
  if (request.kind === "led") {
    writer.u53(request.above);
    return writer.finish();
  }
  writer.u53(request.group);
  writer.u53(request.incarnation);
  if (request.kind === "found") writer.varbytes(request.configuration);
  else if (request.kind === "keyClaim") writer.varbytes(request.publicKey);
  else writer.u53(request.replica);
  if (request.kind === "keyFloor") writer.u16(request.below);
  return writer.finish();
}

/** Byte arrays in the request are views of `bytes`. */
export function decodeNodeRequest(bytes: Uint8Array): NodeRequest | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const kind = kindOf.get(reader.u8());
  if (reader.failed) return undecodable("end");
  if (kind === undefined) return decodeAdminRequest(bytes);
  if (version !== formatVersion) return undecodable("version");
  if (kind === "kek") return finished<NodeRequest>(reader, { kind });
  if (kind === "led") return finished<NodeRequest>(reader, { kind, above: reader.wide32() });
  const group = reader.wide32() as GroupId;
  const incarnation = reader.wide32() as Incarnation;
  const life = { group, incarnation };
  switch (kind) {
    case "found":
      return finished<NodeRequest>(reader, { kind, ...life, configuration: reader.varbytes() });
    case "erase":
      return finished<NodeRequest>(reader, { kind, ...life, replica: reader.u53() as ReplicaId });
    case "keyFloor":
      return finished<NodeRequest>(reader, {
        kind,
        ...life,
        replica: reader.u53() as ReplicaId,
        below: reader.u16(),
      });
    case "keyClaim":
      return finished<NodeRequest>(reader, {
        kind,
        ...life,
        publicKey: reader.varbytes(keyBytesMax),
      });
  }
}

export function isOfNodes(request: NodeRequest): request is OwnRequest {
  return request.kind in nodeKind;
}
