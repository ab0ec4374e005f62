/** The view of a replica: reads its state, changes nothing. */
import type { GroupId, Incarnation, Index, NodeId, ReplicaId, Term } from "../ids.js";
import { quorumOf } from "../quorum/joint.js";
import { type Configuration, isVoter, replicasMax, voterIds } from "./configuration.js";
import { configurationBytesMax } from "./configuration-codec.js";
import { type RaftCore, peerOf } from "./core.js";
import { leaseUntilUs } from "./liveness.js";
import { digestAt, lastIndex, termAt } from "./log.js";
import { heartbeatsOpenMax, inflightCount } from "./progress.js";
import { mayCampaign } from "./roles.js";
import type { Bound, RaftRole, RaftView } from "./view.js";

export function viewOf(core: RaftCore): RaftView {
  return new CoreView(core);
}

class CoreView implements RaftView {
  readonly #core: RaftCore;

  constructor(core: RaftCore) {
    this.#core = core;
  }

  get group(): GroupId {
    return this.#core.state.group;
  }
  get incarnation(): Incarnation {
    return this.#core.state.incarnation;
  }
  get replica(): ReplicaId {
    return this.#core.state.replica;
  }
  get node(): NodeId {
    return this.#core.state.node;
  }
  get term(): Term {
    return this.#core.state.term;
  }
  get vote(): ReplicaId {
    return this.#core.state.vote;
  }
  get role(): RaftRole {
    return this.#core.state.role;
  }
  get leader(): ReplicaId {
    return this.#core.state.leader;
  }
  get commit(): Index {
    return this.#core.state.commit as Index;
  }
  get applied(): Index {
    return this.#core.state.applied as Index;
  }
  get configuration(): Configuration {
    return this.#core.state.configuration;
  }
  get configurationIndex(): Index {
    return this.#core.state.configurationIndex as Index;
  }
  get first(): Index {
    return (this.#core.state.log.base + 1) as Index;
  }
  get last(): Index {
    return lastIndex(this.#core.state.log) as Index;
  }
  get durable(): Index {
    return this.#core.state.durable as Index;
  }
  get changedFrom(): number {
    return this.#core.changedFrom;
  }
  get damaged(): boolean {
    return this.#core.state.damagedThrough > 0;
  }
  get asleep(): boolean {
    return this.#core.state.asleep;
  }
  get mayCampaign(): boolean {
    return mayCampaign(this.#core);
  }
  get leaseUntilUs(): number {
    return leaseUntilUs(this.#core);
  }
  termAt(index: Index): number {
    return termAt(this.#core.state.log, index);
  }
  entryDigest(index: Index): number {
    return digestAt(this.#core.state.log, index);
  }
  waitsFor(): string {
    return waitsFor(this.#core);
  }
  bounds(): readonly Bound[] {
    return boundsOf(this.#core);
  }
}

function waitsFor(core: RaftCore): string {
  const { state, options, now } = core;
  if (state.unknownTypeAt > 0)
    return `a version that knows the type of entry ${state.unknownTypeAt}`;
  if (state.removed) return "nothing: it was removed";
  if (state.damagedThrough > 0) return `a leader to refill its log up to ${state.damagedThrough}`;
  if (state.receiving !== null)
    return `the rest of the snapshot at ${state.receiving.snapshot.index}`;
  if (state.noSpaceToken > 0) return "room on its disk";
  if (state.asleep) return "somebody to wake it";
  if (state.role === "leader") return leaderWaitsFor(core);
  if (!isVoter(state.configuration, state.replica)) {
    return state.leader === 0 ? "a leader: it has no vote itself" : followerWaitsFor(core);
  }
  if (state.role !== "follower") {
    const missing = voterIds(state.configuration).filter((id) => !state.granted.includes(id));
    return `votes in term ${state.term} of replicas ${missing.join(", ")}`;
  }
  if (state.leader !== 0 && now < state.electionDeadlineUs) return followerWaitsFor(core);
  return `a leader, or its election timeout of at most ${options.electionTimeoutMaxUs} us`;
}

function followerWaitsFor({ state }: RaftCore): string {
  if (state.durable < lastIndex(state.log)) return "its disk";
  if (!state.permissions.mayApply) return "permission to apply";
  if (state.applied < state.commit) return "its state machine";
  return `its leader ${state.leader}`;
}

function leaderWaitsFor({ state }: RaftCore): string {
  const last = lastIndex(state.log);
  const holds = (replica: ReplicaId): boolean =>
    replica === state.replica
      ? state.durable >= last
      : (peerOf(state, replica)?.match ?? 0) >= last;
  if (state.commit < last && !quorumOf(state.configuration, holds)) {
    const behind = voterIds(state.configuration).filter((replica) => !holds(replica));
    return `entries up to ${last} to be durable on replicas ${behind.join(", ")}`;
  }
  if (!state.permissions.mayApply) return "permission to apply";
  if (state.applied < state.commit) return "its state machine";
  if (state.reads.length > 0) return "a quorum to confirm that it leads";
  return "nothing";
}

function boundsOf({ state, options }: RaftCore): readonly Bound[] {
  const forwards = state.forwarded.length + state.forwardWaiting.length;
  const bounds: Bound[] = [
    { name: "log entries", size: state.log.terms.length, limit: 2 * options.logEntriesMax },
    { name: "writes", size: state.writes.length, limit: 2 * options.pendingWritesMax },
    { name: "reads", size: state.reads.length, limit: options.pendingReadsMax },
    { name: "forwarded reads", size: forwards, limit: options.pendingReadsMax },
    { name: "votes", size: state.granted.length + state.refused.length, limit: 2 * replicasMax },
    { name: "peers", size: state.peers.length, limit: 2 * replicasMax },
    {
      name: "proposals",
      size: (state.proposals.length - state.proposalsHead) / 2,
      // A change of membership is let in beside them.
      limit: options.pendingProposalsMax + 2,
    },
    {
      name: "uncommitted bytes",
      size: state.uncommittedBytes,
      // The last one may go beyond, and what the replica appends by itself is not refused.
      limit: options.uncommittedBytesMax + options.entryBytesMax + 4 * configurationBytesMax,
    },
  ];
  for (const peer of state.peers) {
    bounds.push({
      name: "appends in flight",
      size: inflightCount(peer),
      limit: options.inflightMessagesMax,
    });
    bounds.push({
      name: "heartbeats open",
      size: peer.heartbeats.length / 2,
      limit: heartbeatsOpenMax,
    });
  }
  return bounds;
}
