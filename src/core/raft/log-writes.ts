/** The log grows, is cut, or begins anew: memory, configuration and the step's write go together. */
import { assert } from "../assert.js";
import { type Entry, type EntryType, type SnapshotMeta, entryType } from "../entry.js";
import type { Index } from "../ids.js";
import type { Configuration } from "./configuration.js";
import { decodeConfiguration } from "./configuration-codec.js";
import { emptyConfiguration } from "./configuration.js";
import { type RaftCore, openPersist } from "./core.js";
import {
  compactLog,
  emptyLog,
  entryBytes,
  lastIndex,
  pushEntry,
  termAt,
  truncateLog,
} from "./log.js";
import type { RaftState } from "./state.js";

/** Appends an entry that follows the last one and is known to be well formed. */
export function appendEntry(core: RaftCore, entry: Entry): void {
  const { state } = core;
  const { index } = entry;
  assert(index === lastIndex(state.log) + 1, "an entry follows the last one", { index });
  pushEntry(state.log, entry);
  core.changedFrom = Math.min(core.changedFrom, index);
  // What found no room goes out again as a whole; a later entry alone would leave a hole.
  if (state.unwrittenFrom === 0) openPersist(core).entries.push(entry);
  if (entry.type === entryType.configuration) {
    const decoded = decodeConfiguration(entry.payload);
    assert("ok" in decoded, "a configuration was checked before it was appended", { index });
    state.configurations.push({ index, configuration: decoded.ok });
    useNewestConfiguration(state);
  }
}

/** A leader's own entry at the end of its log (thesis figure 3.1). Gives its index. */
export function appendOwn(core: RaftCore, type: EntryType, payload: Uint8Array): number {
  const { state, sealer } = core;
  const index = (lastIndex(state.log) + 1) as Index;
  const keyEpoch = isSealed(type) ? sealer.keyEpoch : 0;
  const header = { term: state.term, index, type, keyEpoch };
  const bytes = keyEpoch > 0 ? sealer.seal(header, payload) : payload;
  const entry: Entry = { term: state.term, index, type, keyEpoch, payload: bytes };
  appendEntry(core, entry);
  state.uncommittedBytes += entryBytes(entry);
  return index;
}

/** Key records, configurations and blanks hold no user's data, and must be read without keys. */
export function isSealed(type: EntryType): boolean {
  return type !== entryType.blank && type !== entryType.configuration && type !== entryType.key;
}

/** Cuts a suffix that conflicts with the leader's. Writes under way no longer vouch for it. */
export function cutLog(core: RaftCore, from: number): void {
  const { state } = core;
  assert(from > state.commit, "what is committed is never cut", { from, commit: state.commit });
  core.marks.hit("conflictingSuffixCut");
  truncateLog(state.log, from);
  core.changedFrom = Math.min(core.changedFrom, from);
  const persist = openPersist(core);
  assert(persist.entries.length === 0, "a step cuts before it appends");
  persist.truncateFrom = from as Index;
  voidWrites(state, from);
  const { configurations } = state;
  while (configurations.length > 1 && configurations.at(-1)!.index >= from) configurations.pop();
  useNewestConfiguration(state);
}

/** From `from` on nothing written before counts, whenever its token comes back. */
export function voidWrites(state: RaftState, from: number): void {
  state.durable = Math.min(state.durable, from - 1);
  state.verified = Math.min(state.verified, from - 1);
  for (const write of state.writes) {
    if (write.last < from) continue;
    write.last = from - 1;
    write.cut = true;
  }
}

/**
 * The log goes on after a snapshot that is durable and restored. Entries after it stay when the log
 * agrees with it there, and else all are void (thesis figure 5.3, step 6 and 7).
 */
export function installSnapshot(core: RaftCore, snapshot: SnapshotMeta): void {
  const { state } = core;
  const { index } = snapshot;
  const agrees = termAt(state.log, index) === snapshot.term;
  const configuration = snapshotConfiguration(snapshot) ?? emptyConfiguration;
  const after = agrees ? state.configurations.filter((each) => each.index > index) : [];
  state.configurations = [{ index, configuration }, ...after];
  const isWritten = state.unwrittenFrom === 0 || state.unwrittenFrom > index;
  if (agrees && isWritten) compactInPlace(core, index);
  else if (agrees) beginAfter(core, snapshot);
  else beginAnew(core, snapshot);
  useNewestConfiguration(state);
  state.snapshot = snapshot;
  state.takenAt = index;
  state.appliedBytes = 0;
  state.commit = Math.max(state.commit, index);
  state.applied = index;
}

/**
 * As with a snapshot of our own: what it covers of the log is on disk, or on its way there, and leaves the
 * log when it is durable; so the log may begin below the snapshot. What follows the snapshot may have been
 * acknowledged, or will be when a write comes to its end: written again behind it, it would be void from
 * the first part of that write on until the last.
 */
function compactInPlace({ state, out }: RaftCore, index: Index): void {
  const through = Math.min(index, state.durable) as Index;
  if (through <= state.log.base) return;
  compactLog(state.log, through);
  out.push({ kind: "compact", through });
}

/** Of what the snapshot covers the last part found no room, as all that follows: none of it is on disk. */
function beginAfter(core: RaftCore, snapshot: SnapshotMeta): void {
  const { state } = core;
  compactLog(state.log, snapshot.index);
  const isAll = snapshot.index === lastIndex(state.log);
  state.unwrittenFrom = isAll ? 0 : snapshot.index + 1;
  openPersist(core).installed = snapshot;
}

function beginAnew(core: RaftCore, snapshot: SnapshotMeta): void {
  const { state } = core;
  const { index, term } = snapshot;
  if (lastIndex(state.log) > index) core.marks.hit("snapshotOverLongerLog");
  voidWrites(state, state.log.base + 1);
  state.log = emptyLog(index, term);
  state.unwrittenFrom = 0;
  core.changedFrom = Math.min(core.changedFrom, index);
  openPersist(core).installed = snapshot;
}

/** Null when the bytes are no configuration; no bytes are the configuration of a joiner. */
export function snapshotConfiguration(snapshot: SnapshotMeta): Configuration | null {
  if (snapshot.configuration.length === 0) return emptyConfiguration;
  const decoded = decodeConfiguration(snapshot.configuration);
  return "ok" in decoded ? decoded.ok : null;
}

/** A configuration is in force from the moment it is in the log (thesis section 4.1). */
export function useNewestConfiguration(state: RaftState): void {
  const newest = state.configurations.at(-1)!;
  state.configuration = newest.configuration;
  state.configurationIndex = newest.index;
}

/** Forgets configurations that neither a truncation nor a snapshot can need again. */
export function pruneConfigurations({ configurations, applied }: RaftState): void {
  let gone = 0;
  while (gone + 1 < configurations.length && configurations[gone + 1]!.index <= applied) gone++;
  if (gone > 0) configurations.splice(0, gone);
}
