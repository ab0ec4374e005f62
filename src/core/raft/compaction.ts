/** Snapshots of our own, and what of the log they make needless (thesis section 5.1). */
import type { SnapshotMeta } from "../entry.js";
import type { Index, RequestId, Term } from "../ids.js";
import { encodeConfiguration } from "./configuration-codec.js";
import { type RaftCore, nextRequest } from "./core.js";
import { compactLog, termAt } from "./log.js";

export function maybeTakeSnapshot(core: RaftCore): void {
  const { state, options } = core;
  const enough =
    state.applied - state.takenAt >= options.snapshotEveryEntries ||
    (state.appliedBytes >= options.snapshotEveryBytes && state.applied > state.takenAt);
  if (enough) takeSnapshot(core);
}

/** A full log gives up what it keeps for others, and is compacted as far as it was applied. */
export function makeRoom(core: RaftCore): void {
  const { state, options } = core;
  if (state.log.terms.length < options.logEntriesMax) return;
  if (state.snapshot !== null && state.snapshot.index > state.log.base) compact(core, 0);
  else if (state.applied > state.log.base) takeSnapshot(core);
}

/** What is applied by now is to leave the log. */
export function onCompactNow({ state }: RaftCore): void {
  if (state.permissions.mayApply) state.compactTo = Math.max(state.compactTo, state.applied);
}

/** In every step until it is done: by the newest snapshot, or else by one that is taken for it. */
export function compactAsAsked(core: RaftCore): void {
  const { state } = core;
  if (!state.permissions.mayApply) return;
  if (state.snapshot === null || state.snapshot.index < state.compactTo) takeSnapshot(core);
  else compact(core, 0);
  if (state.log.base >= state.compactTo) state.compactTo = 0;
}

/** Between two batches: the state machine stands exactly at `applied`. False: not now. */
export function takeSnapshot(core: RaftCore): boolean {
  const { state } = core;
  const { permissions, receiving } = state;
  if (state.takeRequest !== 0 || state.applyingTo !== 0 || !permissions.mayApply) return false;
  if (receiving !== null && receiving.restoreRequest !== 0) return false;
  // The configuration of that very index, not the newest (pruned to begin with it).
  const { configuration } = state.configurations[0]!;
  if (configuration.voters.length === 0) return false;
  const request = nextRequest(state);
  state.takeRequest = request;
  state.takenAt = state.applied;
  state.appliedBytes = 0;
  core.out.push({
    kind: "takeSnapshot",
    request,
    index: state.applied as Index,
    term: termAt(state.log, state.applied) as Term,
    configuration: encodeConfiguration(configuration),
  });
  return true;
}

export function onSnapshotTaken(
  core: RaftCore,
  request: RequestId,
  snapshot: SnapshotMeta | null,
): void {
  const { state, options } = core;
  if (state.takeRequest !== request) return;
  state.takeRequest = 0;
  state.snapshotFailed = snapshot === null;
  if (snapshot === null) {
    core.marks.hit("snapshotNotTaken");
    // Asked for again at once, a disk without room would be asked without end.
    state.compactTo = 0;
    return;
  }
  // A snapshot received meanwhile may cover more. One of the same index has taken the place of the
  // other's file, and sealed anew it is another one.
  if (state.snapshot !== null && snapshot.index < state.snapshot.index) return;
  if (termAt(state.log, snapshot.index) !== snapshot.term) return;
  state.snapshot = snapshot;
  compact(core, options.trailingEntries);
  makeRoom(core);
}

/** All but `trailing` entries before the snapshot go. */
function compact({ state, out }: RaftCore, trailing: number): void {
  const through = Math.min(state.snapshot!.index - trailing, state.applied, state.durable);
  if (through <= state.log.base) return;
  compactLog(state.log, through);
  out.push({ kind: "compact", through: through as Index });
}
