/** What clients propose: refused at once, or answered when it is committed or its leader gone. */
import type { RefusalReason } from "../consensus.js";
import { type EntryType, entryType, entryTypeMax } from "../entry.js";
import type { RequestId } from "../ids.js";
import { type RaftCore, refuse, writesFull } from "./core.js";
import { appendOwn, isSealed } from "./log-writes.js";
import { mayLead } from "./roles.js";
import { passOn } from "./transfer.js";

export function onPropose(
  core: RaftCore,
  request: RequestId,
  type: EntryType,
  payload: Uint8Array,
): void {
  const { state } = core;
  const reason = refusalOf(core, type, payload.length);
  if (reason !== null) {
    refuse(core, request, reason);
    if (reason === "noSpace") passOn(core);
    return;
  }
  state.proposals.push(appendOwn(core, type, payload), request);
}

function refusalOf(core: RaftCore, type: EntryType, bytes: number): RefusalReason | null {
  const { state, options } = core;
  if (state.role !== "leader") return whyNotLeader(core);
  // Configurations are appended by `change` alone, which knows what may follow what.
  if (type === entryType.configuration || type > entryTypeMax) return "badChange";
  if (bytes > options.entryBytesMax) return "tooLarge";
  const reason = whyNoGrowth(core) ?? whyNotSealed(core, type);
  if (reason !== null) return reason;
  const pending = (state.proposals.length - state.proposalsHead) / 2;
  if (pending >= options.pendingProposalsMax) return "overloaded";
  // The first always fits, else a limit below one entry would refuse for ever.
  const over = state.uncommittedBytes + bytes > options.uncommittedBytesMax;
  return over && state.uncommittedBytes > 0 ? "overloaded" : null;
}

function whyNotSealed({ state, sealer }: RaftCore, type: EntryType): RefusalReason | null {
  return isSealed(type) ? sealer.refusal(state.applied >= state.termStart) : null;
}

export function whyNotLeader({ state }: RaftCore): RefusalReason {
  if (state.removed) return "removed";
  return state.damagedThrough > 0 ? "damaged" : "notLeader";
}

/** Why a leader's log takes nothing new from outside; null when it does. */
export function whyNoGrowth(core: RaftCore): RefusalReason | null {
  const { state, options } = core;
  if (state.transfer !== null) return "transferring";
  if (!mayLead(state)) return "notReady";
  if (state.noSpaceToken > 0) return "noSpace";
  if (writesFull(core)) return "overloaded";
  if (state.log.terms.length < options.logEntriesMax) return null;
  // What cannot be compacted for want of a snapshot will not be soon.
  return state.snapshotFailed ? "noSpace" : "overloaded";
}
