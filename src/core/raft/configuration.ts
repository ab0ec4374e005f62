/** Who belongs to a group, and in which part (thesis chapter 4). Plain data, never changed in place. */
import { type NodeId, type ReplicaId, isId, noReplica, replicaId } from "../ids.js";
import { votersMax } from "../quorum/majority.js";

export interface Member {
  readonly replica: ReplicaId;
  /** The node on which the replica lives. */
  readonly node: NodeId;
  /** The id of that node's disk for which the replica was added; on another disk it is lost. */
  readonly disk: number;
}

/**
 * 1. There is a voter.
 * 2. Each list strictly ascends by replica.
 * 3. No learner is a voter of either half.
 * 4. Who is in `learnersNext` is in `outgoing` and not in `voters`.
 * 5. Unless joint, `learnersNext` is empty and `autoLeave` is false.
 * 6. A replica in two lists is the same member in both.
 * 7. No node has two members that stay (voters, learners, learnersNext), nor two outgoing ones. An
 *    outgoing one may share its node with one that stays: a replica replaced in place.
 * 8. All ids are ids, no replica is 0, all are below `nextReplicaId`.
 * 9. There are at most `replicasMax` members.
 */
export interface Configuration {
  /** The voters; in a joint configuration the incoming ones. */
  readonly voters: readonly Member[];
  /** The voters of the old half while the configuration is joint, else empty. */
  readonly outgoing: readonly Member[];
  /** Receive the log, count in no quorum (thesis section 4.2.1). */
  readonly learners: readonly Member[];
  /** Outgoing voters that turn into learners when the joint configuration is left. */
  readonly learnersNext: readonly Member[];
  /** The leader leaves the joint configuration by itself as soon as it is committed. */
  readonly autoLeave: boolean;
  /** What the next member added will be called: higher than all before it, also removed ones. */
  readonly nextReplicaId: ReplicaId;
}

/** Members of a configuration, all parts together. */
export const replicasMax: number = votersMax;

/** What a replica knows before its first configuration. Breaks invariant 1: it is never logged. */
export const emptyConfiguration: Configuration = {
  voters: [],
  outgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
  nextReplicaId: replicaId(1),
};

type Lists = Pick<Configuration, "voters" | "outgoing" | "learners" | "learnersNext">;

export function isJoint(config: Configuration): boolean {
  return config.outgoing.length > 0;
}

/** Whether `replica` counts in a quorum, of either half. */
export function isVoter(config: Lists, replica: ReplicaId): boolean {
  return has(config.voters, replica) || has(config.outgoing, replica);
}

/** Whether `replica` is a learner now; who is to become one is still a voter. */
export function isLearner(config: Lists, replica: ReplicaId): boolean {
  return has(config.learners, replica);
}

export function memberOf(config: Lists, replica: ReplicaId): Member | undefined {
  return (
    find(config.voters, replica) ??
    find(config.outgoing, replica) ??
    find(config.learners, replica) ??
    find(config.learnersNext, replica)
  );
}

/** It was a member before, or was to be one; such a configuration, once committed, is the end of it. */
export function hasRemoved(config: Configuration, replica: ReplicaId): boolean {
  const isKnown = config.voters.length > 0 && memberOf(config, replica) === undefined;
  return isKnown && replica < config.nextReplicaId;
}

/** Every member once, ascending by replica. */
export function members(config: Lists): Member[] {
  return union([config.voters, config.outgoing, config.learners, config.learnersNext]);
}

/** The voters of both halves, each once, ascending. */
export function voterIds(config: Lists): ReplicaId[] {
  return union([config.voters, config.outgoing]).map((voter) => voter.replica);
}

export function find(list: readonly Member[], replica: ReplicaId): Member | undefined {
  for (const member of list) if (member.replica === replica) return member;
  return undefined;
}

export function has(list: readonly Member[], replica: ReplicaId): boolean {
  return find(list, replica) !== undefined;
}

/** The numbers of the invariants (see `Configuration`) that do not hold; empty when all do. */
export function checkConfiguration(config: Configuration): number[] {
  const { voters, outgoing, learners, learnersNext, autoLeave, nextReplicaId } = config;
  const lists = [voters, outgoing, learners, learnersNext];
  const all = union(lists);
  const joint = isJoint(config);
  const holds = [
    voters.length > 0,
    lists.every(ascends),
    learners.every(({ replica }) => !isVoter(config, replica)),
    learnersNext.every(({ replica }) => has(outgoing, replica) && !has(voters, replica)),
    joint || (learnersNext.length === 0 && !autoLeave),
    lists.flat().every((member) => sameMember(member, memberOf(config, member.replica))),
    nodesDiffer(union([voters, learners, learnersNext])) && nodesDiffer(outgoing),
    all.every(idsAreSound) && all.every((m) => m.replica < nextReplicaId) && isId(nextReplicaId),
    all.length <= replicasMax,
  ];
  return holds.flatMap((held, at) => (held ? [] : [at + 1]));
}

function union(lists: readonly (readonly Member[])[]): Member[] {
  const byReplica = new Map<ReplicaId, Member>();
  for (const list of lists) for (const member of list) byReplica.set(member.replica, member);
  return [...byReplica.values()].sort((a, b) => a.replica - b.replica);
}

function ascends(list: readonly Member[]): boolean {
  return list.every((member, at) => at === 0 || list[at - 1]!.replica < member.replica);
}

function sameMember(a: Member, b: Member | undefined): boolean {
  return b !== undefined && a.replica === b.replica && a.node === b.node && a.disk === b.disk;
}

function nodesDiffer(list: readonly Member[]): boolean {
  return new Set(list.map((member) => member.node)).size === list.length;
}

function idsAreSound({ replica, node, disk }: Member): boolean {
  return isId(replica) && replica !== noReplica && isId(node) && isId(disk);
}
