/** Committed entries go to the state machine in order, one batch at a time. */
import { type Entry, entryTypeMax } from "../entry.js";
import type { Index, RequestId } from "../ids.js";
import { type RaftCore, emit, nextRequest } from "./core.js";
import { cachedFrom, entryBytes, evictLog, sliceOf } from "./log.js";
import { pruneConfigurations } from "./log-writes.js";
import type { RaftState } from "./state.js";

/** At the end of a step. Only what is durable here: a snapshot of our own may not run ahead of its log. */
export function applyCommitted(core: RaftCore): void {
  const { state, options } = core;
  const through = Math.min(state.commit, state.durable);
  if (state.applied >= through || state.applyingTo !== 0 || state.applyRead !== 0) return;
  if (!state.permissions.mayApply || state.unknownTypeAt !== 0) return;
  if (state.receiving !== null && state.receiving.whole) return;
  const from = state.applied + 1;
  const inMemory = cachedFrom(state.log);
  if (from >= inMemory) {
    hand(core, sliceOf(state.log, from, through + 1, options.applyBatchBytesMax));
    return;
  }
  if (core.now < state.applyReadAtUs) return;
  core.marks.hit("applyReadFromDisk");
  const request = nextRequest(state);
  state.applyRead = request;
  const range = { from: from as Index, to: Math.min(through + 1, inMemory) as Index };
  core.out.push({ kind: "readLog", request, ...range, bytesMax: options.applyBatchBytesMax });
}

/**
 * What is committed and durable is never cut and can be read back: it need not stay in memory, even
 * when the state machine is not there yet.
 */
export function trimCache({ state, options }: RaftCore): void {
  evictLog(state.log, Math.min(state.commit, state.durable), options.cacheBytesMax);
}

/** Entries that were read to be applied; false when nobody waits for `request`. */
export function onApplyLogRead(
  core: RaftCore,
  request: RequestId,
  entries: readonly Entry[] | null,
): boolean {
  const { state } = core;
  if (state.applyRead !== request) return false;
  state.applyRead = 0;
  if (entries === null || entries.length === 0 || !follows(state, entries)) {
    // Asked again at once, a disk that refuses would be asked without end.
    core.marks.hit("applyReadFailed");
    state.applyReadAtUs = core.now + core.options.resendUs;
  } else if (state.permissions.mayApply) {
    hand(core, entries);
  }
  return true;
}

function follows({ applied }: RaftState, entries: readonly Entry[]): boolean {
  return entries.every(({ index }, at) => index === applied + 1 + at);
}

function hand(core: RaftCore, entries: readonly Entry[]): void {
  const { state, out } = core;
  let count = 0;
  while (count < entries.length && entries[count]!.type <= entryTypeMax) {
    state.appliedBytes += entryBytes(entries[count]!);
    count++;
  }
  if (count < entries.length && count === 0) {
    // To skip what a newer version means would make replicas differ: stop here instead.
    const { index, type } = entries[0]!;
    state.unknownTypeAt = index;
    emit(core, { name: "unknownEntryType", type, index });
    return;
  }
  const known = count < entries.length ? entries.slice(0, count) : entries;
  state.applyingTo = known[count - 1]!.index;
  out.push({ kind: "apply", entries: known });
}

/** Less than was handed over: the rest was given back, and is handed over again when it may be applied. */
export function onApplied(core: RaftCore, index: Index): void {
  const { state } = core;
  if (state.applyingTo === 0) return;
  state.applied = Math.min(index, state.applyingTo);
  state.applyingTo = 0;
  pruneConfigurations(state);
}
