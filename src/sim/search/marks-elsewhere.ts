/**
 * Rare branches that a simulated world does not enter as long as the core is whole, or hardly ever,
 * with the reason and the test that enters them. A search does not miss them.
 */
import type { MarkName } from "../../core/marks.js";

export interface ReachedElsewhere {
  readonly why: string;
  /** Path of the test. */
  readonly test: string;
}

const moved = "no scenario moves slots from group to group";
const store = "test/core/store/replicated-store.test.ts";
const moving = "test/core/store/moving-slots.test.ts";
const unmapped = "no scenario has a map, and so none has clients that route by it";
const client = "test/core/client/hostile.test.ts";

export const marksElsewhere: Partial<Readonly<Record<MarkName, ReachedElsewhere>>> = {
  foreignMessageDropped: {
    why: "a node hands a replica only what is addressed to it",
    test: "test/core/raft/election.test.ts",
  },
  tooLargeForRow: {
    why: "what simulated clients write in a group is little",
    test: "test/core/node/rows.test.ts",
  },
  staleBeatDropped: {
    why: "a process that starts anew closes the links of the one before it, with all that is under way",
    test: "test/core/node/beats.test.ts",
  },
  ordinaryWriteRefused: {
    why: "without room a leader takes nothing on; only its blank entry may meet this, if ever",
    test: "test/core/node/batches.test.ts",
  },
  restoreWhileCampaigning: {
    why: "the last chunk must be written between a timeout and the next word of a leader",
    test: "test/core/raft/restore-role.test.ts",
  },
  applyReadFailed: {
    why: "a failing read must meet one of the few that are made in order to apply",
    test: "test/core/raft/apply.test.ts",
  },
  endedReadsDropped: {
    why: "clients wait for a read until it has ended, so that few of them wait at one node",
    test: "test/core/node/bounds.test.ts",
  },
  entryTooLarge: {
    why: "all nodes of a simulated cluster have the same limits",
    test: "test/core/node/host.test.ts",
  },
  readFollowedEntry: {
    why: "what is read back has left memory, and hardly ever moves in just that moment",
    test: "test/core/wal/space.test.ts",
  },
  segmentMissing: {
    why: "no fault takes a file away that was synced; a lost disk is lost as a whole",
    test: "test/core/wal/damage.test.ts",
  },
  ringNamedAnotherBatch: {
    why: "two synced writes to one place would have to be lost, and what stood there before come back",
    test: "test/core/wal/damage.test.ts",
  },
  snapshotChunkOutOfOrder: {
    why: "a replica asks for no chunk to be written but the next one",
    test: "test/core/wal/snapshot-files.test.ts",
  },
  sessionAnswersFull: {
    why: "a simulated client has one operation under way and lets go of older answers with it",
    test: store,
  },
  otherEpochRefused: { why: moved, test: moving },
  importCarriedSessions: { why: moved, test: moving },
  importRefused: { why: moved, test: moving },
  lifeStepRefused: { why: moved, test: moving },
  secondMoveRefused: { why: moved, test: moving },
  moveTooLarge: { why: moved, test: moving },
  pieceStagedAgain: { why: moved, test: moving },
  stagedSlotsAbandoned: { why: moved, test: moving },
  keptSlotsServedAgain: { why: moved, test: moving },
  groupRetired: { why: moved, test: moving },
  changeForOtherConfiguration: {
    why: "simulated people ask for changes of whichever configuration is in force",
    test: "test/core/node/admin.test.ts",
  },
  storeStateRefused: {
    why: "a snapshot that is not whole is refused for its checksum before the store sees it",
    test: store,
  },
  clientAnswerDropped: { why: unmapped, test: client },
  clientLateAnswerTaken: { why: unmapped, test: client },
  clientMapInstalled: { why: unmapped, test: client },
  clientMapRefused: { why: unmapped, test: client },
  clientSessionMoved: { why: unmapped, test: client },
  clientRenumbered: { why: unmapped, test: client },
  clientSessionLost: { why: unmapped, test: client },
  clientSessionFull: { why: unmapped, test: client },
  clientGroupForgotten: { why: unmapped, test: client },
  clientAttemptForgotten: { why: unmapped, test: client },
  clientHintIgnored: { why: unmapped, test: client },
  clientOperationsFull: { why: unmapped, test: client },
};
