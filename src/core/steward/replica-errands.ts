/** Replicas are made and removed: asked of their nodes, one after the other. */
import type { GroupId } from "../ids.js";
import type { MapState } from "../map/state.js";
import type { Step } from "../map/types.js";
import type { NodeRequest } from "../node/node-requests.js";
import type { Member } from "../raft/configuration.js";
import { encodeConfiguration } from "../raft/configuration-codec.js";
import { nextReplicaId } from "../map/placement.js";
import { type Errand, done, later, on } from "./errand.js";

/** All members make theirs: one that was not made would lack what the founding says for ever. */
export function founding(map: Readonly<MapState>, group: GroupId): Errand {
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
  return eachOf(voters, () => ({ kind: "found", group, incarnation, configuration }));
}

export function erasing(map: Readonly<MapState>, group: GroupId): Errand {
  const { members, incarnation } = map.groups.get(group)!;
  return eachOf(members, ({ replica }) => ({ kind: "erase", group, incarnation, replica }));
}

export function burying(
  map: Readonly<MapState>,
  { group, node, replica }: Extract<Step, { kind: "bury" }>,
): Errand {
  const { incarnation } = map.groups.get(group)!;
  return eachOf([{ node }], () => ({ kind: "erase", group, incarnation, replica }));
}

function eachOf<Of extends Pick<Member, "node">>(
  members: readonly Of[],
  request: (member: Of) => NodeRequest,
): Errand {
  let at = 0;
  return {
    next: () => {
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
