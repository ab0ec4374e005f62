/**
 * A replica that sleeps as a few hundred bytes: only what cannot be otherwise while it does is left
 * out. Bytes that are made here are read here, in the same start of the node: nothing of them is
 * ever on disk or on the wire.
 *
 * Numbers are base 128, low digits first; what repeats is counted.
 */
import { assert } from "../assert.js";
import { type ByteReader, type ByteWriter, equalBytes } from "../bytes.js";
import type { Entry, EntryType, SnapshotMeta } from "../entry.js";
import type { Index, NodeId, ReplicaId, Term } from "../ids.js";
import type { Member } from "./configuration.js";
import { encodeConfiguration } from "./configuration-codec.js";
import { type LogState, entryBytes, lastIndex } from "./log.js";
import { useNewestConfiguration } from "./log-writes.js";
import { type Peer, newPeer } from "./progress.js";
import { type ConfigurationAt, type RaftIdentity, type RaftState, initialState } from "./state.js";

/** True when nothing is under way that a row has no place for. */
export function fitsRow(state: RaftState): boolean {
  return (
    state.asleep &&
    state.started &&
    !state.removed &&
    state.wakeAtUs === Infinity &&
    state.electionDeadlineUs === Infinity &&
    state.retryAtUs === Infinity &&
    state.writes.length === 0 &&
    state.unwrittenFrom === 0 &&
    state.noSpaceToken === 0 &&
    state.receiving === null &&
    state.applyingTo === 0 &&
    state.applyRead === 0 &&
    state.takeRequest === 0 &&
    state.compactTo === 0 &&
    state.unknownTypeAt === 0 &&
    state.damagedThrough === 0 &&
    hasNoRequests(state) &&
    state.peers.every(isQuiet)
  );
}

function hasNoRequests(state: RaftState): boolean {
  return (
    state.electionRequest === 0 &&
    state.granted.length + state.refused.length === 0 &&
    state.proposals.length === 0 &&
    state.proposalsHead === 0 &&
    state.reads.length === 0 &&
    state.changeRequest === 0 &&
    state.transfer === null &&
    state.handedOver === null &&
    state.askedUs === 0 &&
    state.forwardRequest === 0 &&
    state.forwarded.length + state.forwardWaiting.length === 0
  );
}

function isQuiet({ inflight, heartbeats, sending, damaged, readRequest, ...peer }: Peer): boolean {
  const { lastSentUs, lastHeardUs, ackedSentUs } = peer.liveness;
  return (
    inflight.length + heartbeats.length + peer.inflightHead + peer.inflightBytes === 0 &&
    sending === null &&
    !damaged &&
    readRequest === 0 &&
    peer.leftUs === Infinity &&
    peer.mode !== "snapshot" &&
    lastSentUs + lastHeardUs + ackedSentUs === 0
  );
}

/** What `fitsRow` holds for. Group, incarnation and replica are the row's key, and not in it. */
export function writeRow(writer: ByteWriter, state: RaftState): void {
  writer.u8(flagsOf(state));
  for (const word of state.random) writer.u32(word);
  for (const name of counters) writeCount(writer, state[name]);
  writeCount(writer, state.vote);
  writeCount(writer, state.leader);
  writeCount(writer, state.leaderNode ?? 0);
  writeLog(writer, state.log);
  writeConfigurations(writer, state.configurations);
  if (state.snapshot !== null) writeSnapshot(writer, state.snapshot, state.configurations[0]!);
  if (state.role !== "leader") return;
  for (const name of leaderCounters) writeCount(writer, state[name]);
  writeCount(writer, state.peers.length);
  for (const peer of state.peers) writePeer(writer, peer);
}

export function readRow(
  reader: ByteReader,
  identity: RaftIdentity,
  seed: readonly [number, number, number, number],
): RaftState {
  const state = initialState(identity, seed);
  const flags = reader.u8();
  state.started = true;
  state.asleep = true;
  state.role = (flags & flag.leads) !== 0 ? "leader" : "follower";
  state.leaseRevoked = (flags & flag.leaseRevoked) !== 0;
  state.snapshotFailed = (flags & flag.snapshotFailed) !== 0;
  const mayLead = (flags & flag.mayLead) !== 0;
  state.permissions = { mayLead, mayApply: (flags & flag.mayApply) !== 0 };
  for (let at = 0; at < 4; at++) state.random[at] = reader.u32() | 0;
  for (const name of counters) (state[name] as number) = readCount(reader);
  state.vote = readCount(reader) as ReplicaId;
  state.leader = readCount(reader) as ReplicaId;
  const leaderNode = readCount(reader);
  state.leaderNode = leaderNode === 0 ? null : (leaderNode as NodeId);
  state.log = readLog(reader);
  state.configurations = readConfigurations(reader);
  useNewestConfiguration(state);
  if ((flags & flag.snapshot) !== 0)
    state.snapshot = readSnapshot(reader, state.configurations[0]!);
  if (state.role === "leader") {
    for (const name of leaderCounters) (state[name] as number) = readCount(reader);
    const peers = readCount(reader);
    for (let n = 0; n < peers; n++) state.peers.push(readPeer(reader));
  }
  assert(!reader.failed, "a row that was written here can be read", { at: reader.at });
  return state;
}

const flag = {
  leads: 1,
  leaseRevoked: 2,
  snapshotFailed: 4,
  mayLead: 8,
  mayApply: 16,
  snapshot: 32,
};

function flagsOf({ role, leaseRevoked, snapshotFailed, permissions, snapshot }: RaftState): number {
  return (
    (role === "leader" ? flag.leads : 0) |
    (leaseRevoked ? flag.leaseRevoked : 0) |
    (snapshotFailed ? flag.snapshotFailed : 0) |
    (permissions.mayLead ? flag.mayLead : 0) |
    (permissions.mayApply ? flag.mayApply : 0) |
    (snapshot === null ? 0 : flag.snapshot)
  );
}

const counters = [
  "term",
  "commit",
  "applied",
  "durable",
  "token",
  "durableToken",
  "hardToken",
  "commitSaved",
  "promisedUntilUs",
  "leaderBoot",
  "nextRequest",
  "nextBootRequest",
  "nextSession",
  "forwardSentUs",
  "applyReadAtUs",
  "takenAt",
  "appliedBytes",
  "damagedTerm",
  "verified",
] as const satisfies readonly (keyof RaftState)[];

const leaderCounters = [
  "termStart",
  "uncommittedBytes",
  "busyUs",
  "askedFrom",
  "passOnAtUs",
  "passedOnTo",
  "readRound",
  "readRoundSentUs",
] as const satisfies readonly (keyof RaftState)[];

function writeLog(writer: ByteWriter, log: LogState): void {
  writeCount(writer, log.base);
  writeCount(writer, log.baseTerm);
  writeCount(writer, log.terms.length);
  // Terms only rise, and few of them stand in one log.
  for (let at = 0; at < log.terms.length;) {
    const from = at;
    while (at < log.terms.length && log.terms[at] === log.terms[from]) at++;
    writeCount(writer, log.terms[from]!);
    writeCount(writer, at - from);
  }
  for (const digest of log.digests) writer.u32(digest);
  writeCount(writer, log.entries.length);
  for (const { type, keyEpoch, payload } of log.entries) {
    writer.u8(type);
    writer.u16(keyEpoch);
    writer.varbytes(payload);
  }
}

function readLog(reader: ByteReader): LogState {
  const base = readCount(reader);
  const baseTerm = readCount(reader);
  const count = readCount(reader);
  const terms: number[] = [];
  while (terms.length < count && !reader.failed) {
    const term = readCount(reader);
    for (let left = readCount(reader); left > 0; left--) terms.push(term);
  }
  const digests: number[] = [];
  for (let n = 0; n < count; n++) digests.push(reader.u32());
  const cached = readCount(reader);
  const evicted = count - cached;
  const log: LogState = { base, baseTerm, terms, digests, evicted, entries: [], cacheBytes: 0 };
  for (let at = evicted; at < count; at++) {
    const index = (base + 1 + at) as Index;
    const type = reader.u8() as EntryType;
    const keyEpoch = reader.u16();
    const payload = reader.varbytes().slice();
    const entry: Entry = { index, term: terms[at]! as Term, type, keyEpoch, payload };
    log.entries.push(entry);
    log.cacheBytes += entryBytes(entry);
  }
  return log;
}

function writeConfigurations(writer: ByteWriter, all: readonly ConfigurationAt[]): void {
  writeCount(writer, all.length);
  for (const { index, configuration } of all) {
    writeCount(writer, index);
    writer.u8(configuration.autoLeave ? 1 : 0);
    writeCount(writer, configuration.nextReplicaId);
    for (const part of parts) {
      writeCount(writer, configuration[part].length);
      for (const { replica, node, disk } of configuration[part]) {
        writeCount(writer, replica);
        writeCount(writer, node);
        writeCount(writer, disk);
      }
    }
  }
}

const parts = ["voters", "outgoing", "learners", "learnersNext"] as const;

function readConfigurations(reader: ByteReader): ConfigurationAt[] {
  const count = readCount(reader);
  const all: ConfigurationAt[] = [];
  for (let n = 0; n < count; n++) {
    const index = readCount(reader);
    const autoLeave = reader.flag();
    const nextReplicaId = readCount(reader) as ReplicaId;
    const [voters, outgoing, learners, learnersNext] = parts.map(() => readMembers(reader)) as [
      Member[],
      Member[],
      Member[],
      Member[],
    ];
    const lists = { voters, outgoing, learners, learnersNext };
    all.push({ index, configuration: { ...lists, autoLeave, nextReplicaId } });
  }
  return all;
}

function readMembers(reader: ByteReader): Member[] {
  const count = readCount(reader);
  const list: Member[] = [];
  for (let n = 0; n < count && !reader.failed; n++) {
    const replica = readCount(reader) as ReplicaId;
    const node = readCount(reader) as NodeId;
    list.push({ replica, node, disk: readCount(reader) });
  }
  return list;
}

/** The snapshot's configuration is nearly always the one that the log begins with. */
function writeSnapshot(writer: ByteWriter, meta: SnapshotMeta, first: ConfigurationAt): void {
  writeCount(writer, meta.index);
  writeCount(writer, meta.term);
  writeCount(writer, meta.sizeBytes);
  writer.u32(meta.checksum);
  const known = first.configuration.voters.length > 0;
  const alike = known && equalBytes(meta.configuration, encodeConfiguration(first.configuration));
  writer.u8(alike ? 1 : 0);
  if (!alike) writer.varbytes(meta.configuration);
}

function readSnapshot(reader: ByteReader, first: ConfigurationAt): SnapshotMeta {
  const index = readCount(reader) as Index;
  const term = readCount(reader) as Term;
  const sizeBytes = readCount(reader);
  const checksum = reader.u32();
  const configuration = reader.flag()
    ? encodeConfiguration(first.configuration)
    : reader.varbytes().slice();
  return { index, term, configuration, sizeBytes, checksum };
}

const peerCounters = [
  "match",
  "next",
  "ackedRequest",
  "refusedSnapshot",
  "boot",
  "snapshotWaitUs",
  "snapshotAtUs",
] as const satisfies readonly (keyof Peer)[];

function writePeer(writer: ByteWriter, peer: Peer): void {
  writeCount(writer, peer.replica);
  writeCount(writer, peer.node);
  writeCount(writer, peer.session);
  writer.u8((peer.mode === "probe" ? 1 : 0) | (peer.probeEmpty ? 2 : 0) | (peer.asleep ? 4 : 0));
  for (const name of peerCounters) writeCount(writer, peer[name]);
}

function readPeer(reader: ByteReader): Peer {
  const replica = readCount(reader) as ReplicaId;
  const node = readCount(reader) as NodeId;
  const peer = newPeer({ replica, node }, readCount(reader), 0, 0);
  const flags = reader.u8();
  peer.mode = (flags & 1) !== 0 ? "probe" : "replicate";
  peer.probeEmpty = (flags & 2) !== 0;
  peer.asleep = (flags & 4) !== 0;
  for (const name of peerCounters) peer[name] = readCount(reader);
  return peer;
}

/** How much a row of this state takes, about: what is to be small is not written to find out. */
export function rowBytesOf({ log, snapshot, appliedBytes }: RaftState): number {
  const ofLog = 4 * (lastIndex(log) - log.base) + log.cacheBytes;
  return ofLog + (snapshot?.sizeBytes ?? 0) + appliedBytes;
}

function writeCount(writer: ByteWriter, count: number): void {
  assert(Number.isSafeInteger(count) && count >= 0, "a row holds whole numbers", { count });
  let left = count;
  while (left >= 128) {
    writer.u8((left % 128) | 128);
    left = Math.floor(left / 128);
  }
  writer.u8(left);
}

function readCount(reader: ByteReader): number {
  let count = 0;
  for (let unit = 1; !reader.failed; unit *= 128) {
    const digit = reader.u8();
    count += (digit & 127) * unit;
    if (digit < 128) break;
  }
  return count;
}
