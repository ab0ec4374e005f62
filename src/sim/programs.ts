/** What runs in a simulated process: the real host, with the multi-Raft node or a user's machine. */
import type { Door } from "../core/framing/frame-types.js";
import { groupId, incarnation, replicaId } from "../core/ids.js";
import type { Boot, GroupId, NodeId, RequestId } from "../core/ids.js";
import { Host } from "../core/node/host.js";
import type { FoundingGroup } from "../core/node/lifecycle.js";
import type { LogicFactory } from "../core/node/logic.js";
import { userMachine } from "../core/node/machine-node.js";
import { multiRaft } from "../core/node/multi-raft-node.js";
import type { Random } from "../core/ports/random.js";
import type { Bound } from "../core/raft/view.js";
import { nextWord, seededRandom } from "../core/random.js";
import type { DiskResult } from "../core/ports/disk.js";
import type { ProtocolSpec, ResolvedCluster, StateMachineSpec } from "../lab/scenario.js";
import { type Cluster, diskIdOf } from "./cluster.js";
import type { SimOptions } from "./options.js";
import { NotedObserver } from "./own-faults.js";
import type { Program, SimProcess } from "./process.js";
import { seedWords } from "./streams.js";

export type ProgramFactory = (cluster: Cluster, process: SimProcess) => Program;

/**
 * The multi-Raft node; groups are numbered from 1 and founded on the nodes' first disks. They
 * replicate the key-value store, or a state machine of the user's own.
 */
export function raftProgram(options: SimOptions, replicated?: StateMachineSpec): ProgramFactory {
  const { raft, sessions } = options;
  const machine = replicated === undefined ? {} : { machine: replicated.machine };
  return (cluster, process) => {
    const founding = foundingGroups(cluster.resolved).filter(({ configuration }) =>
      configuration.voters.some(({ node }) => node === process.node),
    );
    return hosted(cluster, process, options, multiRaft({ raft, sessions, founding, ...machine }));
  };
}

/** A fresh machine of the user's own for each boot. */
export function machineProgram(options: SimOptions, protocol: ProtocolSpec): ProgramFactory {
  return (cluster, process) => {
    const peers = cluster.resolved.nodes.filter((node) => node !== process.node);
    return hosted(cluster, process, options, userMachine(protocol.machine(), peers));
  };
}

export function foundingGroups({ groups }: ResolvedCluster): FoundingGroup[] {
  return groups.map((voters, group) => ({
    group: groupId(group + 1),
    incarnation: incarnation(1),
    configuration: {
      voters: voters.map((node, at) => ({
        replica: replicaId(at + 1),
        node,
        disk: diskIdOf(node - 1, 0),
      })),
      outgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
      nextReplicaId: replicaId(voters.length + 1),
    },
  }));
}

function hosted(
  cluster: Cluster,
  process: SimProcess,
  options: SimOptions,
  logic: LogicFactory,
): Program {
  const { ports, node, life } = process;
  const host = new Host({
    node,
    clock: ports.clock,
    network: ports.network,
    disk: ports.disk,
    random: randomOf(cluster.seed, node, life),
    clients: {
      answer: (request, bytes) => process.release(() => cluster.answer(process, request, bytes)),
    },
    wantTurn: () => process.wantTurn(),
    observer: new NotedObserver(cluster.recorder, process.ownFaults),
    marks: cluster.markCounter,
    logic,
    wal: options.wal,
    options: options.node,
  });
  // Only an empty disk takes the identity on.
  host.format(process.diskId, process.bootFloor);
  return new HostProgram(host);
}

class HostProgram implements Program {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  get boot(): number {
    return this.#host.boot;
  }

  get takesReplicas(): boolean {
    return !this.#host.status().forgotten;
  }

  states(): readonly unknown[] {
    return [this.#host.state];
  }

  stateOf(group: GroupId): unknown {
    return this.#host.stateOf(group);
  }

  bounds(group: GroupId): readonly Bound[] {
    return this.#host.bounds(group);
  }

  start(): void {
    this.#host.start();
  }

  woken(): void {
    this.#host.woken();
  }

  turn(): void {
    this.#host.turn();
  }

  request(door: Door, request: RequestId, bytes: Uint8Array): void {
    this.#host.request(door, request, bytes);
  }

  frameArrived(from: NodeId, frame: Uint8Array): void {
    this.#host.frameArrived(from, frame);
  }

  linkUp(peer: NodeId, boot: Boot, disk: number): void {
    this.#host.linkUp(peer, boot, disk);
  }

  linkDown(peer: NodeId): void {
    this.#host.linkDown(peer);
  }

  diskDone(op: number, result: DiskResult): void {
    this.#host.diskDone(op, result);
  }
}

function randomOf(seed: number, node: number, life: number): Random {
  const state = seededRandom([...seedWords(seed, `node-${node}-${life}`)]);
  return { word: () => nextWord(state) };
}
