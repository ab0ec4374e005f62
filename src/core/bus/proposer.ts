/**
 * Proposals of the program that a node is part of. Each group's go under a session of this node's own,
 * which is opened when the first one comes: so what is told as done was applied once.
 */
import { ByteWriter } from "../bytes.js";
import { type GroupId, type RequestId, requestId } from "../ids.js";
import {
  type ClientAnswer,
  type SessionId,
  decodeClientAnswer,
  encodeClientRequest,
} from "../store/client-protocol.js";
import type { ProposeOutcome, ProposeQuestion, ProposeRefusal } from "./topics.js";

/** Ids from here up to those of the node's own desk are the proposer's; others' are below. */
export const proposerRequestsFrom: number = 2 ** 51;
/** Proposals that wait for an outcome; further ones are refused as overloaded. */
export const proposalsMax = 16_384;

export interface ProposerWorld {
  /** The answer comes as `answered`. */
  ask(request: RequestId, bytes: Uint8Array): void;
  /** Of no other start of any node. */
  nonce(): readonly number[];
  slotOf(key: Uint8Array): number;
  /** The epoch at which the group serves the slot, as far as is known here; 0 if it is not. */
  epochOf(group: GroupId, slot: number): number;
  /** A callback threw. */
  failed(error: unknown): void;
}

interface Pending {
  readonly question: ProposeQuestion;
  serial: number;
  /** Sessions that it was tried under. */
  attempts: number;
}

interface GroupSession {
  readonly group: GroupId;
  id: SessionId | null;
  serials: number;
  /** Until the session is open. */
  readonly waiting: Pending[];
  /** Ascending: their serials are not answered yet. */
  readonly open: Map<number, Pending>;
}

type Asked =
  | { readonly kind: "open"; readonly session: GroupSession }
  | { readonly kind: "command"; readonly session: GroupSession; readonly pending: Pending };

/** An evicted session is replaced once: its command was sent once, and not applied. */
const attemptsMax = 2;

export class Proposer {
  readonly #world: ProposerWorld;
  readonly #sessions = new Map<GroupId, GroupSession>();
  readonly #asked = new Map<RequestId, Asked>();
  #requests: number = proposerRequestsFrom;
  #pending = 0;

  constructor(world: ProposerWorld) {
    this.#world = world;
  }

  /** Proposals without an outcome. */
  get size(): number {
    return this.#pending;
  }

  /** `done` is called once; it may be called at once. */
  propose(question: ProposeQuestion): void {
    if (this.#pending >= proposalsMax) {
      this.#tell(question, refused("overloaded"));
      return;
    }
    this.#pending++;
    this.#put({ question, serial: 0, attempts: 0 });
  }

  /** False when the request was not one of this proposer's. */
  answered(request: RequestId, bytes: Uint8Array): boolean {
    if (request < proposerRequestsFrom) return false;
    const asked = this.#asked.get(request);
    if (asked === undefined) return true;
    this.#asked.delete(request);
    const answer = decodeClientAnswer(bytes);
    if (answer.kind === "undecodable") this.#heed(asked, { kind: "unknown", leader: 0 });
    else this.#heed(asked, answer);
    return true;
  }

  /** The host has stopped for good, and answers nothing any more. */
  stop(): void {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    this.#asked.clear();
    for (const { waiting, open } of sessions) {
      for (const { question } of waiting.splice(0)) this.#end(question, refused("notReady"));
      for (const { question } of open.values()) this.#end(question, { kind: "unknown", leader: 0 });
    }
  }

  #put(pending: Pending): void {
    const { group } = pending.question;
    const session = this.#sessions.get(group);
    if (session === undefined) this.#open(group, pending);
    else if (session.id === null) session.waiting.push(pending);
    else this.#send(session, session.id, pending);
  }

  /** It may be answered before this returns. */
  #open(group: GroupId, first: Pending): void {
    const waiting = [first];
    const session: GroupSession = { group, id: null, serials: 0, waiting, open: new Map() };
    this.#sessions.set(group, session);
    const writer = new ByteWriter();
    for (const word of this.#world.nonce()) writer.u53(word);
    const nonce = writer.finish();
    this.#ask(
      { kind: "open", session },
      encodeClientRequest({ kind: "openSession", group, nonce }),
    );
  }

  #send(session: GroupSession, id: SessionId, pending: Pending): void {
    const { group } = session;
    const { command, key = noKey } = pending.question;
    const slot = this.#world.slotOf(key);
    const serial = ++session.serials;
    pending.serial = serial;
    pending.attempts++;
    session.open.set(serial, pending);
    const [ackBelow] = session.open.keys();
    const request = encodeClientRequest({
      kind: "command",
      group,
      session: id,
      serial,
      ackBelow: ackBelow!,
      slot,
      epoch: this.#world.epochOf(group, slot),
      command,
    });
    this.#ask({ kind: "command", session, pending }, request);
  }

  #ask(asked: Asked, bytes: Uint8Array): void {
    const request = requestId(this.#requests++);
    this.#asked.set(request, asked);
    this.#world.ask(request, bytes);
  }

  #heed(asked: Asked, answer: ClientAnswer): void {
    if (asked.kind === "open") this.#opened(asked.session, answer);
    else this.#committed(asked.session, asked.pending, answer);
  }

  #opened(session: GroupSession, answer: ClientAnswer): void {
    const waiting = session.waiting.splice(0);
    if (answer.kind === "opened") {
      session.id = answer.session;
      for (const pending of waiting) this.#send(session, answer.session, pending);
      return;
    }
    this.#forget(session);
    // None of them was sent: whatever became of the session, nothing was done.
    const leader = "leader" in answer ? answer.leader : 0;
    const reason = answer.kind === "refused" ? answer.reason : "notReady";
    for (const { question } of waiting) this.#end(question, { kind: "refused", reason, leader });
  }

  #committed(session: GroupSession, pending: Pending, answer: ClientAnswer): void {
    session.open.delete(pending.serial);
    if (answer.kind !== "sessionExpired") {
      this.#end(pending.question, outcomeOf(answer));
      return;
    }
    this.#forget(session);
    if (pending.attempts < attemptsMax) this.#put(pending);
    else this.#end(pending.question, refused("sessionExpired"));
  }

  /** The next proposal opens another. */
  #forget(session: GroupSession): void {
    if (this.#sessions.get(session.group) === session) this.#sessions.delete(session.group);
  }

  #end(question: ProposeQuestion, outcome: ProposeOutcome): void {
    this.#pending--;
    this.#tell(question, outcome);
  }

  #tell({ done }: ProposeQuestion, outcome: ProposeOutcome): void {
    try {
      done(outcome);
    } catch (error) {
      this.#world.failed(error);
    }
  }
}

function outcomeOf(answer: ClientAnswer): ProposeOutcome {
  switch (answer.kind) {
    case "done":
      return { kind: "done", answer: answer.bytes };
    case "refused":
    case "unknown":
      return answer;
    case "moved":
      return refused("moved");
    case "malformed":
      return refused("malformed");
    default:
      // No answer to a command.
      return { kind: "unknown", leader: 0 };
  }
}

function refused(reason: ProposeRefusal): ProposeOutcome {
  return { kind: "refused", reason, leader: 0 };
}

const noKey: Uint8Array = new Uint8Array(0);
