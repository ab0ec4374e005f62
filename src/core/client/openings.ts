/**
 * Sessions are opened when a command needs one. One that is opened before a slot came to its group is
 * not honoured there, so each opening that has ended is followed by one with a nonce of its own.
 */
import { ByteWriter } from "../bytes.js";
import type { GroupId } from "../ids.js";
import type { ClientAnswer } from "../store/client-protocol.js";
import { groupOf } from "./groups.js";
import { leads, nodeOf, turnFrom } from "./nodes.js";
import { awaitAnswer, closeRequest, forgetRequests, pause, send } from "./requests.js";
import {
  type Attempts,
  type ClientCore,
  type OpenRequest,
  type OperationState,
  type SessionState,
  wantMap,
} from "./state.js";

/** The session for a new command in that group; null while it is being opened. */
export function sessionFor(
  core: ClientCore,
  operation: OperationState,
  id: GroupId,
): SessionState | null {
  const { sessions, openings } = core.state;
  if (operation.awaits !== id) stopAwaiting(core, operation);
  const session = sessions.get(groupOf(core, id).session);
  if (session !== undefined) {
    stopAwaiting(core, operation);
    return session;
  }
  operation.awaits = id;
  operation.actAtUs = Infinity;
  if (!openings.has(id)) {
    openings.set(id, { requests: [], current: 0, silences: 0, refusals: 0, actAtUs: core.now });
  }
  return null;
}

/** An opening that nobody waits for is given up; the next one repeats its nonce. */
export function stopAwaiting(core: ClientCore, operation: OperationState): void {
  const { openings, operations } = core.state;
  const { awaits } = operation;
  operation.awaits = 0;
  const opening = awaits === 0 ? undefined : openings.get(awaits);
  if (opening === undefined) return;
  for (const other of operations.values()) if (other.awaits === awaits) return;
  forgetRequests(core, opening);
  openings.delete(awaits as GroupId);
}

/** Its time has come: nobody has answered, or the wait after a refusal is over. */
export function openAgain(core: ClientCore, id: GroupId, opening: Attempts): void {
  if (opening.actAtUs > core.now) return;
  if (opening.current !== 0) {
    opening.silences++;
    wantMap(core);
    turnFrom(core, core.state.requests.get(opening.current)!, 0);
  }
  const node = nodeOf(core, id);
  const nonce = nonceOf(core, id);
  const request = send(core, node, { kind: "openSession", group: id, nonce });
  awaitAnswer(core, opening, request, { purpose: "opening", of: id, node, group: id });
}

export function openingAnswered(
  core: ClientCore,
  request: number,
  open: OpenRequest,
  answer: ClientAnswer,
): void {
  const id = open.of as GroupId;
  const opening = core.state.openings.get(id)!;
  switch (answer.kind) {
    case "opened":
      if (answer.session.group !== id) break;
      leads(core, open);
      return opened(core, id, opening, answer.session);
    case "refused":
    case "unknown":
    case "malformed": {
      const current = opening.current === request;
      closeRequest(core, opening, request);
      if (!current) return;
      if (answer.kind === "refused" && isGone(answer.reason)) wantMap(core);
      turnFrom(core, open, answer.kind === "malformed" ? 0 : answer.leader);
      return pause(core, opening);
    }
    default:
  }
  // No answer to what was asked.
  core.options.marks.hit("clientAnswerDropped");
}

/** Reasons for which the map is likely to be an old one. */
export function isGone(reason: (ClientAnswer & { kind: "refused" })["reason"]): boolean {
  return reason === "noGroup" || reason === "retired" || reason === "removed";
}

function opened(
  core: ClientCore,
  id: GroupId,
  opening: Attempts,
  session: SessionState["id"],
): void {
  const { state } = core;
  forgetRequests(core, opening);
  state.openings.delete(id);
  const key = state.nextSession++;
  state.sessions.set(key, { key, id: session, nextSerial: 1 });
  const group = groupOf(core, id);
  group.session = key;
  group.nonce = 0;
  for (const operation of state.operations.values()) {
    if (operation.awaits === id) operation.actAtUs = core.now;
  }
}

function nonceOf({ state, options }: ClientCore, id: GroupId): Uint8Array {
  const group = state.groups.get(id)!;
  if (group.nonce === 0) group.nonce = state.nextNonce++;
  const writer = new ByteWriter(options.nonce.length + 8);
  for (const byte of options.nonce) writer.u8(byte);
  writer.u53(group.nonce);
  return writer.finish();
}
