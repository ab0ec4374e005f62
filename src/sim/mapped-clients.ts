/**
 * Clients of a mapped cluster: each is a client machine of the core, which finds out for itself who
 * serves a key. What a planned operation says of its group is not looked at.
 */
import { ByteWriter, emptyBytes, keyBytes } from "../core/bytes.js";
import { Client as Machine } from "../core/client/client.js";
import type { ClientEffect, ClientInput, Outcome } from "../core/client/contract.js";
import type { ClientOptions } from "../core/client/options.js";
import {
  type ClientReadMode,
  decodeClientAnswer,
  decodeClientRequest,
} from "../core/store/client-protocol.js";
import { slotOf } from "../core/store/slots.js";
import { type Attempt, type Operation, type Served, isRead } from "../lab/operation.js";
import type { PlannedOperation } from "../lab/run-result.js";
import { type ClientWorld, type NextOperation, echoUs, requestsMax } from "./clients.js";
import { eventKind } from "./events.js";
import type { Language } from "./languages.js";
import { seedWords, within } from "./streams.js";
import { type TurnTaker, Turns } from "./turns.js";

/** Between two requests of a client for the map, where the workload does not say. */
export const mapEveryUsUsual = 50_000;
/** Nobody waits longer for what comes of nonsense. */
const nonsenseUs = 1_000_000;

function servedBy({ attempts, answered }: Client): Served | null {
  const attempt = attempts.get(answered);
  if (attempt === undefined) return null;
  const { slot, group, epoch } = attempt;
  return { slot, group, epoch };
}

/** What all clients of a set know of the cluster when they start. */
type Cluster = Pick<ClientOptions, "seeds" | "slotCount" | "routing" | "decodeMap" | "marks">;

export interface MappedOptions {
  readonly cluster: Cluster;
  readonly language: Language;
  readonly clients: number;
  readonly next: NextOperation;
  /** Of the run. */
  readonly seed: number;
  /** Between two requests of a client for the map. */
  readonly mapEveryUs: number;
}

interface Client extends TurnTaker {
  machine: Machine;
  /** A client that closes begins another life. */
  life: number;
  /** The machine's number for it; what it does under others is of no interest. */
  number: number;
  /** What its attempts asked of whom. */
  attempts: Map<number, Attempt>;
  /** The attempt whose answer is being looked at. */
  answered: number;
  /** Attempts of which a copy went astray: they may be applied though they were refused. */
  echoed: number[];
  /** Which wish to be woken is in force. */
  wish: number;
}

export class MappedClients extends Turns<Client> {
  protected readonly clients: readonly Client[];
  readonly #options: MappedOptions;

  constructor(world: ClientWorld, options: MappedOptions) {
    super(world, options.next);
    this.#options = options;
    this.clients = Array.from({ length: options.clients }, (_, index) => ({
      index,
      machine: this.#newMachine(index, 0, 1),
      life: 0,
      planned: null,
      operation: null,
      number: 0,
      attempts: new Map(),
      answered: 0,
      echoed: [],
      attempt: 0,
      wish: 0,
      idle: true,
    }));
  }

  /** A `clientNext` event is due: thought enough. */
  proceed(index: number, attempt: number): void {
    const client = this.clients[index]!;
    if (attempt === client.attempt && client.operation === null) this.begin(client);
  }

  /** A `clientTimeout` event is due: the machine wished to be woken. */
  timedOut(index: number, wish: number): void {
    const client = this.clients[index]!;
    if (wish === client.wish) this.#step(client, { kind: "timer" });
  }

  /** True when the request was a client's. */
  answered(request: number, bytes: Uint8Array): boolean {
    const own = request - this.world.set * requestsMax;
    if (own < 0 || own >= requestsMax) return false;
    const client = this.clients[own % this.count]!;
    const number = Math.floor(own / this.count);
    if (!client.echoed.includes(number) || decodeClientAnswer(bytes).kind === "done") {
      client.answered = number;
      this.#hear(client, number, bytes);
      this.#step(client, { kind: "answer", request: number, bytes });
    }
    return true;
  }

  protected override begin(client: Client): Operation | null {
    client.attempts.clear();
    client.echoed = [];
    const operation = super.begin(client);
    if (operation === null) return null;
    this.#utterNonsense(client, operation.planned);
    this.#submit(client, operation.planned);
    return operation;
  }

  #submit(client: Client, planned: PlannedOperation): void {
    const { language, cluster } = this.#options;
    const mode: ClientReadMode = planned.read === "leader" ? "index" : planned.read;
    client.number++;
    this.#step(client, {
      kind: "submit",
      operation: client.number,
      slot: slotOf(keyBytes(planned.key), cluster.slotCount),
      timeoutUs: this.world.times.deadlineUs,
      ...(isRead(planned)
        ? { type: "read", mode, bytes: language.question(planned) }
        : { type: "command", bytes: language.command(planned) }),
    });
  }

  /** World time will do for a clock: no client compares it with anybody else's. */
  #step(client: Client, input: ClientInput): void {
    const effects: ClientEffect[] = [];
    client.machine.step(this.world.scheduler.nowUs, input, effects);
    let outcome: Outcome | null = null;
    for (const effect of effects) {
      if (effect.kind === "ask") this.#ask(client, effect);
      else if (effect.kind === "wakeAt") this.#wakeAt(client, effect.at);
      else if (effect.operation === client.number) outcome = effect.outcome;
    }
    if (outcome !== null && client.operation !== null) {
      this.#complete(client, client.operation, outcome);
    }
  }

  #ask(client: Client, { node, request, bytes, operation }: ClientEffect & { kind: "ask" }): void {
    const { set, nodes } = this.world;
    const { index } = client;
    // A node that there is not stays silent.
    if (node <= nodes) {
      this.world.ask(index, node - 1, set * requestsMax + request * this.count + index, bytes);
    }
    const echoed = this.#echo(client, bytes);
    if (operation === client.number && client.operation !== null) {
      this.#note(client, client.operation, { node, request, bytes, echoed });
    }
  }

  /** Whom the newest attempt asks for what; of a command its session and serial, and its echo. */
  #note(
    client: Client,
    operation: Operation,
    of: {
      readonly node: number;
      readonly request: number;
      readonly bytes: Uint8Array;
      readonly echoed: boolean;
    },
  ): void {
    const asked = decodeClientRequest(of.bytes);
    if (asked.kind !== "command" && asked.kind !== "read") return;
    const { group, slot, epoch } = asked;
    const attempt = { slot, group, epoch, node: of.node };
    client.attempts.set(of.request, attempt);
    this.world.asked(operation, attempt);
    if (asked.kind === "read") return;
    operation.session = asked.session.index;
    operation.serial = asked.serial;
    if (of.echoed) client.echoed.push(of.request);
  }

  #hear({ operation, attempts }: Client, request: number, bytes: Uint8Array): void {
    const attempt = attempts.get(request);
    if (operation !== null && attempt !== undefined) this.world.heard(operation, attempt, bytes);
  }

  #wakeAt(client: Client, atUs: number): void {
    const { scheduler, set } = this.world;
    client.wish++;
    if (atUs === Infinity) return;
    scheduler.add(atUs, eventKind.clientTimeout, client.index, client.wish, set);
  }

  #complete(client: Client, operation: Operation, outcome: Outcome): void {
    const result = outcome.kind === "done" ? this.#options.language.result(outcome.bytes) : null;
    if (result !== null) {
      operation.outcome = "ok";
      operation.result = result;
      operation.served = servedBy(client);
      this.acknowledged++;
    } else {
      // What the state machine did not do when it was asked to has failed, too.
      const sure = outcome.kind === "failed" || outcome.kind === "done";
      operation.outcome = sure ? "failed" : "unknown";
    }
    if (operation.outcome !== "unknown") operation.completedUs = this.world.scheduler.nowUs;
    this.#close(client);
    this.world.completed(operation);
    this.think(client);
  }

  /** True when a copy of the request goes astray. */
  #echo(client: Client, bytes: Uint8Array): boolean {
    const { habits, scheduler, nodes } = this.world;
    if (habits === null) return false;
    const { echo } = habits.thousandths;
    if (!habits.echo.unusual(echo, scheduler.nowUs, client.index)) return false;
    const node = habits.echo.word(1) % nodes;
    const afterUs = within(habits.echo.word(2), echoUs.min, echoUs.max);
    habits.askLater(client.index, node, bytes, afterUs);
    return true;
  }

  /** It goes beside the operation, on the same slot and under the same session. */
  #utterNonsense(client: Client, { key }: PlannedOperation): void {
    const { habits, scheduler } = this.world;
    const { index } = client;
    if (habits === null) return;
    if (!habits.nonsense.unusual(habits.thousandths.nonsense, scheduler.nowUs, index)) return;
    const slot = slotOf(keyBytes(key), this.#options.cluster.slotCount);
    client.number++;
    this.#step(client, {
      kind: "submit",
      operation: client.number,
      slot,
      timeoutUs: nonsenseUs,
      type: "command",
      bytes: emptyBytes,
    });
  }

  /** The client ends, and another takes its place that knows no more than the first one did. */
  #close(client: Client): void {
    const { habits, scheduler } = this.world;
    const { index } = client;
    if (habits === null) return;
    if (!habits.close.unusual(habits.thousandths.close, scheduler.nowUs, index)) return;
    this.#step(client, { kind: "close" });
    client.life++;
    client.machine = this.#newMachine(index, client.life, client.machine.state.nextRequest);
  }

  #newMachine(index: number, life: number, firstRequest: number): Machine {
    const { set, times } = this.world;
    const { cluster, seed, mapEveryUs } = this.#options;
    const nonce = new ByteWriter();
    for (const part of [set, index, life]) nonce.u53(part);
    return new Machine({
      ...cluster,
      nonce: nonce.finish(),
      seed: seedWords(seed, `client-${set}-${index}-${life}`),
      firstRequest,
      times: { timeoutUs: times.timeoutUs, backoffUs: times.backoffUs, mapEveryUs },
    });
  }
}
