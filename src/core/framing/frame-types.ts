/**
 * Every type of frame: its number, who may send it and how large it may be. docs/reference/frames.md
 * holds the same table for people, and a test holds the two together.
 */

/** What the certificate of a link's other end makes of it. */
export type FrameRole = "node" | "client" | "admin";

export interface FrameType {
  readonly type: number;
  readonly name: FrameName;
  readonly roles: readonly FrameRole[];
  /** Bytes of the whole frame; null for the types whose limit is the link's. */
  readonly bytesMax: number | null;
  /** May come before the link's greeting is done. */
  readonly early: boolean;
}

/** No link may allow more. */
export const frameBytesLargest = 100_000_000;
/** What a link allows unless told otherwise. */
export const frameBytesMaxDefault: number = 4 * 1024 * 1024;
/** What a link allows before the greeting. */
export const earlyFrameBytesMax: number = 64 * 1024;

/** Numbers are never given out again. 1 to 31: Raft. 32 to 47: nodes. 48 and on: clients. */
export const frameTypeOf = {
  preVote: 1,
  preVoteReply: 2,
  vote: 3,
  voteReply: 4,
  append: 5,
  appendReply: 6,
  heartbeat: 7,
  heartbeatReply: 8,
  timeoutNow: 9,
  readIndex: 10,
  readIndexReply: 11,
  snapshotChunk: 12,
  snapshotReply: 13,
  sleep: 14,
  asleep: 15,
  wake: 16,
  hello: 32,
  helloAck: 33,
  goodbye: 34,
  unknownReplica: 35,
  invite: 36,
  machine: 37,
  nodeRequest: 38,
  nodeAnswer: 39,
  beat: 40,
  request: 48,
  answer: 49,
  adminRequest: 50,
} as const;

export type FrameName = keyof typeof frameTypeOf;

/** By which type of frame a request came: only the role that may send that type can have sent it. */
export type Door = Extract<FrameName, "request" | "adminRequest">;

/** More than any frame of fixed shape takes, in either codec. */
const smallBytesMax = 1024;

/** A configuration of the most members, in either codec. */
const inviteBytesMax = 4096;

const node = ["node"] as const;
const client = ["client", "admin"] as const;
const admin = ["admin"] as const;

export const frameTypes: readonly FrameType[] = [
  entry("preVote", node, smallBytesMax),
  entry("preVoteReply", node, smallBytesMax),
  entry("vote", node, smallBytesMax),
  entry("voteReply", node, smallBytesMax),
  entry("append", node, null),
  entry("appendReply", node, smallBytesMax),
  entry("heartbeat", node, smallBytesMax),
  entry("heartbeatReply", node, smallBytesMax),
  entry("timeoutNow", node, smallBytesMax),
  entry("readIndex", node, smallBytesMax),
  entry("readIndexReply", node, smallBytesMax),
  entry("snapshotChunk", node, null),
  entry("snapshotReply", node, smallBytesMax),
  entry("sleep", node, smallBytesMax),
  entry("asleep", node, smallBytesMax),
  entry("wake", node, smallBytesMax),
  { ...entry("hello", node, smallBytesMax), early: true },
  { ...entry("helloAck", node, smallBytesMax), early: true },
  { ...entry("goodbye", node, smallBytesMax), early: true },
  entry("unknownReplica", node, smallBytesMax),
  entry("invite", node, inviteBytesMax),
  entry("machine", node, null),
  entry("nodeRequest", node, null),
  entry("nodeAnswer", node, null),
  entry("beat", node, smallBytesMax),
  entry("request", client, null),
  entry("answer", node, null),
  entry("adminRequest", admin, null),
];

function entry(name: FrameName, roles: readonly FrameRole[], bytesMax: number | null): FrameType {
  return { type: frameTypeOf[name], name, roles, bytesMax, early: false };
}

const byNumber: readonly (FrameType | null)[] = Array.from(
  { length: 256 },
  (_, type) => frameTypes.find((known) => known.type === type) ?? null,
);

/** Null for a number that this version does not know. */
export function frameType(type: number): FrameType | null {
  return byNumber[type] ?? null;
}
