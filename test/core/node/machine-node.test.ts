import { expect, test } from "vitest";
import type { Token } from "../../../src/core/ids.js";
import type { Machine, MachineEffect, MachineInput } from "../../../src/core/machine.js";
import { userMachine } from "../../../src/core/node/machine-node.js";
import { World } from "./world.js";

/** Answers a request with all that was ever said to it, once that is durable. */
class Echo implements Machine<MachineInput, MachineEffect> {
  readonly state: { said: number[]; token: number; refused: number } = {
    said: [],
    token: 0,
    refused: 0,
  };
  readonly #careless: boolean;

  constructor(careless = false) {
    this.#careless = careless;
  }

  step(_now: number, input: MachineInput, out: MachineEffect[]): void {
    const { state } = this;
    if (input.kind === "start") for (const record of input.records) state.said.push(...record);
    if (input.kind === "persistFailed") state.refused++;
    if (input.kind !== "request") return;
    state.said.push(...input.bytes.subarray(0, 8));
    const token = (this.#careless ? 1 : ++state.token) as Token;
    out.push({ kind: "persist", token, record: input.bytes });
    const { request } = input;
    out.push({ kind: "answer", request, bytes: Uint8Array.from(state.said), after: token });
    out.push({ kind: "event", name: "said", data: state.said.length });
  }
}

function start(world: World, machine = new Echo()): Echo {
  world.node(1).start(userMachine(machine, []));
  world.until("it runs", () => world.node(1).host!.stage === "running");
  return machine;
}

test("machine: what was answered is there after a kill", () => {
  const world = new World(1);
  const node = world.node(1);
  start(world);
  for (const word of [[1, 2], [3]]) {
    const request = world.nextRequest();
    node.host!.request("request", request, Uint8Array.from(word));
    world.until("an answer", () => node.answers.has(request));
  }
  node.kill();
  start(world);
  const request = world.nextRequest();
  node.host!.request("request", request, Uint8Array.from([4]));
  world.until("an answer", () => node.answers.has(request));
  expect([...node.answers.get(request)!]).toEqual([1, 2, 3, 4]);
});

test("machine: a sync that does not return: no answer leaves", () => {
  const world = new World(1);
  const node = world.node(1);
  start(world);
  world.ticks(200);
  node.diskSpeed = 0;
  const request = world.nextRequest();
  node.host!.request("request", request, Uint8Array.from([1]));
  world.ticks(500);
  expect(node.answers.has(request)).toBe(false);
  node.diskSpeed = 8;
  world.until("an answer", () => node.answers.has(request));
});

test("machine: a record that no batch can hold is refused, others go on", () => {
  const world = new World(1);
  const node = world.node(1);
  const machine = start(world);
  node.host!.request("request", world.nextRequest(), new Uint8Array(200_000));
  world.until("it was refused", () => machine.state.refused === 1);
  const request = world.nextRequest();
  node.host!.request("request", request, Uint8Array.from([1]));
  world.until("an answer", () => node.answers.has(request));
  expect(node.stoppedWith).toBe("");
});

test("machine: a token given out twice: the node stops for good", () => {
  const world = new World(1);
  const node = world.node(1);
  start(world, new Echo(true));
  node.host!.request("request", world.nextRequest(), Uint8Array.from([1]));
  world.ticks(20);
  node.host!.request("request", world.nextRequest(), Uint8Array.from([2]));
  world.ticks(20);
  expect(node.stoppedWith).toBe("invariant: the tokens of a machine strictly increase");
  expect(node.host!.stage).toBe("stopped");
});

test("machine: a request says by which door it came", () => {
  const world = new World(1);
  const node = world.node(1);
  const doors: string[] = [];
  const machine = {
    state: null,
    step(_now: number, input: MachineInput): void {
      if (input.kind === "request") doors.push(input.door);
    },
  };
  node.start(userMachine(machine, []));
  world.until("it runs", () => node.host!.stage === "running");
  for (const door of ["request", "adminRequest"] as const) {
    node.host!.request(door, world.nextRequest(), new Uint8Array(0));
  }
  world.ticks(20);
  expect(doors).toEqual(["request", "adminRequest"]);
});
