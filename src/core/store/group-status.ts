/** How a group stands, as its leader says; for whoever changes its members one step at a time. */
import { ByteReader, ByteWriter } from "../bytes.js";
import type { Index, ReplicaId, Term } from "../ids.js";
import { type Undecodable, undecodable } from "../undecodable.js";

export interface GroupStatus {
  readonly kind: "status";
  readonly term: Term;
  readonly leader: ReplicaId;
  /** The newest one in the leader's log; see raft/configuration-codec.ts. */
  readonly configuration: Uint8Array;
  readonly configurationIndex: Index;
  readonly commit: Index;
  readonly members: readonly MemberStatus[];
}

export interface MemberStatus {
  readonly replica: ReplicaId;
  /** Up to here its log is known to be durable and equal to the leader's. */
  readonly match: Index;
}

const formatVersion = 1;
const writer = new ByteWriter();

export function encodeGroupStatus(status: Omit<GroupStatus, "kind">): Uint8Array {
  writer.reset();
  writer.u8(formatVersion);
  writer.u53(status.term);
  writer.u53(status.leader);
  writer.varbytes(status.configuration);
  writer.u53(status.configurationIndex);
  writer.u53(status.commit);
  writer.u32(status.members.length);
  for (const { replica, match } of status.members) {
    writer.u53(replica);
    writer.u53(match);
  }
  return writer.finish();
}

/** `configuration` is a view of `bytes`. */
export function decodeGroupStatus(bytes: Uint8Array): GroupStatus | Undecodable {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const term = reader.u53() as Term;
  const leader = reader.u53() as ReplicaId;
  const configuration = reader.varbytes();
  const configurationIndex = reader.u53() as Index;
  const commit = reader.u53() as Index;
  const count = reader.u32();
  const members: MemberStatus[] = [];
  for (let n = 0; n < count && !reader.failed; n++) {
    members.push({ replica: reader.u53() as ReplicaId, match: reader.u53() as Index });
  }
  if (!reader.complete) return undecodable("end");
  if (version !== formatVersion) return undecodable("version");
  return { kind: "status", term, leader, configuration, configurationIndex, commit, members };
}
