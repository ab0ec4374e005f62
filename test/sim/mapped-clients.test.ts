/** Simulated clients of a mapped cluster, while slots move under their operations. */
import { describe, expect, test } from "vitest";
import { bytesKey } from "../../src/core/bytes.js";
import { type GroupId, groupId, incarnation, index, nodeId } from "../../src/core/ids.js";
import {
  type ClientAnswer,
  type ClientRequest,
  decodeClientAnswer,
  decodeClientRequest,
  encodeClientAnswer,
} from "../../src/core/store/client-protocol.js";
import { decodeKvCommand } from "../../src/core/store/commands.js";
import { KvStore } from "../../src/core/store/kv.js";
import { ReplicatedStore } from "../../src/core/store/replicated-store.js";
import type { Operation } from "../../src/lab/operation.js";
import { linearizability } from "../../src/lab/oracles/linearizability.js";
import { sessionsExactlyOnce } from "../../src/lab/oracles/sessions-exactly-once.js";
import type { PlannedOperation } from "../../src/lab/run-result.js";
import { habitThousandths, requestsMax, usualTimes } from "../../src/sim/clients.js";
import { Decisions, type Gate } from "../../src/sim/decisions.js";
import { eventKind } from "../../src/sim/events.js";
import { kvLanguage } from "../../src/sim/languages.js";
import { MappedClients, mapEveryUsUsual } from "../../src/sim/mapped-clients.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import { KeyedStream, sequential, within } from "../../src/sim/streams.js";
import { type Owners, decodeOwners, encodeOwners, nodes } from "../core/client/maps.js";
import { CountedMarks } from "../core/counted-marks.js";
import { Log, acceptance } from "../core/store/world.js";

const slotCount = 4;
const clientCount = 4;
const endUs = 20_000_000;
/** Of a group: one is forgotten now and then. */
const sessionsMax = 6;
/** A client's patience is short, so that it often ends without an answer. */
const times = { ...usualTimes, timeoutUs: { min: 40_000, max: 300_000 }, deadlineUs: 900_000 };
const none = { from: 0, to: 0 };

/** Counts how often each value was truly written. */
class CountingKv extends KvStore {
  readonly #written: Map<string, number>;

  constructor(written: Map<string, number>, marks: CountedMarks) {
    super({ slotCount, marks });
    this.#written = written;
  }

  override apply(bytes: Uint8Array, slot: number): Uint8Array {
    const command = decodeKvCommand(bytes);
    if (command.kind === "put") {
      const value = bytesKey(command.value);
      this.#written.set(value, (this.#written.get(value) ?? 0) + 1);
    }
    return super.apply(bytes, slot);
  }
}

/** Two groups, each a log that is applied at once, and a map that lags behind. */
class MappedWorld {
  readonly marks = new CountedMarks();
  readonly written = new Map<string, number>();
  readonly scheduler = new Scheduler();
  readonly clients: MappedClients;
  moves = 0;
  readonly #chance: KeyedStream;
  readonly #groups: ReadonlyMap<GroupId, Log>;
  readonly #order = [groupId(2), groupId(3)] as const;
  #owners: Owners;
  #published: Owners;
  #version = 1;
  #epoch = 0;

  constructor(seed: number, habits: boolean) {
    this.#chance = new KeyedStream(seed, "world");
    this.#groups = new Map(
      this.#order.map((group, at) => [group, this.#log(group, at === 0 ? undefined : none)]),
    );
    this.#owners = Array.from({ length: slotCount }, () => ({ group: this.#order[0], epoch: 0 }));
    this.#published = this.#owners;
    const draw = sequential(seed, "workload");
    const decisions = new Decisions(seed, { listed: null });
    let ordinal = 0;
    let astray = 9 * requestsMax;
    const { scheduler } = this;
    this.clients = new MappedClients(
      {
        set: 0,
        scheduler,
        times,
        timing: new KeyedStream(seed, "clients"),
        nodes: nodes.length,
        habits: habits
          ? {
              thousandths: habitThousandths,
              echo: decisions.gate("echo"),
              close: decisions.gate("close"),
              nonsense: decisions.gate("nonsense"),
              askLater: (_client, node, bytes, afterUs) =>
                scheduler.add(
                  scheduler.nowUs + afterUs,
                  eventKind.request,
                  node,
                  0,
                  astray++,
                  bytes,
                ),
            }
          : null,
        ask: (client, node, request, bytes) => this.#send(client, node, request, bytes),
        invoked: () => {},
        completed: () => {},
      },
      {
        cluster: {
          seeds: [nodeId(1)],
          slotCount,
          routing: null,
          decodeMap: decodeOwners,
          marks: this.marks,
        },
        language: kvLanguage,
        clients: clientCount,
        next: (client) => this.#plan(client, ++ordinal, draw),
        seed,
        mapEveryUs: mapEveryUsUsual,
      },
    );
  }

  run(): void {
    const { scheduler, clients } = this;
    clients.start();
    scheduler.add(500_000, eventKind.faultBeat);
    for (let n = 0; n < 1_000_000 && scheduler.next(); n++) {
      const { kind, a, b, c, payload } = scheduler;
      if (scheduler.nowUs > endUs) clients.stop();
      if (clients.idle) return;
      if (kind === eventKind.request) this.#arrives(a, c, payload as Uint8Array);
      else if (kind === eventKind.answer) clients.answered(c, payload as Uint8Array);
      else if (kind === eventKind.clientNext) clients.proceed(a, b);
      else if (kind === eventKind.clientTimeout) clients.timedOut(a, b);
      else if (kind === eventKind.faultBeat) this.#move();
      else if (kind === eventKind.phase) (payload as () => void)();
    }
  }

  #log(group: GroupId, owned: typeof none | undefined): Log {
    const { marks } = this;
    return new Log(
      new ReplicatedStore({
        group,
        incarnation: incarnation(0),
        machine: new CountingKv(this.written, marks),
        limits: { sessionsMax },
        marks,
        slotCount,
        ...(owned === undefined ? {} : { owned }),
      }),
    );
  }

  #plan(
    client: number,
    ordinal: number,
    draw: ReturnType<typeof sequential>,
  ): PlannedOperation | null {
    return {
      id: `${client}.${ordinal}`,
      client,
      thinkUs: draw.integer(0, 30_000),
      group: 0,
      kind: draw.pick(["put", "put", "get"]),
      key: draw.pick(["a", "b", "c", "d", "e", "f"]),
      value: `v${ordinal}`,
      expected: null,
      read: "leader",
    };
  }

  /** One in fifteen is lost, and one in eight is slow. */
  #send(client: number, node: number, request: number, bytes: Uint8Array): void {
    const word = this.#chance.word(this.scheduler.nowUs, client, node, 1);
    if (word % 15 === 0) return;
    const atUs = this.scheduler.nowUs + within(word >>> 8, 150, word % 8 === 0 ? 900_000 : 1_200);
    this.scheduler.add(atUs, eventKind.request, node, 0, request, bytes);
  }

  #arrives(node: number, number: number, bytes: Uint8Array): void {
    const request = decodeClientRequest(bytes);
    if (request.kind === "undecodable") throw new Error("a request can be read");
    const answer = this.#serve(node, request);
    const word = this.#chance.word(this.scheduler.nowUs, node, number, 2);
    if (word % 15 === 0) return;
    const atUs = this.scheduler.nowUs + within(word >>> 8, 150, word % 8 === 0 ? 900_000 : 1_200);
    this.scheduler.add(atUs, eventKind.answer, 0, 0, number, encodeClientAnswer(answer));
  }

  #serve(node: number, request: ClientRequest): ClientAnswer {
    if (request.kind === "map") {
      const version = this.#version;
      const bytes = version > request.known ? encodeOwners(version, this.#published) : none0;
      return { kind: "map", version, bytes };
    }
    const log = this.#groups.get(request.group)!;
    const leader = nodes[request.group % nodes.length]!;
    if (nodes[node] !== leader) return { kind: "refused", reason: "notLeader", leader };
    switch (request.kind) {
      case "openSession":
        return log.session({ kind: "open", nonce: request.nonce });
      case "closeSession":
        return log.session({ kind: "close", session: request.session });
      case "command": {
        const { session, serial, ackBelow, slot, epoch, command } = request;
        return log.data(session, serial, ackBelow, slot, command, epoch);
      }
      case "read":
        return decodeClientAnswer(
          log.stores[0]!.query(request.question, request.slot, request.epoch),
        ) as ClientAnswer;
    }
  }

  /** Released, accepted after a while, and on the map after another while. */
  #move(): void {
    const { scheduler } = this;
    const word = this.#chance.word(scheduler.nowUs, 3);
    scheduler.add(scheduler.nowUs + within(word, 300_000, 900_000), eventKind.faultBeat);
    const slot = (word >>> 3) % slotCount;
    const { group } = this.#owners[slot]!;
    const to = this.#order[group === this.#order[0] ? 1 : 0];
    const slots = { from: slot, to: slot + 1 };
    const epoch = ++this.#epoch;
    const from = this.#groups.get(group)!;
    from.life({ kind: "exportSlots", slots, epoch });
    this.#after(within(word >>> 5, 1_000, 150_000), () => {
      for (const step of acceptance(slots, epoch, from.kept(slots, epoch))) {
        this.#groups.get(to)!.life(step);
      }
      from.life({ kind: "dropSlots", slots, epoch });
      this.#owners = this.#owners.map((each, at) => (at === slot ? { group: to, epoch } : each));
      this.moves++;
    });
    this.#after(within(word >>> 7, 150_000, 290_000), () => {
      this.#published = this.#owners;
      this.#version++;
    });
  }

  #after(afterUs: number, what: () => void): void {
    this.scheduler.add(this.scheduler.nowUs + afterUs, eventKind.phase, 0, 0, 0, what);
  }
}

const none0 = new Uint8Array(0);

/** Was a put written as often as its outcome says? */
function isTrue({ planned, outcome }: Operation, written: ReadonlyMap<string, number>): boolean {
  if (planned.kind !== "put") return outcome !== "unknown";
  const times = written.get(planned.value) ?? 0;
  return outcome === "unknown" ? times <= 1 : times === (outcome === "ok" ? 1 : 0);
}

describe("mapped clients", () => {
  test.each([
    [1, true],
    [2, true],
    [3, true],
    [4, false],
  ])("keep their promises while slots move (seed %i, habits %s)", (seed, habits) => {
    const world = new MappedWorld(seed, habits);
    world.run();
    const { operations, acknowledged } = world.clients;
    const violations: string[] = [];
    for (const spec of [linearizability, sessionsExactlyOnce]) {
      const report = ({ message }: { readonly message: string }): void => {
        violations.push(message);
      };
      const oracle = spec.make(report, report as never);
      oracle.finished?.(operations);
    }
    expect(violations).toEqual([]);
    expect(world.clients.idle).toBe(true);
    expect(world.moves).toBeGreaterThan(15);
    expect(operations.every(({ outcome }) => outcome !== "open")).toBe(true);
    expect(acknowledged / operations.length).toBeGreaterThan(0.5);
    expect(operations.length).toBeGreaterThan(300);
    expect(operations.filter((each) => !isTrue(each, world.written))).toEqual([]);
    expect(world.marks.has("clientSessionMoved")).toBe(true);
    expect(world.marks.has("clientRenumbered")).toBe(true);
  });

  test("a run is repeated by its seed", () => {
    const [first, second] = [1, 1].map((seed) => {
      const world = new MappedWorld(seed, true);
      world.run();
      return world.clients.operations;
    });
    expect(second).toEqual(first);
  });

  // A copy that went astray may be applied although the attempt itself was refused.
  test.each([
    ["failed", null],
    ["unknown", { unusual: () => true, word: () => 0 } as unknown as Gate],
  ])("all attempts were refused: %s", (outcome, echo) => {
    const scheduler = new Scheduler();
    const never = { unusual: () => false } as unknown as Gate;
    const answers = (bytes: Uint8Array): ClientAnswer => {
      const request = decodeClientRequest(bytes);
      const session = { group: groupId(2), incarnation: incarnation(0), index: index(1) };
      return request.kind === "openSession"
        ? { kind: "opened", session }
        : { kind: "refused", reason: "notReady", leader: 0 };
    };
    const put = { id: "0.1", client: 0, thinkUs: 0, group: 0, kind: "put", key: "a" } as const;
    const left: PlannedOperation[] = [{ ...put, value: "v", expected: null, read: "leader" }];
    const clients = new MappedClients(
      {
        set: 0,
        scheduler,
        times,
        timing: new KeyedStream(1, "clients"),
        nodes: nodes.length,
        habits: echo && {
          thousandths: habitThousandths,
          echo,
          close: never,
          nonsense: never,
          askLater: () => {},
        },
        ask: (_client, _node, request, bytes) =>
          scheduler.add(scheduler.nowUs + 100, eventKind.answer, 0, 0, request, answers(bytes)),
        invoked: () => {},
        completed: () => {},
      },
      {
        cluster: {
          seeds: [nodeId(1)],
          slotCount,
          routing: decodeOwners(
            encodeOwners(
              1,
              [2, 2, 2, 2].map((group) => ({ group: groupId(group), epoch: 0 })),
            ),
          ),
          decodeMap: null,
          marks: new CountedMarks(),
        },
        language: kvLanguage,
        clients: 1,
        next: () => left.shift() ?? null,
        seed: 1,
        mapEveryUs: mapEveryUsUsual,
      },
    );
    clients.start();
    while (!clients.idle && scheduler.next()) {
      const { kind, a, b, c, payload } = scheduler;
      if (kind === eventKind.clientNext) clients.proceed(a, b);
      else if (kind === eventKind.clientTimeout) clients.timedOut(a, b);
      else clients.answered(c, encodeClientAnswer(payload as ClientAnswer));
    }
    expect(clients.operations.map((each) => each.outcome)).toEqual([outcome]);
  });
});
