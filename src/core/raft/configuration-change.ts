/**
 * How one configuration becomes the next (thesis sections 4.1 to 4.3).
 *
 * `changeConfiguration` is what a proposal goes through; it gives out ReplicaIds and chooses the way.
 * `simple`, `enterJoint` and `leaveJoint` are the ways, on explicit ReplicaIds. That a change waits
 * for the one before it to be committed, and for an entry of the leader's own term (section 4.1, the
 * bug of single-server changes), is the leader's to see to.
 */
import { assert, assertNever } from "../assert.js";
import { type MemberChange, changesMax } from "../consensus.js";
import { type NodeId, type ReplicaId, type Term, idMax, noReplica, replicaId } from "../ids.js";
import {
  type Configuration,
  type Member,
  checkConfiguration,
  emptyConfiguration,
  find,
  has,
  isJoint,
  isLearner,
  isVoter,
  memberOf,
} from "./configuration.js";

/**
 * One step of a change. `voter` and `learner` add the member or, when its replica is already one,
 * move it to that part as it is; steps that find their aim met do nothing.
 */
export type MemberStep =
  | { readonly kind: "voter" | "learner"; readonly member: Member }
  | { readonly kind: "remove"; readonly replica: ReplicaId };

/** Stable names; the configuration stays as it was. */
export type ChangeRefusal =
  /** A joint configuration takes no change but that of leaving it. */
  | "simpleWhileJoint"
  | "alreadyJoint"
  | "notJoint"
  /** There is no voter from whom a joint configuration could be entered. */
  | "noVoters"
  | "allVotersRemoved"
  /** Majorities of before and after need not meet: that takes a joint configuration. */
  | "manyVotersChanged"
  | "noChange"
  | "tooManyChanges"
  | "unknownReplica"
  /** Two changes of one proposal name the same replica. */
  | "replicaTwice"
  | "notLearner"
  | "notVoter"
  /** A node would have two replicas of the group. */
  | "nodeTwice"
  | "badNumber"
  | "tooManyReplicas"
  /** This term has given out all its ReplicaIds: the next leader has new ones. */
  | "termUsedUp";

export type ChangeResult = { readonly ok: Configuration } | { readonly refused: ChangeRefusal };

/** ReplicaIds that one term has to give out: those from `term * idsPerTerm` on. */
export const idsPerTerm = 10_000;

/** The first configuration of a group: voters with the ReplicaIds 1, 2, ... in the order given. */
export function firstConfiguration(
  places: readonly { readonly node: NodeId; readonly disk: number }[],
): ChangeResult {
  if (places.length === 0) return { refused: "noVoters" };
  const voters = places.map(({ node, disk }, at) => ({ replica: replicaId(at + 1), node, disk }));
  const draft = draftOf(emptyConfiguration);
  draft.voters.push(...voters);
  draft.nextReplicaId = replicaId(places.length + 1);
  return sound(draft);
}

/**
 * The configuration after `changes`, all at once: simple when at most one voter comes or goes, else
 * joint and to be left automatically. Each addition gets a ReplicaId never used before, in order.
 *
 * `term` is that of the leader whose change it is. Ids belong to terms, as terms have one leader each:
 * a change that is never committed may still have brought a replica to life that nobody remembers.
 */
export function changeConfiguration(
  config: Configuration,
  changes: readonly MemberChange[],
  term: Term,
): ChangeResult {
  if (changes.length === 0) return { refused: "noChange" };
  if (changes.length > changesMax) return { refused: "tooManyChanges" };
  const steps: MemberStep[] = [];
  const named = new Set<ReplicaId>();
  const end = Math.min((term + 1) * idsPerTerm, idMax);
  let next = Math.max(config.nextReplicaId, Math.min(term * idsPerTerm, end));
  for (const change of changes) {
    const step = stepOf(config, change, replicaId(next));
    if (typeof step === "string") return { refused: step };
    const replica = step.kind === "remove" ? step.replica : step.member.replica;
    if (named.has(replica)) return { refused: "replicaTwice" };
    named.add(replica);
    if (replica === next) {
      if (next >= end) return { refused: "termUsedUp" };
      next++;
    }
    steps.push(step);
  }
  const result = simple(config, steps);
  if ("refused" in result && result.refused === "manyVotersChanged") {
    return enterJoint(config, steps, { autoLeave: true });
  }
  return result;
}

function stepOf(
  config: Configuration,
  change: MemberChange,
  next: ReplicaId,
): MemberStep | ChangeRefusal {
  switch (change.op) {
    case "addVoter":
    case "addLearner": {
      const member = { replica: next, node: change.node, disk: change.disk };
      return { kind: change.op === "addVoter" ? "voter" : "learner", member };
    }
    case "promote":
    case "demote":
    case "remove":
      return stepOfMember(config, change.op, change.replica);
    default:
      return assertNever(change);
  }
}

function stepOfMember(
  config: Configuration,
  op: "promote" | "demote" | "remove",
  replica: ReplicaId,
): MemberStep | ChangeRefusal {
  const member = memberOf(config, replica);
  if (member === undefined) return "unknownReplica";
  switch (op) {
    case "promote":
      return isLearner(config, replica) ? { kind: "voter", member } : "notLearner";
    case "demote":
      return isVoter(config, replica) ? { kind: "learner", member } : "notVoter";
    case "remove":
      return { kind: "remove", replica };
    default:
      return assertNever(op);
  }
}

/** Applies `steps` in order when at most one voter comes or goes by them (thesis section 4.1). */
export function simple(config: Configuration, steps: readonly MemberStep[]): ChangeResult {
  if (isJoint(config)) return { refused: "simpleWhileJoint" };
  const draft = draftOf(config);
  applySteps(draft, steps);
  if (draft.voters.length === 0) return { refused: "allVotersRemoved" };
  if (votersChanged(config.voters, draft.voters) > 1) return { refused: "manyVotersChanged" };
  return sound(draft);
}

/**
 * Applies `steps` in order to the incoming half; the voters of now become the outgoing half (thesis
 * section 4.3). An outgoing voter that is to be a learner waits for that in `learnersNext`.
 */
export function enterJoint(
  config: Configuration,
  steps: readonly MemberStep[],
  { autoLeave }: { readonly autoLeave: boolean },
): ChangeResult {
  if (isJoint(config)) return { refused: "alreadyJoint" };
  if (config.voters.length === 0) return { refused: "noVoters" };
  const draft = draftOf(config);
  draft.outgoing = config.voters;
  draft.autoLeave = autoLeave;
  applySteps(draft, steps);
  if (draft.voters.length === 0) return { refused: "allVotersRemoved" };
  return sound(draft);
}

/** Drops the outgoing half: who is in no other part is a member no more. */
export function leaveJoint(config: Configuration): ChangeResult {
  if (!isJoint(config)) return { refused: "notJoint" };
  const draft = draftOf(config);
  draft.outgoing = [];
  draft.learnersNext = [];
  draft.autoLeave = false;
  for (const member of config.learnersNext) put(draft.learners, member);
  return sound(draft);
}

interface Draft extends Configuration {
  readonly voters: Member[];
  outgoing: readonly Member[];
  readonly learners: Member[];
  learnersNext: Member[];
  autoLeave: boolean;
  nextReplicaId: ReplicaId;
}

/** Field by field: configurations are read at every step, and should have one shape for V8. */
function draftOf(config: Configuration): Draft {
  return {
    voters: [...config.voters],
    outgoing: config.outgoing,
    learners: [...config.learners],
    learnersNext: [...config.learnersNext],
    autoLeave: config.autoLeave,
    nextReplicaId: config.nextReplicaId,
  };
}

function applySteps(draft: Draft, steps: readonly MemberStep[]): void {
  for (const step of steps) {
    switch (step.kind) {
      case "voter":
        makeVoter(draft, step.member);
        break;
      case "learner":
        makeLearner(draft, step.member);
        break;
      case "remove":
        remove(draft, step.replica);
        break;
      default:
        assertNever(step);
    }
  }
}

function makeVoter(draft: Draft, added: Member): void {
  const member = known(draft, added);
  if (member === undefined) return;
  drop(draft.learners, member.replica);
  drop(draft.learnersNext, member.replica);
  put(draft.voters, member);
}

function makeLearner(draft: Draft, added: Member): void {
  const member = known(draft, added);
  if (member === undefined) return;
  drop(draft.voters, member.replica);
  // A voter of the old half keeps its vote in that half until the joint configuration is left.
  put(has(draft.outgoing, member.replica) ? draft.learnersNext : draft.learners, member);
}

function remove(draft: Draft, replica: ReplicaId): void {
  drop(draft.voters, replica);
  drop(draft.learners, replica);
  drop(draft.learnersNext, replica);
}

/** The member as it stands, or `added` as a new one. Nobody is replica 0, so that adds nothing. */
function known(draft: Draft, added: Member): Member | undefined {
  if (added.replica === noReplica) return undefined;
  const member = memberOf(draft, added.replica);
  if (member !== undefined) return member;
  if (added.replica >= draft.nextReplicaId) draft.nextReplicaId = replicaId(added.replica + 1);
  return added;
}

function put(list: Member[], member: Member): void {
  if (has(list, member.replica)) return;
  const after = list.findIndex((other) => other.replica > member.replica);
  list.splice(after === -1 ? list.length : after, 0, member);
}

function drop(list: Member[], replica: ReplicaId): void {
  const member = find(list, replica);
  if (member !== undefined) list.splice(list.indexOf(member), 1);
}

/** How many voters are in one of the two lists only. */
function votersChanged(before: readonly Member[], after: readonly Member[]): number {
  const gone = before.filter((voter) => !has(after, voter.replica));
  const come = after.filter((voter) => !has(before, voter.replica));
  return gone.length + come.length;
}

/** Refuses what the steps alone can't know to be wrong; the rest of the invariants must hold. */
function sound(config: Configuration): ChangeResult {
  const broken = checkConfiguration(config);
  if (broken.includes(7)) return { refused: "nodeTwice" };
  if (broken.includes(8)) return { refused: "badNumber" };
  if (broken.includes(9)) return { refused: "tooManyReplicas" };
  assert(broken.length === 0, "a change keeps the invariants of a configuration", { broken });
  return { ok: config };
}
