/** What runs in a simulated process: the real host, with the multi-Raft node or a user's machine. */
import type { Door } from "../core/framing/frame-types.js";
import { groupId, incarnation, metaGroup, replicaId } from "../core/ids.js";
import { ClusterMap } from "../core/map/cluster-map.js";
import type { MapCommand } from "../core/map/commands.js";
import type { Marks } from "../core/marks.js";
import type { Boot, GroupId, NodeId, RequestId } from "../core/ids.js";
import { Host } from "../core/node/host.js";
import type { KeyPorts } from "../core/node/host-parts.js";
import type { FoundingGroup } from "../core/node/lifecycle.js";
import type { KeysHere, LogicFactory } from "../core/node/logic.js";
import { userMachine } from "../core/node/machine-node.js";
import { type MultiRaftParts, multiRaft } from "../core/node/multi-raft-node.js";
import type { Aead, DataKeyId } from "../core/ports/aead.js";
import type { Random } from "../core/ports/random.js";
import type { ReplicatedStore } from "../core/store/replicated-store.js";
import type { Bound, RaftView } from "../core/raft/view.js";
import { nextWord, seededRandom } from "../core/random.js";
import type { DiskResult } from "../core/ports/disk.js";
import type { HsmResult } from "../core/ports/hsm.js";
import type { RaftOptions } from "../core/raft/options.js";
import { KvStore } from "../core/store/kv.js";
import { slotCountDefault } from "../core/store/slots.js";
import type { MapSpec, ProtocolSpec, ResolvedCluster, StateMachineSpec } from "../lab/scenario.js";
import { type Cluster, diskIdOf } from "./cluster.js";
import type { SimOptions } from "./options.js";
import { SimVault } from "./keys/sim-vault.js";
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
  return (cluster, process) => {
    const { resolved, markCounter: marks } = cluster;
    const founding = foundingGroups(resolved).filter(({ configuration }) =>
      configuration.voters.some(({ node }) => node === process.node),
    );
    const own = replicated === undefined ? {} : { machine: replicated.machine };
    const mapped = resolved.map === null ? {} : mappedParts(resolved.map, raft, marks);
    const parts: MultiRaftParts = { raft, sessions, founding, ...own, ...mapped };
    const slow = cluster.executor.runs.some(({ fault }) => fault.kind === "slowMachine");
    const logic = multiRaft(
      slow ? { ...parts, machine: timedMachines(process, parts, marks) } : parts,
    );
    return hosted(cluster, process, options, logic);
  };
}

/** Machines whose commands take their node time while a fault says so; the map's takes none. */
function timedMachines(
  process: SimProcess,
  { machine, slotCount = slotCountDefault }: MultiRaftParts,
  marks: Marks,
): NonNullable<MultiRaftParts["machine"]> {
  return (group, life) => {
    const made = machine?.(group, life) ?? new KvStore({ slotCount, marks });
    if (made instanceof ClusterMap) return made;
    return {
      apply(command, slot) {
        process.machineRuns(group);
        return made.apply(command, slot);
      },
      query: (question, slot) => made.query(question, slot),
      exportSlots: (slots) => made.exportSlots(slots),
      importSlots: (slots, bytes) => made.importSlots(slots, bytes),
      digest: () => made.digest(),
    };
  };
}

/** The first group replicates the map; all others are founded without a slot. */
function mappedParts(
  { slotCount, balanceAfterUs = Infinity }: MapSpec,
  raft: RaftOptions,
  marks: Marks,
): Partial<MultiRaftParts> {
  const all = { from: 0, to: slotCount };
  const none = { from: 0, to: 0 };
  return {
    slotCount,
    machine: (group) =>
      group === metaGroup ? new ClusterMap(marks) : new KvStore({ slotCount, marks }),
    owned: (group) => (group === metaGroup ? all : none),
    steward: {
      askTimeoutUs: 2 * raft.electionTimeoutMaxUs,
      retryUs: raft.heartbeatUs,
      pieceBytes: Math.min(256, raft.entryBytesMax >> 1),
      laggingMax: 32,
      balanceAfterUs,
    },
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

/** What the map of a mapped cluster is made of. */
export function foundingMap(resolved: ResolvedCluster, { slotCount, zones }: MapSpec): MapCommand {
  return {
    kind: "make",
    slotCount,
    nodes: resolved.nodes.map((node) => ({
      node,
      disk: diskIdOf(node - 1, 0),
      weight: 1,
      zone: zones > 1 ? `zone-${node % zones}` : "",
      address: "",
    })),
    groups: foundingGroups(resolved).map(({ group, incarnation: life, configuration }) => {
      return { group, incarnation: life, weight: 1, members: configuration.voters };
    }),
  };
}

function hosted(
  cluster: Cluster,
  process: SimProcess,
  options: SimOptions,
  logic: LogicFactory,
): Program {
  const { ports, node, life } = process;
  const keys = cluster.resolved.sealed ? keyPorts(cluster, process) : null;
  const host = new Host({
    node,
    clock: ports.clock,
    network: ports.network,
    disk: ports.disk,
    random: randomOf(cluster.seed, node, life),
    ...(keys === null ? {} : { keys }),
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
  return new HostProgram(host, keys?.aead ?? null);
}

/** Data keys live as long as the process, the HSM's own as long as the node. */
function keyPorts({ seed, recorder }: Cluster, process: SimProcess): KeyPorts {
  const { node, life, hsm } = process;
  const random = seededRandom([...seedWords(seed, `vault-${node}-${life}`)]);
  const aead = new SimVault(random, recorder.keysOf(node));
  // It begins with the process, whose life is counted from here.
  const listener = {
    lives: () => process.life === life + 1 && process.alive,
    hsmDone: (op: number, result: HsmResult) => process.program?.hsmDone(op, result),
  };
  const port = hsm.portFor(listener, aead, life);
  return { aead, hsm: { submit: (op, asked) => process.release(() => port.submit(op, asked)) } };
}

class HostProgram implements Program {
  readonly #host: Host;
  readonly #aead: Aead | null;

  constructor(host: Host, aead: Aead | null) {
    this.#host = host;
    this.#aead = aead;
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

  views(): readonly RaftView[] {
    return this.#host.groupViews();
  }

  storeOf(group: GroupId): ReplicatedStore | null {
    return this.#host.storeOf(group);
  }

  keysOf(group: GroupId): KeysHere | null {
    return this.#host.keysOf(group);
  }

  holdsKey(id: DataKeyId): boolean {
    return this.#aead?.holds(id) === true;
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

  hsmDone(op: number, result: HsmResult): void {
    this.#host.hsmDone(op, result);
  }
}

export function randomOf(seed: number, node: number, life: number): Random {
  const state = seededRandom([...seedWords(seed, `node-${node}-${life}`)]);
  return { word: () => nextWord(state) };
}
