import type { SlotRange, StateMachine } from "quorumlab/core";
import { digestOf } from "quorumlab/core";
import type { Model, Scenario, StateMachineRequest } from "quorumlab/lab";
import { fault, linearizable, mixedWorkload, partByKey } from "quorumlab/lab";
import { second, smallCluster, times } from "quorumlab/lab";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (from: Uint8Array): string => new TextDecoder().decode(from);

/** A waiting room for each slot: `join NAME` takes the last place, `next` calls who came first. */
export class WaitingRooms implements StateMachine {
  readonly #rooms = new Map<number, readonly string[]>();

  apply(command: Uint8Array, slot: number): Uint8Array {
    const [verb, name] = text(command).split(" ");
    const room = this.#rooms.get(slot) ?? [];
    if (verb === "join" && name !== undefined) this.#rooms.set(slot, [...room, name]);
    if (verb !== "next") return bytes("");
    this.#rooms.set(slot, room.slice(1));
    return bytes(room[0] ?? "");
  }

  query(_question: Uint8Array, slot: number): Uint8Array {
    return bytes((this.#rooms.get(slot) ?? []).join(" "));
  }

  exportSlots(slots: SlotRange): Uint8Array {
    return bytes(this.#lines(slots).join("\n"));
  }

  importSlots(slots: SlotRange, state: Uint8Array): boolean {
    const lines = text(state) === "" ? [] : text(state).split("\n");
    const found = lines.map((line) => line.split(" "));
    if (!found.every(([slot, name]) => name && isWithin(slots, Number(slot)))) return false;
    for (const slot of this.#rooms.keys()) if (isWithin(slots, slot)) this.#rooms.delete(slot);
    for (const [slot, name] of found) this.apply(bytes(`join ${name}`), Number(slot));
    return true;
  }

  digest(): readonly [number, number] {
    return digestOf(this.#lines({ from: 0, to: Infinity }));
  }

  /** Who waits: the slot and the name, a line each. */
  #lines(slots: SlotRange): string[] {
    const rooms = [...this.#rooms].filter(([slot]) => isWithin(slots, slot));
    const lines = rooms.flatMap(([slot, names]) => names.map((name) => `${slot} ${name}`));
    // The bug: equal states must give equal lines, but sorted like this, who came first is lost.
    return lines.sort();
  }
}

const isWithin = ({ from, to }: SlotRange, slot: number): boolean => slot >= from && slot < to;

/** One room as its clients should see it. */
const firstComeFirstServed: Model<readonly string[], StateMachineRequest, Uint8Array> = {
  name: "first come, first served",
  partition: partByKey,
  initial: [],
  step(room, request, answer) {
    const [verb, name] = text(request.bytes).split(" ");
    if (verb === "join") return [...room, name!];
    const expected = verb === "next" ? (room[0] ?? "") : room.join(" ");
    if (answer !== undefined && text(answer) !== expected) return undefined;
    return verb === "next" ? room.slice(1) : room;
  },
  readOnly: ({ kind }) => kind === "query",
  stateKey: (room) => room.join(" "),
  operationKey: (request, answer) => `${text(request.bytes)}: ${answer && text(answer)}`,
};

const rooms = ["red", "green", "blue"];
const look = (key: string): StateMachineRequest => ({ kind: "query", key, bytes: bytes("who") });

export const waitingRooms: Scenario = {
  name: "waiting-rooms",
  about: "waiting rooms whose snapshots forget who came first",
  cluster: { ...smallCluster, raft: { snapshotEveryEntries: 16, trailingEntries: 4 } },
  workload: mixedWorkload,
  faults: {
    swarm: ["loss", "delay"],
    swarmFaultsMax: 2,
    plan: (draw, { attackUs }) =>
      times(draw, { fromUs: second, toUs: attackUs }, { minUs: second, maxUs: 4 * second }).map(
        (atUs, n) => fault({ kind: "kill", atUs, forUs: second / 2 }, n),
      ),
  },
  phases: { attackUs: 20 * second },
  expect: "ok",
  stateMachine: {
    machine: () => new WaitingRooms(),
    request(draw) {
      const key = draw.pick(rooms);
      if (draw.chance(250)) return look(key);
      const join = `join ${draw.pick(["ann", "bob", "eve"])}`;
      return { kind: "command", key, bytes: bytes(draw.chance(500) ? join : "next") };
    },
    lastQuestions: rooms.map(look),
    properties: [linearizable(firstComeFirstServed)],
  },
};

export const scenarios: readonly Scenario[] = [waitingRooms];
