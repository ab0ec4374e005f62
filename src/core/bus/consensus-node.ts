/**
 * A node as part of a program of one's own: a host whose groups are proposed to, watched and asked
 * about by function calls, or over a bus by the names of topics.ts. Synchronous as all of the core: what
 * is proposed is decided in later turns of the host, and told by a callback.
 */
import { type GroupId, type RequestId, metaGroup } from "../ids.js";
import { ClusterMap } from "../map/cluster-map.js";
import type { Clients, HostParts } from "../node/host-parts.js";
import { Host } from "../node/host.js";
import type { HostObserver } from "../node/observer.js";
import type { Member } from "../raft/configuration.js";
import type { RaftView } from "../raft/view.js";
import { slotCountDefault, slotOf } from "../store/slots.js";
import { Bus, type Cancel } from "./bus.js";
import { Meters } from "./meters.js";
import { Proposer } from "./proposer.js";
import type {
  ClusterState,
  Commit,
  ConsensusEvents,
  ConsensusRequests,
  GroupMetrics,
  GroupReport,
  MemberReport,
  NodeHealth,
  ProposeOutcome,
  Proposal,
} from "./topics.js";
import { Watch, memberOf } from "./watch.js";

export type ConsensusBus = Bus<ConsensusEvents, ConsensusRequests>;

export interface ConsensusNodeParts extends Omit<HostParts, "clients" | "observer"> {
  /** Where answers to requests go that came by `host.request`; their ids are below 2^51. */
  readonly clients?: Clients;
  /** Sees the host too. */
  readonly observer?: HostObserver;
  /** One of its own unless given; a bus serves one node. */
  readonly bus?: ConsensusBus;
  /** 65,536 by default; the cluster's. */
  readonly slotCount?: number;
}

/** Callbacks of one group. */
const commitListenersMax = 64;

export class ConsensusNode {
  readonly host: Host;
  readonly bus: ConsensusBus;
  readonly #slotCount: number;
  readonly #meters = new Meters();
  readonly #proposer: Proposer;
  readonly #onCommit = new Map<GroupId, readonly ((commit: Commit) => void)[]>();
  #nonces = 0;
  #failures = 0;

  constructor(parts: ConsensusNodeParts) {
    const { node, clients, observer = null, slotCount = slotCountDefault } = parts;
    this.bus = parts.bus ?? new Bus();
    this.#slotCount = slotCount;
    this.host = new Host({
      ...parts,
      clients: { answer: (request, bytes) => this.#answered(request, bytes, clients) },
      observer: new Watch({
        meters: this.#meters,
        to: observer,
        elected: (leader) => this.bus.publish("consensus.leader.elected", leader),
        wantsCommits: (group) => this.#onCommit.has(group),
        committed: (commit) => this.#committed(commit),
        stopped: () => this.#proposer.stop(),
      }),
    });
    this.#proposer = new Proposer({
      ask: (request, bytes) => this.host.request("request", request, bytes),
      nonce: () => [node, this.host.boot, ++this.#nonces],
      slotOf: (key) => slotOf(key, this.#slotCount),
      epochOf: (group, slot) => this.#epochOf(group, slot),
      failed: () => this.#failures++,
    });
    this.bus.respond("consensus.propose", ({ done, ...proposal }) => this.propose(proposal, done));
    this.bus.respond("consensus.status", ({ group }) => this.status(group));
    this.bus.respond("consensus.health", () => this.health());
  }

  /** Callbacks that threw, those of the bus apart. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Proposes a command to the group, whose leader must live here; else it is refused as `notLeader` and
   * says who leads. `done` hears the outcome once. What is `done` was applied exactly once; what was
   * `refused` may be proposed again; of what is `unknown` nobody can tell yet.
   */
  propose(proposal: Proposal, done: (outcome: ProposeOutcome) => void): void {
    this.#proposer.propose({ ...proposal, done });
  }

  /** Tells of all that is applied here from now on. Null when the group has 64 callbacks already. */
  onCommit(group: GroupId, callback: (commit: Commit) => void): Cancel | null {
    const present = this.#onCommit.get(group) ?? [];
    if (present.length >= commitListenersMax) return null;
    const told = (commit: Commit): void => callback(commit);
    this.#onCommit.set(group, [...present, told]);
    return () => {
      const others = (this.#onCommit.get(group) ?? []).filter((each) => each !== told);
      if (others.length > 0) this.#onCommit.set(group, others);
      else this.#onCommit.delete(group);
    };
  }

  /** Whether the replica here believes that it leads: another may have taken over already. */
  isLeader(group: GroupId): boolean {
    return this.host.viewOf(group)?.role === "leader";
  }

  clusterState(): ClusterState {
    const { node, stage } = this.host.status();
    const machine = this.host.storeOf(metaGroup)?.machine;
    const state = machine instanceof ClusterMap ? machine.state : null;
    if (state === null || state.slotCount === 0) {
      return { node, stage, replicas: this.#meters.replicas, map: null };
    }
    const { version, slotCount, nodes, groups, jobs } = state;
    const map = { version, slotCount, nodes: nodes.all(), groups: groups.size, jobs: jobs.all() };
    return { node, stage, replicas: this.#meters.replicas, map };
  }

  /** Null when no replica of the group lives here. */
  status(group: GroupId): GroupReport | null {
    const view = this.host.viewOf(group);
    const metrics = this.#meters.metricsOf(group);
    return view === null || metrics === null ? null : reportOf(view, metrics);
  }

  health(): NodeHealth {
    const { node, stage, boot, reason, spaceLow, forgotten } = this.host.status();
    return {
      node,
      stage,
      boot,
      reason,
      healthy: stage === "running" && !spaceLow && !forgotten,
      spaceLow,
      forgotten,
      queues: stage === "running" ? this.host.bounds(noGroup) : [],
      replicas: this.#meters.replicas,
    };
  }

  /** Null when no replica of the group lives here. */
  metrics(group: GroupId): GroupMetrics | null {
    return this.#meters.metricsOf(group);
  }

  #answered(request: RequestId, bytes: Uint8Array, clients: Clients | undefined): void {
    if (!this.#proposer.answered(request, bytes)) clients?.answer(request, bytes);
  }

  #committed(commit: Commit): void {
    for (const callback of this.#onCommit.get(commit.group) ?? []) {
      try {
        callback(commit);
      } catch {
        this.#failures++;
      }
    }
  }

  #epochOf(group: GroupId, slot: number): number {
    const spans = this.host.storeOf(group)?.slots ?? [];
    return spans.find(({ from, to }) => slot >= from && slot < to)?.epoch ?? 0;
  }
}

function reportOf(view: RaftView, metrics: GroupMetrics): GroupReport {
  const { group, incarnation, replica, role, term, leader, commit, applied, last } = view;
  const { configuration, damaged } = view;
  const as = (role: MemberReport["role"], members: readonly Member[]): MemberReport[] =>
    members.map((member) => ({ replica: member.replica, node: member.node, role }));
  return {
    group,
    incarnation,
    replica,
    role,
    term,
    leader,
    leaderNode: memberOf(configuration, leader)?.node ?? 0,
    commit,
    applied,
    last,
    lag: commit - applied,
    members: [...as("voter", configuration.voters), ...as("learner", configuration.learners)],
    damaged,
    waitsFor: view.waitsFor(),
    metrics,
  };
}

/** No group has this number: asked for its queues, a host tells of its own. */
const noGroup = 0 as GroupId;
