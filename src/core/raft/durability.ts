/** What the host says of our persist effects. Only its word makes an entry durable. */
import { assert } from "../assert.js";
import type { Index, Token } from "../ids.js";
import { type RaftCore, openPersist, saveHardState } from "./core.js";
import { compactLog, lastIndex, sliceOf } from "./log.js";

export function onPersisted(core: RaftCore, token: Token): void {
  const { state } = core;
  if (token <= state.durableToken || token > state.token) return;
  state.durableToken = token;
  let done = 0;
  for (; done < state.writes.length && state.writes[done]!.token <= token; done++) {
    const write = state.writes[done]!;
    if (write.cut) core.marks.hit("lateTokenAfterTruncation");
    // What a truncation voided since is not in `last` any more.
    state.durable = Math.max(state.durable, write.last);
  }
  state.writes.splice(0, done);
  assert(state.durable <= lastIndex(state.log), "what is durable is in the log");
  if (state.noSpaceToken > 0 && token >= state.noSpaceToken && state.unwrittenFrom === 0) {
    state.noSpaceToken = 0;
  }
}

/**
 * No room: nothing of `token` or of later ones is on disk. The entries stay in memory, durable
 * nowhere and acknowledged to nobody, and are written again as a whole at the next try; until that
 * is durable nothing new is taken on. Term, vote, an installed snapshot and a repair are written again
 * at once, for which the host keeps room in reserve.
 */
export function onPersistFailed(core: RaftCore, token: Token): void {
  const { state, options, now } = core;
  const failed = state.writes.filter((write) => write.token >= token);
  if (token <= state.durableToken || failed.length === 0) return;
  core.marks.hit("noSpace");
  state.writes = state.writes.filter((write) => write.token < token);
  const installs = failed.some((write) => write.installed);
  // What is installed is the newest snapshot: the log on disk will begin after it, and so does ours.
  if (installs && state.snapshot!.index > state.log.base)
    compactLog(state.log, state.snapshot!.index);
  let first = state.unwrittenFrom > 0 ? state.unwrittenFrom : Infinity;
  for (const write of failed) if (write.first > 0) first = Math.min(first, write.first);
  // A snapshot that was installed meanwhile may stand for some of them, or for all.
  first = Math.max(first, state.log.base + 1);
  if (first <= lastIndex(state.log)) {
    state.unwrittenFrom = first;
    state.noSpaceToken = state.token + 1;
    state.retryAtUs = now + options.resendUs;
  }
  if (failed.some((write) => write.hard)) saveHardState(core);
  if (installs) openPersist(core).installed = state.snapshot;
  if (failed.some((write) => write.repaired)) openPersist(core).repaired = true;
}

/** From the first entry that is not on disk: whatever may lie there from before is void. */
export function retryWrites(core: RaftCore): void {
  const { state } = core;
  if (core.now < state.retryAtUs) return;
  state.retryAtUs = Infinity;
  // A snapshot may have taken their place.
  if (state.unwrittenFrom === 0) return;
  const from = state.unwrittenFrom;
  const persist = openPersist(core);
  persist.truncateFrom = from as Index;
  for (const entry of sliceOf(state.log, from, lastIndex(state.log) + 1, Infinity)) {
    persist.entries.push(entry);
  }
  state.unwrittenFrom = 0;
  state.noSpaceToken = persist.token;
}
