/**
 * Nodes on ports in memory, under a clock that moves by hand. Frames take one step of it, the disk
 * finishes an operation each time it is asked to; whatever a test wants to hold back, it holds back.
 */
import { allMarks } from "../../../src/core/marks.js";
import type { MarkName, Marks } from "../../../src/core/marks.js";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import type { FramedMessage } from "../../../src/core/framing/messages.js";
import {
  type GroupId,
  type NodeId,
  type RequestId,
  groupId,
  incarnation,
  nodeId,
  replicaId,
  requestId,
} from "../../../src/core/ids.js";
import { Host } from "../../../src/core/node/host.js";
import type { HostParts } from "../../../src/core/node/host-parts.js";
import type { LogicFactory } from "../../../src/core/node/logic.js";
import type { FoundingGroup } from "../../../src/core/node/lifecycle.js";
import type { HostObserver, PersistRecord } from "../../../src/core/node/observer.js";
import type { NodeOptions } from "../../../src/core/node/options.js";
import type { RaftMessage } from "../../../src/core/raft/messages.js";
import type { WalOptions } from "../../../src/core/wal/options.js";
import { MemoryDisk } from "../wal/memory-disk.js";

export const walSizes: Partial<WalOptions> = { segmentBytes: 262_144, batchBytesMax: 131_072 };

export interface Submitted {
  readonly syncOp: number;
  readonly persists: readonly PersistRecord[];
}

/** One node: its disk outlives its hosts. */
export class Node implements HostObserver, Marks {
  readonly id: NodeId;
  readonly world: World;
  disk = new MemoryDisk();
  diskId: number;
  host: Host | null = null;
  wal = walSizes;
  boots = 0;
  wantsTurn = false;
  wakeAtUs = Infinity;
  /** How many operations the disk finishes in a millisecond. */
  diskSpeed = 8;
  stoppedWith = "";
  readonly marks: Partial<Record<MarkName, number>> = {};
  readonly submitted: Submitted[] = [];
  readonly released: { readonly to: NodeId; readonly message: RaftMessage }[] = [];
  readonly synced = new Set<number>();
  readonly restoredAt: number[] = [];
  readonly stepKinds: string[] = [];
  readonly events: string[] = [];
  readonly answers = new Map<RequestId, Uint8Array>();

  constructor(world: World, id: NodeId) {
    this.world = world;
    this.id = id;
    this.diskId = 1000 + id;
  }

  hit(name: MarkName): void {
    if (!(name in allMarks)) throw new Error(`no such mark: ${name}`);
    this.marks[name] = (this.marks[name] ?? 0) + 1;
  }

  replicaStarted(): void {
    this.events.push("replicaStarted");
  }

  stepped(_node: NodeId, kind: string): void {
    this.stepKinds.push(kind);
  }

  batchSubmitted(_node: NodeId, syncOp: number, persists: readonly PersistRecord[]): void {
    this.submitted.push({ syncOp, persists: persists.map((persist) => ({ ...persist })) });
  }

  messageReleased(_node: NodeId, to: NodeId, message: RaftMessage): void {
    this.released.push({ to, message });
  }

  applied(): void {}

  restored(_node: NodeId, _view: unknown, index: number): void {
    this.restoredAt.push(index);
  }

  answered(): void {}

  event(_node: NodeId, _group: GroupId, event: { readonly name: string }): void {
    this.events.push(event.name);
  }

  stopped(_node: NodeId, reason: string): void {
    this.stoppedWith = reason;
  }

  start(
    logic: LogicFactory,
    options: Partial<NodeOptions> = {},
    make: (parts: HostParts) => Host = (parts) => new Host(parts),
  ): Host {
    const { world, id } = this;
    this.boots++;
    this.wakeAtUs = Infinity;
    this.wantsTurn = false;
    this.answers.clear();
    let word = id * 7919 + this.boots;
    const host = make({
      node: id,
      clock: {
        nowUs: () => world.nowUs,
        wallUs: () => world.nowUs,
        wakeAt: (atUs) => (this.wakeAtUs = atUs),
      },
      network: { send: (to, frames) => world.send(id, to, frames) },
      disk: this.disk,
      random: { word: () => (word = (Math.imul(word, 48_271) + 11) >>> 0) },
      clients: {
        answer: (request, bytes) => {
          if (this.answers.has(request)) throw new Error(`two answers to ${request}`);
          this.answers.set(request, bytes);
        },
      },
      wantTurn: () => (this.wantsTurn = true),
      observer: this,
      marks: this,
      wal: this.wal,
      options,
      logic,
    });
    host.format(this.diskId, 0);
    this.host = host;
    host.start();
    return host;
  }

  /** What was not synced is gone. */
  kill(): void {
    this.host = null;
    this.disk.crash(() => 0);
  }

  wipe(): void {
    this.host = null;
    this.disk = new MemoryDisk();
    this.diskId += 100;
  }
}

export class World {
  nowUs = 1;
  readonly nodes: Node[];
  /** Asked for every frame; false loses it. */
  passes: (from: NodeId, to: NodeId, message: FramedMessage) => boolean = () => true;
  #flying: { readonly from: NodeId; readonly to: NodeId; readonly frame: Uint8Array }[] = [];
  #requests = 0;
  readonly #codec = binaryCodec();

  constructor(nodes: number) {
    this.nodes = Array.from({ length: nodes }, (_, at) => new Node(this, nodeId(at + 1)));
  }

  node(id: number): Node {
    return this.nodes[id - 1]!;
  }

  send(from: NodeId, to: NodeId, frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.#flying.push({ from, to, frame });
  }

  nextRequest(): RequestId {
    return requestId(++this.#requests);
  }

  /** One millisecond: disks, frames, timers, turns. */
  tick(): void {
    this.nowUs += 1000;
    for (const node of this.nodes) {
      for (let n = 0; n < node.diskSpeed; n++) {
        const done = node.disk.next();
        if (done === null) break;
        node.synced.add(done.op);
        node.host?.diskDone(done.op, done.result);
      }
      if (node.wakeAtUs <= this.nowUs) {
        node.wakeAtUs = Infinity;
        node.host?.woken();
      }
    }
    for (const { from, to, frame } of this.#flying.splice(0)) {
      const message = this.#codec.decode(frame);
      if (message.kind === "malformed") throw new Error("a host sent a malformed frame");
      if (this.passes(from, to, message)) this.node(to).host?.frameArrived(from, frame);
    }
    for (const node of this.nodes) {
      if (!node.wantsTurn) continue;
      node.wantsTurn = false;
      node.host?.turn();
    }
  }

  /** Ticks until `holds`; fails after so many milliseconds. */
  until(what: string, holds: () => boolean, ticksMax = 10_000): void {
    for (let n = 0; n < ticksMax; n++) {
      if (holds()) return;
      this.tick();
    }
    const stopped = this.nodes.map(({ stoppedWith }) => stoppedWith).filter(Boolean);
    throw new Error(`never: ${what}; ${stopped.join("; ")}`);
  }

  ticks(count: number): void {
    for (let n = 0; n < count; n++) this.tick();
  }

  /** The node whose replica leads the group; null when there is none or there are two. */
  leaderOf(group: GroupId): Node | null {
    const leaders = this.nodes.filter(({ host }) => host?.viewOf(group)?.role === "leader");
    return leaders.length === 1 ? leaders[0]! : null;
  }

  founding(group: number, members: readonly number[]): FoundingGroup {
    return {
      group: groupId(group),
      incarnation: incarnation(1),
      configuration: {
        voters: members.map((id, at) => ({
          replica: replicaId(at + 1),
          node: nodeId(id),
          disk: this.node(id).diskId,
        })),
        outgoing: [],
        learners: [],
        learnersNext: [],
        autoLeave: false,
        nextReplicaId: replicaId(members.length + 1),
      },
    };
  }
}
