/** Replicas are made and removed: asked of their nodes, one after the other. */
import type { GroupId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { MapState } from "../map/state.js";
import type { Step } from "../map/types.js";
import type { NodeRequest } from "../node/node-requests.js";
import type { Member } from "../raft/configuration.js";
import { encodeConfiguration } from "../raft/configuration-codec.js";
import { hasItsDisk, isThere, nextReplicaId } from "../map/placement.js";
import { type Errand, done, later, on } from "./errand.js";

/**
 * All members make theirs: one that was not made would lack what the founding says for ever. Only who
 * has lost the disk that it was to be made on can't; it gets a new replica later.
 */
export function founding(map: Readonly<MapState>, group: GroupId, marks: Marks): Errand {
  const known = map.groups.get(group);
  const voters = known?.members ?? [];
  const configuration = encodeConfiguration({
    voters,
    outgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
    nextReplicaId: nextReplicaId(voters),
  });
  const { incarnation } = known!;
  const request: NodeRequest = { kind: "found", group, incarnation, configuration };
  return eachOf(marks, voters, hasItsDisk, () => request);
}

export function erasing(map: Readonly<MapState>, group: GroupId, marks: Marks): Errand {
  const { members, incarnation } = map.groups.get(group)!;
  return eachOf(marks, members, isThere, ({ replica }) => ({
    kind: "erase",
    group,
    incarnation,
    replica,
  }));
}

export function burying(
  map: Readonly<MapState>,
  { group, node, replica }: Extract<Step, { kind: "bury" }>,
  marks: Marks,
): Errand {
  const { incarnation } = map.groups.get(group)!;
  return eachOf(marks, [{ node }], isThere, () => ({ kind: "erase", group, incarnation, replica }));
}

/** Of those that can be asked, as the map says when it comes to them. */
function eachOf<Of extends Pick<Member, "node">>(
  marks: Marks,
  members: readonly Of[],
  canBeAsked: (map: Readonly<MapState>, member: Of) => boolean,
  request: (member: Of) => NodeRequest,
): Errand {
  let at = 0;
  return {
    next: (map) => {
      for (; at < members.length && !canBeAsked(map, members[at]!); at++) {
        marks.hit("lostMemberNotAsked");
      }
      const member = members[at];
      return member === undefined ? null : { to: { node: member.node }, request: request(member) };
    },
    take: (answer) => {
      if (answer.kind !== "done") return later;
      at++;
      return at === members.length ? done : on;
    },
  };
}
