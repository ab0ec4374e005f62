/** The first input: what the disk still held. */
import type { RecoveredReplica } from "../consensus.js";
import { entryType } from "../entry.js";
import type { ReplicaId } from "../ids.js";
import { assert } from "../assert.js";
import { decodeConfiguration } from "./configuration-codec.js";
import { emptyConfiguration, isJoint } from "./configuration.js";
import type { RaftCore } from "./core.js";
import { emptyLog, lastIndex, pushEntry } from "./log.js";
import {
  pruneConfigurations,
  snapshotConfiguration,
  useNewestConfiguration,
} from "./log-writes.js";
import { restartElectionTimer } from "./roles.js";

export function onRecovered(core: RaftCore, recovered: RecoveredReplica): void {
  const { state, options, now } = core;
  const { hardState, snapshot } = recovered;
  assert(!state.started, "a replica recovers once");
  state.started = true;
  state.term = hardState.term;
  state.vote = hardState.vote as ReplicaId;
  state.snapshot = snapshot;
  const base = snapshot?.index ?? 0;
  state.log = emptyLog(base, snapshot?.term ?? 0);
  const configuration = (snapshot && snapshotConfiguration(snapshot)) ?? emptyConfiguration;
  state.configurations = [{ index: base, configuration }];
  readEntries(core, recovered);
  const last = lastIndex(state.log);
  state.durable = last;
  state.applied = base;
  // A hint: it may lag, and after damage it may point beyond what is left.
  state.commit = Math.max(base, Math.min(hardState.commit, last));
  state.commitSaved = state.commit;
  state.takenAt = base;
  state.damagedThrough = recovered.damagedThrough;
  state.damagedTerm = hardState.term;
  pruneConfigurations(state);
  useNewestConfiguration(state);
  if (recovered.damagedThrough > 0) core.marks.hit("recoveredDamaged");
  if (isJoint(state.configuration)) core.marks.hit("recoveredInJoint");
  // A promise to a leader may have been given just before the crash. Nobody has one in term 0.
  if (options.leaseReads && state.term > 0)
    state.promisedUntilUs = now + options.electionTimeoutMinUs;
  // Who has slept through an unknown time waits for its turn to be woken: not all groups at once.
  if (options.sleepAfterUs > 0) state.asleep = true;
  else restartElectionTimer(core);
}

function readEntries({ state }: RaftCore, { entries }: RecoveredReplica): void {
  for (const entry of entries) {
    assert(entry.index === lastIndex(state.log) + 1, "a recovered log is contiguous", {
      index: entry.index,
    });
    pushEntry(state.log, entry);
    if (entry.type !== entryType.configuration) continue;
    const decoded = decodeConfiguration(entry.payload);
    assert("ok" in decoded, "a recovered configuration can be read", { index: entry.index });
    state.configurations.push({ index: entry.index, configuration: decoded.ok });
  }
}
