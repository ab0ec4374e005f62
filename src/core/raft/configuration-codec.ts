/**
 * The canonical bytes of a configuration, in log entries, snapshots and digests: two configurations
 * are equal when their bytes are. Little-endian:
 *
 *     u8 version (1) · u8 flags (1: autoLeave) · u8 members · u64 nextReplicaId
 *     then for each member, ascending by replica:
 *     u8 parts (1 voter, 2 outgoing, 4 learner, 8 learnersNext) · u64 replica · u64 node · u64 disk
 *
 * Numbers from 2^53 are refused. Nothing may follow.
 */
import { assert } from "../assert.js";
import { getU53, putU53 } from "../bytes.js";
import type { NodeId, ReplicaId } from "../ids.js";
import {
  type Configuration,
  type Member,
  checkConfiguration,
  has,
  members,
  replicasMax,
} from "./configuration.js";

export type ConfigurationError =
  /** The field at `offset` is not one of this format: `end` is a wrong length of the whole. */
  | {
      readonly code: "version" | "flags" | "members" | "parts" | "number" | "order" | "end";
      readonly offset: number;
    }
  /** Well formed, but these invariants do not hold. */
  | { readonly code: "unsound"; readonly broken: readonly number[] };

export type DecodedConfiguration =
  { readonly ok: Configuration } | { readonly error: ConfigurationError };

const formatVersion = 1;
const flagAutoLeave = 1;
const headerBytes = 11;
const memberBytes = 25;
const part = { voter: 1, outgoing: 2, learner: 4, learnersNext: 8 } as const;
const partsMax = 15;

export const configurationBytesMax: number = headerBytes + memberBytes * replicasMax;

/** `config` must be sound; the empty configuration is not. */
export function encodeConfiguration(config: Configuration): Uint8Array {
  const broken = checkConfiguration(config);
  assert(broken.length === 0, "a configuration that is written is sound", { broken });
  const all = members(config);
  const bytes = new Uint8Array(headerBytes + memberBytes * all.length);
  bytes[0] = formatVersion;
  bytes[1] = config.autoLeave ? flagAutoLeave : 0;
  bytes[2] = all.length;
  putU53(bytes, 3, config.nextReplicaId);
  let offset = headerBytes;
  for (const member of all) {
    bytes[offset] = partsOf(config, member.replica);
    putU53(bytes, offset + 1, member.replica);
    putU53(bytes, offset + 9, member.node);
    putU53(bytes, offset + 17, member.disk);
    offset += memberBytes;
  }
  return bytes;
}

/** Any bytes give a sound configuration or a typed error. */
export function decodeConfiguration(bytes: Uint8Array): DecodedConfiguration {
  if (bytes.length < headerBytes) return malformed("end", bytes.length);
  if (bytes[0] !== formatVersion) return malformed("version", 0);
  if (bytes[1]! > flagAutoLeave) return malformed("flags", 1);
  const count = bytes[2]!;
  if (count > replicasMax) return malformed("members", 2);
  const length = headerBytes + memberBytes * count;
  if (bytes.length !== length) return malformed("end", Math.min(bytes.length, length));
  const nextReplicaId = getU53(bytes, 3);
  if (nextReplicaId < 0) return malformed("number", 3);
  const lists: Lists = { voters: [], outgoing: [], learners: [], learnersNext: [] };
  let before = 0;
  for (let offset = headerBytes; offset < length; offset += memberBytes) {
    const member = decodeMember(bytes, offset);
    if ("error" in member) return member;
    if (member.replica <= before) return malformed("order", offset + 1);
    before = member.replica;
    const parts = bytes[offset]!;
    if (parts === 0 || parts > partsMax) return malformed("parts", offset);
    if (parts & part.voter) lists.voters.push(member);
    if (parts & part.outgoing) lists.outgoing.push(member);
    if (parts & part.learner) lists.learners.push(member);
    if (parts & part.learnersNext) lists.learnersNext.push(member);
  }
  // Field by field: to V8 an object that is spread and added to has a shape of its own each time.
  const config: Configuration = {
    voters: lists.voters,
    outgoing: lists.outgoing,
    learners: lists.learners,
    learnersNext: lists.learnersNext,
    autoLeave: bytes[1] === flagAutoLeave,
    nextReplicaId: nextReplicaId as ReplicaId,
  };
  const broken = checkConfiguration(config);
  return broken.length === 0 ? { ok: config } : { error: { code: "unsound", broken } };
}

interface Lists {
  voters: Member[];
  outgoing: Member[];
  learners: Member[];
  learnersNext: Member[];
}

function decodeMember(bytes: Uint8Array, offset: number): Member | { error: ConfigurationError } {
  const replica = getU53(bytes, offset + 1);
  if (replica < 0) return malformed("number", offset + 1);
  const node = getU53(bytes, offset + 9);
  if (node < 0) return malformed("number", offset + 9);
  const disk = getU53(bytes, offset + 17);
  if (disk < 0) return malformed("number", offset + 17);
  return { replica: replica as ReplicaId, node: node as NodeId, disk };
}

function malformed(
  code: Exclude<ConfigurationError["code"], "unsound">,
  offset: number,
): { error: ConfigurationError } {
  return { error: { code, offset } };
}

function partsOf(config: Configuration, replica: ReplicaId): number {
  return (
    (has(config.voters, replica) ? part.voter : 0) |
    (has(config.outgoing, replica) ? part.outgoing : 0) |
    (has(config.learners, replica) ? part.learner : 0) |
    (has(config.learnersNext, replica) ? part.learnersNext : 0)
  );
}
