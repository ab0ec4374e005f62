/**
 * Clients: one operation at a time each, asked again with the same serial until it is answered or
 * its deadline has passed, and then unknown. They guess who leads, learn it from refusals, and open
 * their sessions through the log.
 */
import { type Attempt, type Operation, type OperationResult, isRead } from "../lab/operation.js";
import type { PlannedOperation } from "../lab/run-result.js";
import type { ClientHabit } from "../lab/scenario.js";
import type { SessionId } from "../core/store/client-protocol.js";
import type { Gate } from "./decisions.js";
import { eventKind } from "./events.js";
import type { Scheduler } from "./scheduler.js";
import { type KeyedStream, within } from "./streams.js";
import { type TurnTaker, Turns } from "./turns.js";

/** What a node's answer means to a client. */
export type Reply =
  | { readonly kind: "opened"; readonly session: SessionId }
  | { readonly kind: "done"; readonly result: OperationResult }
  /** Nothing was done; `leader` is where to try next, 0 when unknown. */
  | { readonly kind: "refused"; readonly leader: number }
  /** It may still happen. */
  | { readonly kind: "unknown"; readonly leader: number }
  /** The session is not there any more. */
  | { readonly kind: "expired" };

/** How operations are said in bytes. */
export interface Dialect {
  /** A retry repeats the nonce. */
  open(group: number, nonce: number): Uint8Array;
  close(group: number, session: SessionId): Uint8Array;
  command(operation: Operation, session: SessionId): Uint8Array;
  /** A command that no state machine understands. */
  nonsense(group: number, session: SessionId, serial: number): Uint8Array;
  read(operation: Operation, byLease: boolean): Uint8Array;
  reply(bytes: Uint8Array): Reply;
}

/** One hint in so many is not followed; odd, or it could always be that of the same of two nodes. */
const hintsOneNotIn = 5;

export interface ClientWorld {
  /** Which set of clients this is, from 0; its events carry it. */
  readonly set: number;
  readonly scheduler: Scheduler;
  readonly times: ClientTimes;
  readonly timing: KeyedStream;
  readonly nodes: number;
  /** What clients sometimes do beside their operations; null: they don't. */
  readonly habits: Habits | null;
  /** Sends a request on its way; its answer, if any, comes back as `answered`. */
  ask(client: number, node: number, request: number, bytes: Uint8Array): void;
  invoked(operation: Operation): void;
  /** In a cluster with a map: a request of an operation, and an answer to one. */
  asked(operation: Operation, attempt: Attempt): void;
  heard(operation: Operation, attempt: Attempt, bytes: Uint8Array): void;
  completed(operation: Operation): void;
}

/** Requests of one set of clients in one run. */
export const requestsMax = 0x1000_0000;
/** Clients of one set. */
const clientsMax = 65_536;
/** Sessions of one client in one run. */
const openingsMax = 65_536;

/** Now and then; nobody waits for what comes of it. */
export interface Habits {
  /** How often, in thousandths of the requests. */
  readonly thousandths: Readonly<Record<ClientHabit, number>>;
  /** A copy of a request goes astray and arrives late, at some node. */
  readonly echo: Gate;
  /** The session is closed, and a new one opened for the next command. */
  readonly close: Gate;
  /** A command without meaning goes through the log. */
  readonly nonsense: Gate;
  /** Sends a request whose answer nobody awaits. */
  askLater(client: number, node: number, bytes: Uint8Array, afterUs: number): void;
}

export const habitThousandths: Habits["thousandths"] = { echo: 25, close: 12, nonsense: 4 };
export const echoUs = { min: 20_000, max: 3_000_000 } as const;

export interface ClientTimes {
  /** Without an answer for so long a client asks another node. */
  readonly timeoutUs: { readonly min: number; readonly max: number };
  /** After a refusal. */
  readonly backoffUs: { readonly min: number; readonly max: number };
  /** An operation is given up after so long. */
  readonly deadlineUs: number;
}

export const usualTimes: ClientTimes = {
  timeoutUs: { min: 60_000, max: 700_000 },
  backoffUs: { min: 5_000, max: 40_000 },
  deadlineUs: 8_000_000,
};

/** Of clients that must find out soon whether anybody serves them. */
export const hastyTimes: ClientTimes = {
  timeoutUs: { min: 80_000, max: 160_000 },
  backoffUs: { min: 5_000, max: 20_000 },
  deadlineUs: 60_000_000,
};

interface Session {
  readonly id: SessionId;
  nextSerial: number;
}

interface Client extends TurnTaker {
  readonly sessions: Map<number, Session>;
  /** group -> index of the node to ask first. */
  readonly guesses: Map<number, number>;
  /** Requests of this operation that may still be answered. */
  requests: number[];
  /** Sessions that it asked for; repeated until one is opened. */
  openings: number;
  /** Commands of this operation that may have arrived somewhere. */
  sent: number;
  opening: boolean;
  deadlineUs: number;
}

/** The client's next operation after its `last`; null when it has none left. */
export type NextOperation = (client: number, last: Operation | null) => PlannedOperation | null;

/** What the events of the queue mean to some clients. */
export interface ClientSet {
  /** True when the request was one of theirs. */
  answered(request: number, bytes: Uint8Array): boolean;
  proceed(client: number, attempt: number): void;
  timedOut(client: number, attempt: number): void;
}

/** Clients that do operations one after the other, as they are given them. */
export interface Population extends ClientSet {
  readonly operations: readonly Operation[];
  readonly acknowledged: number;
  readonly count: number;
  /** True when no client has anything under way. */
  readonly idle: boolean;
  /** Everybody sets out; `next` replaces where operations come from, when given. */
  start(next?: NextOperation | null): void;
  /** No new operations; those under way go on. */
  stop(): void;
}

export class Clients extends Turns<Client> {
  protected readonly clients: readonly Client[];
  readonly #dialect: Dialect;
  readonly #owners = new Map<number, number>();
  #requests: number;

  constructor(
    world: ClientWorld,
    dialect: Dialect,
    options: {
      readonly clients: number;
      readonly next: NextOperation;
    },
  ) {
    super(world, options.next);
    this.#dialect = dialect;
    this.#requests = world.set * requestsMax + 1;
    this.clients = Array.from({ length: options.clients }, (_, index) => ({
      index,
      sessions: new Map<number, Session>(),
      guesses: new Map<number, number>(),
      planned: null,
      operation: null,
      requests: [],
      openings: 1,
      sent: 0,
      attempt: 0,
      opening: false,
      deadlineUs: 0,
      idle: true,
    }));
  }

  /** A `clientNext` event is due: thought enough, or waited after a refusal. */
  proceed(index: number, attempt: number): void {
    const client = this.clients[index]!;
    if (attempt !== client.attempt) return;
    if (client.operation === null) this.begin(client);
    else this.#ask(client);
  }

  /** A `clientTimeout` event is due. */
  timedOut(index: number, attempt: number): void {
    const client = this.clients[index]!;
    const { operation } = client;
    if (attempt !== client.attempt || operation === null) return;
    const guess = this.#guess(client, operation.planned.group);
    client.guesses.set(operation.planned.group, (guess + 1) % this.world.nodes);
    this.#ask(client);
  }

  /** True when the request was a client's. */
  answered(request: number, bytes: Uint8Array): boolean {
    const owner = this.#owners.get(request);
    if (owner === undefined) return false;
    this.#owners.delete(request);
    const client = this.clients[owner]!;
    const { operation } = client;
    if (operation === null) return true;
    this.#take(client, operation, this.#dialect.reply(bytes));
    return true;
  }

  protected override think(client: Client): void {
    for (const request of client.requests) this.#owners.delete(request);
    client.requests = [];
    client.sent = 0;
    super.think(client);
  }

  protected override begin(client: Client): Operation | null {
    const operation = super.begin(client);
    if (operation === null) return null;
    client.deadlineUs = operation.invokedUs + this.world.times.deadlineUs;
    this.#ask(client);
    return operation;
  }

  #ask(client: Client): void {
    const operation = client.operation!;
    const { planned } = operation;
    const { scheduler, timing } = this.world;
    client.attempt++;
    if (scheduler.nowUs >= client.deadlineUs) return this.#giveUp(client, operation);
    const request = this.#requests++;
    this.#owners.set(request, client.index);
    client.requests.push(request);
    const bytes = this.#bytes(client, operation);
    const word = timing.word(scheduler.nowUs, client.index, 1);
    const { min, max } = this.world.times.timeoutUs;
    const node =
      planned.read === "follower" && isRead(planned)
        ? (word >>> 4) % this.world.nodes
        : this.#guess(client, planned.group);
    this.world.ask(client.index, node, request, bytes);
    this.#echo(client, bytes);
    scheduler.add(
      scheduler.nowUs + within(word, min, max),
      eventKind.clientTimeout,
      client.index,
      client.attempt,
      this.world.set,
    );
  }

  #bytes(client: Client, operation: Operation): Uint8Array {
    const { planned } = operation;
    client.opening = false;
    // Who was refused for want of a lease asks in the ordinary way.
    if (isRead(planned)) return this.#dialect.read(operation, client.requests.length === 1);
    const session = client.sessions.get(planned.group);
    if (session === undefined) {
      client.opening = true;
      return this.#dialect.open(planned.group, this.#nonce(client));
    }
    if (operation.serial === 0) {
      operation.session = session.id.index;
      operation.serial = session.nextSerial++;
    }
    client.sent++;
    this.#utterNonsense(client, planned.group, session);
    return this.#dialect.command(operation, session.id);
  }

  /** No two clients of a run open a session with the same one. */
  #nonce({ index, openings }: Client): number {
    return (this.world.set * clientsMax + index) * openingsMax + openings;
  }

  #take(client: Client, operation: Operation, reply: Reply): void {
    const { group } = operation.planned;
    switch (reply.kind) {
      case "opened":
        if (!client.opening) return;
        client.openings++;
        client.sessions.set(group, { id: reply.session, nextSerial: 1 });
        return this.#ask(client);
      case "done":
        operation.outcome = "ok";
        operation.result = reply.result;
        operation.completedUs = this.world.scheduler.nowUs;
        this.acknowledged++;
        return this.#complete(client, operation);
      case "refused":
      case "unknown":
        return this.#askLater(client, group, reply.leader);
      case "expired":
        client.sessions.delete(group);
        // An earlier attempt may have been applied before the session went.
        if (client.sent > 1) return this.#giveUp(client, operation);
        operation.serial = 0;
        client.sent = 0;
        return this.#askLater(client, group, 0);
    }
  }

  #askLater(client: Client, group: number, leader: number): void {
    const { scheduler, timing, nodes } = this.world;
    const word = timing.word(scheduler.nowUs, client.index, 2);
    // Not every time: nodes that were cut off may go on naming one that knows nothing any more. Then any
    // node will do: the next one could lead round the same few for ever.
    const hinted = leader > 0 && leader <= nodes;
    const follows = hinted && client.attempt % hintsOneNotIn > 0;
    const other = hinted ? word >>> 16 : this.#guess(client, group) + 1;
    client.guesses.set(group, follows ? leader - 1 : other % nodes);
    client.attempt++;
    const { min, max } = this.world.times.backoffUs;
    const atUs = scheduler.nowUs + within(word, min, max);
    scheduler.add(atUs, eventKind.clientNext, client.index, client.attempt, this.world.set);
  }

  #giveUp(client: Client, operation: Operation): void {
    operation.outcome = isRead(operation.planned) || client.sent === 0 ? "failed" : "unknown";
    if (operation.outcome === "failed") operation.completedUs = this.world.scheduler.nowUs;
    this.#complete(client, operation);
  }

  #complete(client: Client, operation: Operation): void {
    this.#closeSession(client, operation.planned.group);
    this.world.completed(operation);
    this.think(client);
  }

  #echo(client: Client, bytes: Uint8Array): void {
    const { habits, scheduler, nodes } = this.world;
    if (habits === null) return;
    const { echo } = habits.thousandths;
    if (!habits.echo.unusual(echo, scheduler.nowUs, client.index)) return;
    const node = habits.echo.word(1) % nodes;
    const afterUs = within(habits.echo.word(2), echoUs.min, echoUs.max);
    habits.askLater(client.index, node, bytes, afterUs);
  }

  #utterNonsense(client: Client, group: number, session: Session): void {
    const { habits, scheduler } = this.world;
    const { index } = client;
    if (habits === null) return;
    if (!habits.nonsense.unusual(habits.thousandths.nonsense, scheduler.nowUs, index)) return;
    const bytes = this.#dialect.nonsense(group, session.id, session.nextSerial++);
    habits.askLater(index, this.#guess(client, group), bytes, 0);
  }

  #closeSession(client: Client, group: number): void {
    const { habits, scheduler } = this.world;
    const session = client.sessions.get(group);
    if (habits === null || session === undefined) return;
    const { close } = habits.thousandths;
    if (!habits.close.unusual(close, scheduler.nowUs, client.index)) return;
    client.sessions.delete(group);
    const bytes = this.#dialect.close(group, session.id);
    habits.askLater(client.index, this.#guess(client, group), bytes, 0);
  }

  #guess(client: Client, group: number): number {
    return client.guesses.get(group) ?? (client.index + group) % this.world.nodes;
  }
}
