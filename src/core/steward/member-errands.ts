/**
 * The members of a group change, one step at a time: look at its configuration, and ask for the change
 * that is missing, meant for that very configuration. So a late copy of a request changes nothing.
 */
import type { MemberChange } from "../consensus.js";
import type { GroupId, NodeId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Fact } from "../map/commands.js";
import type { MapState } from "../map/state.js";
import { hasItsDisk, memberOn } from "../map/placement.js";
import type { Step } from "../map/types.js";
import type { NodeRequest } from "../node/node-requests.js";
import { type Configuration, type Member, isJoint } from "../raft/configuration.js";
import { decodeConfiguration } from "../raft/configuration-codec.js";
import { type GroupStatus, decodeGroupStatus } from "../store/group-status.js";
import { type Errand, type Outcome, bytesOf, later, on } from "./errand.js";

/** A group as its leader says that it stands. */
interface Standing {
  readonly status: GroupStatus;
  readonly configuration: Configuration;
}

type Wish =
  /** It stands as it should. */
  | { readonly kind: "done"; readonly fact: Fact }
  | { readonly kind: "ask"; readonly request: NodeRequest }
  | { readonly kind: "wait" };

const wait: Wish = { kind: "wait" };
const asItShould: Wish = { kind: "done", fact: { kind: "none" } };

/** The node has a learner with nearly all of the log, or a voter. */
export function joining(
  group: GroupId,
  node: NodeId,
  { laggingMax, marks }: { readonly laggingMax: number; readonly marks: Marks },
): Errand {
  return untilIt(marks, group, ({ status, configuration }, map) => {
    if (memberOn(configuration.voters, node) !== undefined) return asItShould;
    const learner = memberOn(configuration.learners, node);
    if (learner === undefined) return change(group, status, addition(map, "addLearner", node));
    // It was on a disk that is lost: it will never answer.
    if (learner.disk !== map.nodes.get(node)!.disk) {
      marks.hit("lostLearnerRemoved");
      return change(group, status, { op: "remove", replica: learner.replica });
    }
    const match = status.members.find(({ replica }) => replica === learner.replica)?.match ?? 0;
    return match + laggingMax >= status.commit ? asItShould : wait;
  });
}

/** The voter on `leave` gives way to a replica on `enter`. */
export function swapping(
  { group, enter, leave }: Extract<Step, { kind: "swap" }>,
  marks: Marks,
): Errand {
  return replacing(marks, group, enter, ({ node }) => node === leave);
}

/** The voter whose disk was lost gives way to one on the disk that the node has now. */
export function renewing(
  { group, node, replica }: Extract<Step, { kind: "renew" }>,
  marks: Marks,
): Errand {
  return replacing(marks, group, node, (member) => member.replica === replica);
}

/** In one joint change, so that the group is never a member short. */
function replacing(
  marks: Marks,
  group: GroupId,
  enter: NodeId,
  isOld: (member: Member) => boolean,
): Errand {
  return untilIt(marks, group, ({ status, configuration }, map) => {
    const { voters, learners } = configuration;
    const changes: MemberChange[] = [];
    if (!voters.some((member) => member.node === enter && !isOld(member))) {
      const learner = memberOn(learners, enter);
      if (learner?.disk === map.nodes.get(enter)!.disk) {
        changes.push({ op: "promote", replica: learner.replica });
      } else {
        if (learner !== undefined) changes.push({ op: "remove", replica: learner.replica });
        changes.push(addition(map, "addVoter", enter));
      }
    }
    const old = voters.find(isOld);
    if (old !== undefined) changes.push({ op: "remove", replica: old.replica });
    if (changes.length > 0) return change(group, status, ...changes);
    return { kind: "done", fact: { kind: "members", members: voters } };
  });
}

/** The learner on the node is gone; a voter stays. */
export function parting(group: GroupId, node: NodeId, marks: Marks): Errand {
  return untilIt(marks, group, ({ status, configuration }) => {
    const learner = memberOn(configuration.learners, node);
    if (learner === undefined) return asItShould;
    return change(group, status, { op: "remove", replica: learner.replica });
  });
}

export function leading(group: GroupId, node: NodeId, marks: Marks): Errand {
  return untilIt(marks, group, ({ status, configuration }, map) => {
    const member = memberOn(configuration.voters, node);
    // Who is no voter any more can't lead, nor who is lost.
    if (member === undefined || !hasItsDisk(map, member)) return asItShould;
    if (status.leader === member.replica) return asItShould;
    return { kind: "ask", request: { kind: "transfer", group, to: member.replica } };
  });
}

/** Looks and asks in turns. What was asked may have been done or not: the next look tells. */
function untilIt(
  marks: Marks,
  group: GroupId,
  judge: (standing: Standing, map: Readonly<MapState>) => Wish,
): Errand {
  const look: NodeRequest = { kind: "status", group };
  let map: Readonly<MapState> | null = null;
  let request: NodeRequest = look;
  return {
    next: (now) => {
      map = now;
      return { to: { leaderOf: group }, request };
    },
    take: (answer): Outcome => {
      const looked = request === look;
      request = look;
      const bytes = bytesOf(answer);
      if (bytes === null) return later;
      if (!looked) return on;
      const standing = standingOf(bytes);
      if (standing === null) return later;
      if (!isSettled(standing)) {
        marks.hit("unsettledMembersAwaited");
        return later;
      }
      const wish = judge(standing, map!);
      if (wish.kind === "ask") request = wish.request;
      if (wish.kind === "done") return wish;
      return wish.kind === "ask" ? on : later;
    },
  };
}

/** A change that is not committed may be undone by the next leader: nothing may rest on it. */
function isSettled({ status, configuration }: Standing): boolean {
  return !isJoint(configuration) && status.configurationIndex <= status.commit;
}

function standingOf(bytes: Uint8Array): Standing | null {
  const status = decodeGroupStatus(bytes);
  if (status.kind === "undecodable") return null;
  const decoded = decodeConfiguration(status.configuration);
  return "error" in decoded ? null : { status, configuration: decoded.ok };
}

function addition(
  map: Readonly<MapState>,
  op: "addLearner" | "addVoter",
  node: NodeId,
): MemberChange {
  return { op, node, disk: map.nodes.get(node)!.disk };
}

function change(group: GroupId, status: GroupStatus, ...changes: readonly MemberChange[]): Wish {
  const at = status.configurationIndex;
  return { kind: "ask", request: { kind: "change", group, at, changes } };
}
