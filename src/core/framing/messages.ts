/**
 * What travels in frames beside Raft's own messages, and for every message the fields of its body in
 * the order in which the binary codec writes them.
 */
import type { Boot, GroupId, Incarnation, NodeId, ReplicaId } from "../ids.js";
import type { RaftMessage } from "../raft/messages.js";

/** The first frame of a link, both ways: who speaks, since which start, from which disk. */
export interface Hello {
  readonly kind: "hello";
  /** The cluster's own number, given when it was made. */
  readonly cluster: number;
  readonly node: NodeId;
  readonly boot: Boot;
  readonly disk: number;
}

/** The other end's hello was accepted; the link's own limits hold from here on. */
export interface HelloAck {
  readonly kind: "helloAck";
  readonly cluster: number;
  readonly node: NodeId;
  readonly boot: Boot;
  readonly disk: number;
}

/** The sender closes the link for a reason; nothing follows. */
export interface Goodbye {
  readonly kind: "goodbye";
  readonly reason: GoodbyeReason;
}

export type GoodbyeReason =
  "stopping" | "wrongCluster" | "wrongNode" | "wrongVersion" | "duplicate";

/** Answer to a message for a replica that doesn't live here: may it be made, on this disk? */
export interface UnknownReplica {
  readonly kind: "unknownReplica";
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly disk: number;
}

/**
 * A leader or candidate allows the node to make the replica, on exactly that disk. `configuration`:
 * the group's founding one, encoded, while that is in force; it stands in no entry. Else empty.
 */
export interface Invite {
  readonly kind: "invite";
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly disk: number;
  readonly configuration: Uint8Array;
}

/** Of a user's own machine; opaque. */
export interface MachineMessage {
  readonly kind: "machine";
  readonly bytes: Uint8Array;
}

/** The sender lives: it speaks for the groups that sleep under leaders on it, whatever their number. */
export interface Beat {
  readonly kind: "beat";
  readonly boot: Boot;
}

/** A client's request as store/client-protocol.ts encodes it; the frame's id names it. */
export interface ClientRequest {
  readonly kind: "request";
  readonly bytes: Uint8Array;
}

/** An admin's, as store/admin-protocol.ts encodes it; no other role may send one. */
export interface AdminRequest {
  readonly kind: "adminRequest";
  readonly bytes: Uint8Array;
}

/** Of the steward to a node, as node/node-requests.ts encodes it; `asked` names it in the answer. */
export interface NodeRequest {
  readonly kind: "nodeRequest";
  /** Of no other request of this node, also not of its earlier starts. */
  readonly asked: number;
  readonly bytes: Uint8Array;
}

/** `to` is the `asked` of the request. */
export interface NodeAnswer {
  readonly kind: "nodeAnswer";
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** `to` is the id of the frame that carried the request, by either door. */
export interface ClientAnswer {
  readonly kind: "answer";
  readonly to: number;
  readonly bytes: Uint8Array;
}

export type NodeMessage =
  | Hello
  | HelloAck
  | Goodbye
  | UnknownReplica
  | Invite
  | MachineMessage
  | Beat
  | NodeRequest
  | NodeAnswer
  | ClientRequest
  | AdminRequest
  | ClientAnswer;

export type FramedMessage = RaftMessage | NodeMessage;

/** `u64` is below 2^53; `flag` a byte of 0 or 1; `bytes` a u32 length and so many bytes. */
export type FieldType =
  | "u64"
  | "flag"
  | "bytes"
  /** A byte: the place in `snapshotOutcomes`. */
  | "outcome"
  /** A byte: the place in `goodbyeReasons`. */
  | "reason"
  /** u32 count, then for each: u64 term, u8 type, u16 keyEpoch, u32 length, payload. */
  | "entries"
  /** u64 index, u64 term, u64 sizeBytes, u32 checksum, u32 length, configuration. */
  | "snapshot";

export type Field = readonly [name: string, type: FieldType];

export const snapshotOutcomes = ["more", "installed", "refused"] as const;

export const goodbyeReasons: readonly GoodbyeReason[] = [
  "stopping",
  "wrongCluster",
  "wrongNode",
  "wrongVersion",
  "duplicate",
];

/** Begin the body of every Raft message. Group and incarnation stand in the header. */
const envelope: readonly Field[] = [
  ["from", "u64"],
  ["to", "u64"],
  ["term", "u64"],
  ["request", "u64"],
];

const greeting: readonly Field[] = [
  ["cluster", "u64"],
  ["node", "u64"],
  ["boot", "u64"],
  ["disk", "u64"],
];

const placing: readonly Field[] = [
  ["replica", "u64"],
  ["disk", "u64"],
];

const lastEntry: readonly Field[] = [
  ["lastIndex", "u64"],
  ["lastTerm", "u64"],
];

export const messageFields: Readonly<Record<FramedMessage["kind"], readonly Field[]>> = {
  preVote: [...envelope, ...lastEntry],
  preVoteReply: [...envelope, ["granted", "flag"]],
  vote: [...envelope, ...lastEntry, ["transfer", "flag"]],
  voteReply: [...envelope, ["granted", "flag"]],
  append: [
    ...envelope,
    ["session", "u64"],
    ["prevIndex", "u64"],
    ["prevTerm", "u64"],
    ["commit", "u64"],
    ["entries", "entries"],
  ],
  appendReply: [
    ...envelope,
    ["session", "u64"],
    ["match", "u64"],
    ["hintIndex", "u64"],
    ["hintTerm", "u64"],
    ["accepted", "flag"],
    ["damaged", "flag"],
  ],
  heartbeat: [...envelope, ["session", "u64"], ["commit", "u64"]],
  heartbeatReply: [...envelope, ["session", "u64"], ["damaged", "flag"]],
  sleep: [...envelope, ["session", "u64"], ...lastEntry, ["boot", "u64"]],
  asleep: [...envelope, ["session", "u64"], ["boot", "u64"]],
  wake: envelope,
  timeoutNow: envelope,
  readIndex: envelope,
  readIndexReply: [...envelope, ["index", "u64"], ["granted", "flag"]],
  snapshotChunk: [
    ...envelope,
    ["session", "u64"],
    ["offset", "u64"],
    ["snapshot", "snapshot"],
    ["bytes", "bytes"],
  ],
  snapshotReply: [
    ...envelope,
    ["session", "u64"],
    ["snapshotIndex", "u64"],
    ["offset", "u64"],
    ["outcome", "outcome"],
  ],
  hello: greeting,
  helloAck: greeting,
  goodbye: [["reason", "reason"]],
  unknownReplica: placing,
  invite: [...placing, ["configuration", "bytes"]],
  machine: [["bytes", "bytes"]],
  beat: [["boot", "u64"]],
  nodeRequest: [
    ["asked", "u64"],
    ["bytes", "bytes"],
  ],
  nodeAnswer: [
    ["to", "u64"],
    ["bytes", "bytes"],
  ],
  request: [["bytes", "bytes"]],
  answer: [
    ["to", "u64"],
    ["bytes", "bytes"],
  ],
  adminRequest: [["bytes", "bytes"]],
};

/** True when the header names the group that the message is about. */
export function namesGroup(message: FramedMessage): message is FramedMessage & {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
} {
  return "group" in message;
}
