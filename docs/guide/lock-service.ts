import type { Machine, MachineEffect, MachineInput, NodeId, Token } from "quorumlab/core";
import { noToken } from "quorumlab/core";
import type { ProtocolProperty, Scenario } from "quorumlab/lab";
import { fault, mixedWorkload, second, smallCluster, times } from "quorumlab/lab";

const server = 1;
const notServer = new Uint8Array(0);

/** Node 1 grants locks, each with a fencing number that no other lock may ever have. */
export class LockService implements Machine<MachineInput, MachineEffect> {
  readonly state = { me: 0, number: 0, token: 0 };

  step(_now: number, input: MachineInput, out: MachineEffect[]): void {
    if (input.kind === "start") this.#start(input.node, input.records);
    else if (input.kind !== "request") return;
    else if (this.state.me === server) this.#grant(input.request, out);
    else out.push({ kind: "answer", request: input.request, bytes: notServer, after: noToken });
  }

  /** What was persisted comes back, in order: the last record is the newest number. */
  #start(node: NodeId, records: readonly Uint8Array[]): void {
    this.state.me = node;
    this.state.number = records.at(-1)?.[0] ?? 0;
  }

  #grant(request: MachineRequest, out: MachineEffect[]): void {
    const record = Uint8Array.of(++this.state.number);
    const token = ++this.state.token as Token;
    out.push({ kind: "persist", token, record });
    // The bug: this answer must wait for the record, so `after: token`. It leaves at once.
    out.push({ kind: "answer", request, bytes: record, after: noToken });
  }
}

type MachineRequest = Extract<MachineInput, { kind: "request" }>["request"];

const noNumberTwice: ProtocolProperty = {
  id: "fencing",
  about: "no two locks have the same fencing number",
  judge() {
    const granted = new Set<number>();
    return ({ answer }) => {
      const number = answer[0];
      if (number === undefined) return null;
      if (granted.has(number)) return `fencing number ${number} was given out twice`;
      granted.add(number);
      return null;
    };
  },
};

export const brokenLockService: Scenario = {
  name: "broken-lock-service",
  about: "a lock service that answers before its disk knows",
  cluster: smallCluster,
  workload: { ...mixedWorkload, thinkUs: { min: 200_000, max: second } },
  faults: {
    swarm: ["loss", "delay", "tornWrite"],
    swarmFaultsMax: 2,
    plan: (draw, { nodes, attackUs }) =>
      times(draw, { fromUs: second, toUs: attackUs }, { minUs: second, maxUs: 3 * second }).map(
        (atUs, n) => fault({ kind: "kill", atUs, forUs: second / 4, nodes: nodes.slice(0, 1) }, n),
      ),
  },
  phases: { attackUs: 20 * second },
  expect: "ok",
  protocol: {
    machine: () => new LockService(),
    request: () => Uint8Array.of(1),
    properties: [noNumberTwice],
  },
};

export const scenarios: readonly Scenario[] = [brokenLockService];
