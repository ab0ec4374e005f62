/**
 * A replica that lost synced entries has acknowledged what it no longer has. It neither votes, nor
 * campaigns, nor counts in a quorum until a leader has refilled its log: to where it had reached, or
 * to an entry of a term later than any that it had lost.
 */
import { type RaftCore, emit, openPersist } from "./core.js";
import { termAt } from "./log.js";

export function checkRepair(core: RaftCore): void {
  const { state } = core;
  if (state.damagedThrough === 0) return;
  const proven = Math.min(state.verified, state.durable);
  const refilled = proven >= state.damagedThrough;
  const newer = termAt(state.log, proven) === state.term && state.term > state.damagedTerm;
  if (!refilled && !newer) return;
  core.marks.hit("repairedByLeader");
  // A log that reaches as far again says so on disk by itself.
  if (!refilled) openPersist(core).repaired = true;
  state.damagedThrough = 0;
  emit(core, { name: "repaired" });
}
