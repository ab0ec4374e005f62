/** What is remembered of groups, and the sessions that were opened in them. */
import type { GroupId } from "../ids.js";
import { below } from "../random.js";
import type { ClientCore, GroupState, SessionState } from "./state.js";
import { send } from "./requests.js";

export const turnsMax = 0x1_0000;

/** What is known of a group, which is now the one that was used last. */
export function groupOf(core: ClientCore, id: GroupId): GroupState {
  const { groups, random } = core.state;
  let group = groups.get(id);
  if (group === undefined) {
    if (groups.size >= core.limits.groupsMax) forgetGroup(core);
    group = { leader: 0, turn: below(random, turnsMax), hints: 0, session: 0, nonce: 0 };
  } else {
    groups.delete(id);
  }
  groups.set(id, group);
  return group;
}

/** Not for new commands any more: it is full, or is not honoured on some slot. */
export function replaceSession({ state }: ClientCore, { key, id }: SessionState): void {
  const group = state.groups.get(id.group);
  if (group?.session === key) group.session = 0;
}

/** Closes a session unless there is still use for it. What is late in it can then do nothing. */
export function releaseSession(core: ClientCore, key: number): void {
  const { sessions, groups, operations } = core.state;
  const session = sessions.get(key);
  if (session === undefined || groups.get(session.id.group)?.session === key) return;
  for (const operation of operations.values()) if (operation.session === key) return;
  closeSession(core, session);
}

/** Nobody waits for the answer: a session that stays open makes room for others one day. */
export function closeSession(core: ClientCore, { key, id }: SessionState): void {
  core.state.sessions.delete(key);
  const leader = core.state.groups.get(id.group)?.leader ?? 0;
  const node = leader === 0 ? core.routing?.nodesOf(id.group)[0] : leader;
  if (node === undefined) return;
  send(core, node, { kind: "closeSession", group: id.group, session: id });
}

/** The one that was used longest ago. */
function forgetGroup(core: ClientCore): void {
  for (const [id, { session }] of core.state.groups) {
    core.options.marks.hit("clientGroupForgotten");
    core.state.groups.delete(id);
    releaseSession(core, session);
    return;
  }
}
