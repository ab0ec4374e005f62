/**
 * Check-quorum, stickiness and leases (thesis sections 4.2.3, 6.2, 6.4.1): all that time decides.
 * A leader reads the `Liveness` of each peer, never a heartbeat itself; who follows has its promise.
 */
import type { ReplicaId } from "../ids.js";
import { quorumValue } from "../quorum/joint.js";
import { type RaftCore, peerOf } from "./core.js";

/** A heard leader may count on our vote for so long, by whatever clock we have. */
export function heardLeader({ state, options, now }: RaftCore): void {
  state.promisedUntilUs = Math.max(state.promisedUntilUs, now + options.electionTimeoutMinUs);
}

/** Whether a vote for another would break what a leader may count on. */
export function isPromised({ state, now }: RaftCore, candidate: ReplicaId): boolean {
  if (state.role === "leader") return true;
  // A leader that campaigns for a later term has given up the earlier one, and its lease with it.
  if (candidate === state.leader) return false;
  return now < state.promisedUntilUs;
}

/** False when no quorum has answered within the longest election timeout: others may lead now. */
export function hasQuorum({ state, options, now }: RaftCore): boolean {
  const heardUs = quorumValue(state.configuration, (replica) =>
    replica === state.replica ? now : (peerOf(state, replica)?.liveness.lastHeardUs ?? 0),
  );
  return now < heardUs + options.electionTimeoutMaxUs;
}

/**
 * Until when nobody else can have been elected; 0 when that cannot be said. Counted from when a
 * request was *sent*: its receiver's promise began after that. Clocks may differ by the stated drift.
 */
export function leaseUntilUs({ state, options, now }: RaftCore): number {
  if (state.role !== "leader" || !options.leaseReads) return 0;
  if (state.commit < state.termStart) return 0;
  if (state.transfer !== null || state.leaseRevoked) return 0;
  const sentUs = quorumValue(state.configuration, (replica) =>
    replica === state.replica ? now : (peerOf(state, replica)?.liveness.ackedSentUs ?? 0),
  );
  if (sentUs === 0 || sentUs === Infinity) return 0;
  return sentUs + leaseLengthUs(options.electionTimeoutMinUs, options.leaseDriftMillionths);
}

function leaseLengthUs(promiseUs: number, driftMillionths: number): number {
  return promiseUs - Math.ceil((promiseUs * driftMillionths) / 1_000_000);
}
