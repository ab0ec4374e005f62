/**
 * What somebody who sees all nodes at once knows of the groups: who leads, which configurations are
 * in force, which nodes hold what they should. For people, phases and the budget of faults.
 */
import { type NodeId, metaGroup } from "../core/ids.js";
import { ClusterMap } from "../core/map/cluster-map.js";
import type { MapState } from "../core/map/state.js";
import { type Configuration, type Member, memberOf, members } from "../core/raft/configuration.js";
import type { RaftView } from "../core/raft/view.js";
import type { SimProcess } from "./process.js";
import type { Recorder, Standing } from "./recorder.js";
import { standingKey } from "./standing-key.js";

/** A replica that has not shown itself so long after its node's start will not. */
const goneAfterUs = 1_000_000;

export class Survey {
  readonly #recorder: Recorder;
  readonly #processes: readonly SimProcess[];
  /** The founders of each group. */
  readonly #groups: readonly (readonly NodeId[])[];
  readonly #mapped: boolean;
  /** node -> life of its process when synced data of it was lost or damaged. */
  readonly #losses = new Map<number, number>();
  /** Declared lost by people, also those that came back. */
  readonly givenUp: Set<NodeId> = new Set();
  readonly #damaged = new Set<number>();

  constructor(
    recorder: Recorder,
    processes: readonly SimProcess[],
    groups: readonly (readonly NodeId[])[],
    mapped = false,
  ) {
    this.#mapped = mapped;
    this.#recorder = recorder;
    this.#processes = processes;
    this.#groups = groups;
  }

  /** The newest map that any living node has applied; null where there is none, or not yet. */
  map(): Readonly<MapState> | null {
    let newest: Readonly<MapState> | null = null;
    for (const { program } of this.#processes) {
      const machine = program?.storeOf(metaGroup)?.machine;
      if (!(machine instanceof ClusterMap) || machine.state.slotCount === 0) continue;
      if (newest === null || machine.state.version > newest.version) newest = machine.state;
    }
    return newest;
  }

  /** Those that should make progress: of a map that is made, its live ones. */
  groups(): number[] {
    const map = this.map();
    if (map === null) return [...this.#groups.keys()];
    return map.groups
      .all()
      .filter(({ phase }) => phase === "live")
      .map(({ group }) => group - 1);
  }

  /**
   * Voters that live on some node though the map or their group has no place for them. A learner
   * whose move was taken back may stay: it has no vote, and nobody is sure to tell it. So may what is
   * on a node that was given up: nobody asks it for anything any more.
   */
  leftOver(): RaftView[] {
    const map = this.map();
    if (this.#mapped && map === null) return [];
    return this.#processes
      .flatMap(({ program }) => program?.views() ?? [])
      .filter((view) => {
        const { node, group, incarnation, replica, configuration } = view;
        if (this.givenUp.has(node)) return false;
        if (configuration.voters.every((member) => member.replica !== replica)) return false;
        if (map !== null && map.groups.get(group)?.incarnation !== incarnation) return true;
        const leader = this.leader(group - 1);
        if (leader === null || memberOf(leader.configuration, replica) !== undefined) return false;
        return map !== null || asksAny(view, members(leader.configuration));
      });
  }

  /** Replicas of a group whose processes live, in the order of nodes. */
  live(group: number): RaftView[] {
    return this.#all(group)
      .filter((standing) => this.isLive(standing))
      .map(({ view }) => view);
  }

  isLive({ node, life }: Standing): boolean {
    const process = this.#processes[node - 1]!;
    return process.alive && process.life === life;
  }

  /** The living leader of the highest term; null when there is none. */
  leader(group: number): RaftView | null {
    let leader: RaftView | null = null;
    for (const view of this.live(group)) {
      if (view.role === "leader" && (leader === null || view.term > leader.term)) leader = view;
    }
    return leader;
  }

  /** Every configuration that some replica of the group, alive or not, holds as its newest. */
  configurations(group: number): Configuration[] {
    return this.#all(group).map(({ view }) => view.configuration);
  }

  /** The configuration of the leader, or the newest that anybody holds. */
  newest(group: number): Configuration | null {
    const leader = this.leader(group);
    if (leader !== null) return leader.configuration;
    let newest: RaftView | null = null;
    for (const { view } of this.#all(group)) {
      if (newest === null || view.configurationIndex > newest.configurationIndex) newest = view;
    }
    return newest?.configuration ?? null;
  }

  /** The node holds less than it once synced. */
  lost(node: number): void {
    this.#damaged.add(node);
    this.#losses.set(node, this.#processes[node]!.life);
  }

  /** It has a new disk, of which nothing was ever lost. */
  wiped(node: number): void {
    this.#losses.delete(node);
    this.#damaged.delete(node);
  }

  /**
   * True once something was lost of the node's present disk: it may then refuse to take on new
   * replicas, for it cannot know which ones once lived there.
   */
  isDamaged(node: number): boolean {
    return this.#damaged.has(node);
  }

  /** The living replica of this member; null when there is none. */
  replicaOf(group: number, member: Member): RaftView | null {
    return this.live(group).find(({ replica }) => replica === member.replica) ?? null;
  }

  /** True when this member's node has the disk it was added for, with nothing of it lost. */
  holds(group: number, member: Member): boolean {
    const process = this.#processes[member.node - 1];
    if (process === undefined || process.diskId !== member.disk) return false;
    const standing = this.#recorder.standings.get(standingKey(group + 1, member.node));
    return standing?.view.replica === member.replica && !this.#isImpaired(process.index);
  }

  /** True when the member's replica was here once and is not any more, though its node runs. */
  isGone(group: number, member: Member): boolean {
    const process = this.#processes[member.node - 1];
    const standing = this.#recorder.standings.get(standingKey(group + 1, member.node));
    if (process === undefined || standing?.view.replica !== member.replica) return false;
    return process.upForUs >= goneAfterUs && !this.isLive(standing);
  }

  /** True when every group keeps a majority of whole members if `node` loses something too. */
  mayLose(node: number): boolean {
    return !this.#isImpaired(node) && this.mayReplace(node);
  }

  /** The same for a node that may have lost something already. */
  mayReplace(node: number): boolean {
    if (this.#mapped) return this.#onlyLoss(node);
    // A protocol of a user's own shows no configurations: the nodes themselves are the quorum.
    if (
      this.#recorder.standings.size === 0 &&
      this.#losses.size >= (this.#processes.length - 1) >> 1
    )
      return false;
    return this.#groups.every((founders, group) => {
      const configurations = this.configurations(group);
      // Nobody has started yet with what it was founded with.
      if (configurations.length === 0) {
        const isWhole = (id: NodeId): boolean => id - 1 !== node && !this.#isImpaired(id - 1);
        return isMajority(founders.filter(isWhole).length, founders.length);
      }
      const isWhole = (member: Member): boolean =>
        member.node - 1 !== node && this.holds(group, member);
      return configurations
        .flatMap(({ voters, outgoing }) => [voters, outgoing])
        .every((half) => half.length === 0 || isMajority(half.filter(isWhole).length, half.length));
    });
  }

  /**
   * True when a majority of `voters` and as many `joining` ones is whole: those who join will be
   * filled by it.
   */
  mayConsistOf(group: number, voters: readonly Member[], joining: number): boolean {
    const whole = voters.filter((member) => this.holds(group, member)).length;
    return isMajority(whole + joining, voters.length + joining);
  }

  /**
   * Where replicas wander one node at a time may have lost something, until all that the map says to
   * be on it is there again.
   */
  #onlyLoss(node: number): boolean {
    const map = this.map();
    if (map === null) return false;
    const groups = map.groups.all();
    return this.#processes.every(({ index, node: id, diskId }) => {
      if (index === node) return true;
      const isOld = (member: Member): boolean => member.node === id && member.disk !== diskId;
      const hasLost = groups.some(({ members }) => members.some(isOld));
      return !hasLost && map.nodes.get(id)?.disk === diskId && !this.#isImpaired(index);
    });
  }

  /** Damage that no restart has shown yet, or that is not repaired yet. */
  #isImpaired(node: number): boolean {
    const since = this.#losses.get(node);
    if (since === undefined) return false;
    const process = this.#processes[node]!;
    if (!process.alive || process.life <= since || process.boot === 0) return true;
    for (const standing of this.#recorder.standings.values()) {
      if (standing.node !== process.node) continue;
      const { configuration, replica, damaged } = standing.view;
      const voter = [...configuration.voters, ...configuration.outgoing].some(
        (each) => each.replica === replica,
      );
      // One that has lost its configuration too does not know that it is a voter.
      if (this.isLive(standing) ? damaged : voter) return true;
    }
    this.#losses.delete(node);
    return false;
  }

  /** Of the group's newest life: what its earlier ones have left behind is nobody's concern. */
  #all(group: number): Standing[] {
    const all = [...this.#recorder.standings.values()].filter(
      ({ view }) => view.group === group + 1,
    );
    const newest = all.reduce((most, { view }) => Math.max(most, view.incarnation), 0);
    return all.filter(({ view }) => view.incarnation === newest).sort((a, b) => a.node - b.node);
  }
}

function isMajority(count: number, of: number): boolean {
  return count * 2 > of;
}

/** Where no map has it erased: it would campaign, and then ask the node of a member, which tells it. */
function asksAny(
  { configuration, asleep, mayCampaign }: RaftView,
  present: readonly Member[],
): boolean {
  const nodes = new Set(present.map(({ node }) => node));
  return !asleep && mayCampaign && configuration.voters.some(({ node }) => nodes.has(node));
}
