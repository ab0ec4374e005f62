/**
 * Three whole nodes in simulated time, for counting what idle groups cost: no oracle and no recorder,
 * whose own memory would be counted too. Their logs are on the real disk, for a log in memory would be.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { groupId, incarnation, nodeId, replicaId } from "../src/core/ids.js";
import type { NodeId } from "../src/core/ids.js";
import { Host } from "../src/core/node/host.js";
import { multiRaft } from "../src/core/node/multi-raft-node.js";
import type { HostObserver } from "../src/core/node/observer.js";
import type { Disk, DiskResult } from "../src/core/ports/disk.js";
import type { Configuration } from "../src/core/raft/configuration.js";
import { Scheduler } from "../src/sim/scheduler.js";

const nodes = [1, 2, 3] as const;
const us = { turn: 20, frames: 500, disk: 100 } as const;
const event = { turn: 0, wake: 1, frames: 2, disk: 3 } as const;
const raft = { sleepAfterUs: 300_000 };
/** Node 1 leads every group: with 1 group and with many the same pairs of nodes have beats. */
const others = { ...raft, priorityDelayUs: 1_000_000 };
const wakesMax = 512;
/** So long nobody wakes any more: all nodes have started, and looked after their logs. */
const settledUs = 2_000_000;

class BenchNode {
  readonly host: Host;
  readonly disk: FileDisk;
  awake = 0;
  woken = 0;
  /** The wish that counts, and when it is due. */
  wish = 0;
  turnWanted = false;

  constructor(world: GroupsWorld, id: NodeId, directory: string, groups: number) {
    const founding = Array.from({ length: groups }, (_, at) => ({
      group: groupId(at + 1),
      incarnation: incarnation(1),
      configuration,
    }));
    let word = id * 7_919;
    this.disk = new FileDisk(world.scheduler, id, directory);
    this.host = new Host({
      node: id,
      clock: {
        nowUs: () => world.scheduler.nowUs,
        wallUs: () => world.scheduler.nowUs,
        wakeAt: (atUs) => {
          this.wish++;
          if (atUs !== Infinity) world.scheduler.add(atUs, event.wake, id, this.wish);
        },
      },
      network: { send: (to, frames) => world.send(id, to, frames) },
      disk: this.disk,
      random: { word: () => (word = (Math.imul(word, 48_271) + 11) >>> 0) },
      clients: { answer: () => undefined },
      wantTurn: () => {
        if (this.turnWanted) return;
        this.turnWanted = true;
        world.scheduler.add(world.scheduler.nowUs + us.turn, event.turn, id);
      },
      observer: observing(this),
      marks: { hit: () => undefined },
      options: { wakesMax },
      logic: multiRaft({ raft: id === 1 ? raft : others, founding }),
    });
    this.host.format(1_000 + id, 0);
    this.host.start();
  }
}

export class GroupsWorld {
  readonly scheduler = new Scheduler();
  readonly #directory = mkdtempSync(join(tmpdir(), "quorumlab-groups-"));
  readonly #nodes: BenchNode[] = [];
  readonly #groups: number;

  /** Founds so many groups and lets them fall asleep. */
  constructor(groups: number) {
    this.#groups = groups;
    for (const id of nodes) {
      this.#nodes.push(new BenchNode(this, nodeId(id), `${this.#directory}/${id}`, groups));
    }
    do {
      while (!this.#allSlept() && this.#next());
      this.run(settledUs);
    } while (!this.#allSlept());
  }

  /** Events of all nodes in `forUs` of simulated time. */
  run(forUs: number): number {
    const untilUs = this.scheduler.nowUs + forUs;
    let events = 0;
    for (; this.scheduler.nowUs < untilUs && this.#next(); events++);
    return events;
  }

  send(from: NodeId, to: NodeId, frames: readonly Uint8Array[]): void {
    this.scheduler.add(this.scheduler.nowUs + us.frames, event.frames, to, from, 0, frames);
  }

  /** How many groups have leaders, on node 1, and sleep on all nodes. */
  get sleeping(): number {
    let count = 0;
    // One at a time: a view of a group that sleeps in a row is made for whoever looks.
    for (let group = 1; group <= this.#groups; group++) {
      const views = this.#nodes.map(({ host }) => host.viewOf(groupId(group)));
      if (views[0]?.role === "leader" && views.every((view) => view?.asleep)) count++;
    }
    return count;
  }

  end(): void {
    for (const { disk } of this.#nodes) disk.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #allSlept(): boolean {
    return this.#nodes.every(({ awake, woken }) => woken >= this.#groups && awake === 0);
  }

  /** False when nothing is left to happen. */
  #next(): boolean {
    const { scheduler } = this;
    if (!scheduler.next()) return false;
    const { kind, a, b, c, payload } = scheduler;
    const node = this.#nodes[a - 1]!;
    switch (kind) {
      case event.turn:
        node.turnWanted = false;
        node.host.turn();
        break;
      case event.wake:
        if (node.wish === b) node.host.woken();
        break;
      case event.frames:
        for (const frame of payload as Uint8Array[]) node.host.frameArrived(nodeId(b), frame);
        break;
      case event.disk:
        node.host.diskDone(c, payload as DiskResult);
        break;
    }
    const { stage, reason } = node.host.status();
    if (stage === "stopped") throw new Error(`node ${a} stopped: ${reason}`);
    return true;
  }
}

/** A node that is founded begins asleep: what wakes and falls asleep again says so. */
function observing(node: BenchNode): HostObserver {
  const nothing = (): void => undefined;
  return {
    replicaStarted: nothing,
    stepped: nothing,
    batchSubmitted: nothing,
    messageReleased: nothing,
    applied: nothing,
    restored: nothing,
    answered: nothing,
    stopped: nothing,
    event: (_node, _group, { name }) => {
      if (name === "awoke") {
        node.awake++;
        node.woken++;
      } else if (name === "asleep") node.awake--;
    },
  };
}

const configuration: Configuration = {
  voters: nodes.map((id) => ({ replica: replicaId(id), node: nodeId(id), disk: 1_000 + id })),
  outgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
  nextReplicaId: replicaId(4),
};

const plain: DiskResult = { ok: true, bytes: null, files: null };

/** Files in a folder of the system's; a sync is no more than its time. */
class FileDisk implements Disk {
  readonly #scheduler: Scheduler;
  readonly #node: NodeId;
  readonly #path: string;
  readonly #handles = new Map<string, number>();

  constructor(scheduler: Scheduler, node: NodeId, path: string) {
    this.#scheduler = scheduler;
    this.#node = node;
    this.#path = path;
  }

  create(op: number, file: string, sizeBytes: number): void {
    ftruncateSync(this.#open(file), sizeBytes);
    this.#done(op);
  }

  write(op: number, file: string, offset: number, bytes: Uint8Array): void {
    writeSync(this.#open(file), bytes, 0, bytes.length, offset);
    this.#done(op);
  }

  sync(op: number): void {
    this.#done(op);
  }

  read(op: number, file: string, offset: number, lengthBytes: number): void {
    const bytes = new Uint8Array(lengthBytes);
    const count = readSync(this.#open(file), bytes, 0, lengthBytes, offset);
    this.#done(op, { ok: true, bytes: bytes.subarray(0, count), files: null });
  }

  truncate(op: number, file: string, sizeBytes: number): void {
    truncateSync(this.#of(file), sizeBytes);
    this.#done(op);
  }

  rename(op: number, from: string, to: string): void {
    this.close(from);
    this.close(to);
    renameSync(this.#of(from), this.#of(to));
    this.#done(op);
  }

  remove(op: number, file: string): void {
    this.close(file);
    rmSync(this.#of(file), { force: true });
    this.#done(op);
  }

  list(op: number): void {
    const prefix = `${this.#node}-`;
    const folder = join(this.#path, "..");
    const files = readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .sort()
      .map((name) => ({
        name: name.slice(prefix.length),
        sizeBytes: statSync(join(folder, name)).size,
      }));
    this.#done(op, { ok: true, bytes: null, files });
  }

  syncDirectory(op: number): void {
    this.#done(op);
  }

  /** Of one file, or of all. */
  close(only?: string): void {
    for (const [file, handle] of this.#handles) {
      if (only !== undefined && file !== only) continue;
      closeSync(handle);
      this.#handles.delete(file);
    }
  }

  #open(file: string): number {
    let handle = this.#handles.get(file);
    if (handle === undefined) {
      handle = openSync(this.#of(file), existsSync(this.#of(file)) ? "r+" : "w+");
      this.#handles.set(file, handle);
    }
    return handle;
  }

  #of(file: string): string {
    return join(this.#path, "..", `${this.#node}-${file}`);
  }

  #done(op: number, result: DiskResult = plain): void {
    this.#scheduler.add(this.#scheduler.nowUs + us.disk, event.disk, this.#node, 0, op, result);
  }
}
