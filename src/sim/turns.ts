/** Clients that do operations one after the other, as they are given them; how they do one is theirs. */
import type { Operation } from "../lab/operation.js";
import type { PlannedOperation } from "../lab/run-result.js";
import type { ClientWorld, NextOperation, Population } from "./clients.js";
import { eventKind } from "./events.js";

export interface TurnTaker {
  readonly index: number;
  /** What it thinks about. */
  planned: PlannedOperation | null;
  operation: Operation | null;
  /** Which thought or attempt is under way; events of others are void. */
  attempt: number;
  idle: boolean;
}

export abstract class Turns<Client extends TurnTaker> implements Population {
  readonly operations: Operation[] = [];
  acknowledged = 0;
  protected readonly world: ClientWorld;
  protected abstract readonly clients: readonly Client[];
  #next: NextOperation;
  #stopped = false;

  constructor(world: ClientWorld, next: NextOperation) {
    this.world = world;
    this.#next = next;
  }

  get count(): number {
    return this.clients.length;
  }

  get idle(): boolean {
    return this.clients.every((client) => client.idle);
  }

  start(next: NextOperation | null = null): void {
    if (next !== null) this.#next = next;
    this.#stopped = false;
    for (const client of this.clients) this.think(client);
  }

  stop(): void {
    this.#stopped = true;
  }

  abstract answered(request: number, bytes: Uint8Array): boolean;
  abstract proceed(client: number, attempt: number): void;
  abstract timedOut(client: number, attempt: number): void;

  /** Done with its operation, if it had one, the client thinks about the next. */
  protected think(client: Client): void {
    const planned = this.#stopped ? null : this.#next(client.index, client.operation);
    client.idle = planned === null;
    client.planned = planned;
    client.operation = null;
    client.attempt++;
    if (planned === null) return;
    const { scheduler, set } = this.world;
    const atUs = scheduler.nowUs + planned.thinkUs;
    scheduler.add(atUs, eventKind.clientNext, client.index, client.attempt, set);
  }

  /** Thought enough: the operation has begun. Null when it is not to begin any more. */
  protected begin(client: Client): Operation | null {
    const { planned } = client;
    if (planned === null || this.#stopped) {
      client.idle = true;
      return null;
    }
    const operation: Operation = {
      planned,
      invokedUs: this.world.scheduler.nowUs,
      completedUs: Infinity,
      outcome: "open",
      result: null,
      session: 0,
      serial: 0,
      served: null,
    };
    client.operation = operation;
    this.operations.push(operation);
    this.world.invoked(operation);
    return operation;
  }
}
