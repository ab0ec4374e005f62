/**
 * The process of one node: its ports, its turns, and the ways in which it can be stopped. A crash or
 * a pause may fall between any two port calls of a turn: a step, a write, a sync, each release.
 */
import { assert } from "../core/assert.js";
import type { Door } from "../core/framing/frame-types.js";
import type { GroupId, NodeId, RequestId } from "../core/ids.js";
import type { KeysHere } from "../core/node/logic.js";
import type { DataKeyId } from "../core/ports/aead.js";
import type { Clock } from "../core/ports/clock.js";
import type { Disk, DiskEvents } from "../core/ports/disk.js";
import type { HsmEvents } from "../core/ports/hsm.js";
import type { Network, NetworkEvents } from "../core/ports/network.js";
import type { ReplicatedStore } from "../core/store/replicated-store.js";
import type { Bound, RaftView } from "../core/raft/view.js";
import type { SimClock } from "./clock.js";
import type { SimDisk } from "./disk.js";
import { eventKind } from "./events.js";
import type { SimHsm } from "./hsm.js";
import { InForce } from "./in-force.js";
import type { NetworkNode, SimNetwork } from "./network.js";
import { OwnFaults } from "./own-faults.js";
import type { Scheduler } from "./scheduler.js";
import type { KeyedStream } from "./streams.js";

/** What a world asks of the program that a process runs. */
export interface Program extends NetworkEvents, DiskEvents, HsmEvents {
  /** 0 until it has recovered; then it may be greeted and asked. */
  readonly boot: number;
  /** False when its disk has forgotten what lived there, and takes on no new replica any more. */
  readonly takesReplicas: boolean;
  start(): void;
  /** The wished-for time has come. */
  woken(): void;
  /** Handles a batch of what waits. */
  turn(): void;
  request(door: Door, request: RequestId, bytes: Uint8Array): void;
  /** Its replicas as they are; none of a user's own machine. */
  views(): readonly RaftView[];
  /** States of its machines, for digests. */
  states(): readonly unknown[];
  /** What the group replicates, as applied here; null when it lives elsewhere. */
  storeOf(group: GroupId): ReplicatedStore | null;
  /** Null unless the group has one replica here, with keys. */
  keysOf(group: GroupId): KeysHere | null;
  /** Whether a data key is in its hands, to seal and to open with. */
  holdsKey(id: DataKeyId): boolean;
  /** Of the machine that serves `group`; null when none does. */
  stateOf(group: GroupId): unknown;
  /** Its queues and their limits, and those of what serves `group`. */
  bounds(group: GroupId): readonly Bound[];
}

export interface ProcessPorts {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
}

/** From a wish for a turn to the turn, and how long one takes; microseconds. */
const turnLatencyUsMax = 60;
const turnUs = { min: 20, max: 120 } as const;
/** Port calls that may be held back while a process is paused. */
const heldMax = 100_000;

export class SimProcess implements NetworkNode {
  readonly node: NodeId;
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly hsm: SimHsm;
  readonly ports: ProcessPorts;
  readonly ownFaults: OwnFaults = new OwnFaults();
  /** Null while there is no process. */
  program: Program | null = null;
  diskId = 0;
  /** The highest boot that the node reached, over all its disks. */
  bootFloor = 0;
  /** World time of the last start. */
  startedUs = 0;
  /** Counts starts and stops; what was scheduled for another life is void. */
  life = 0;
  /** True from the moment in a turn at which the process died: nothing of the rest ever happened. */
  muted = false;
  /** Until then nothing runs; 0 when it runs. */
  pausedUntilUs = 0;
  /** Turns take so many times as long. */
  readonly slowness: InForce<number> = new InForce(1);
  /** By index of the group: what a command costs its state machine here, microseconds. */
  readonly slowMachines: Map<number, InForce<number>> = new Map();
  /** By so many millionths its clock runs fast. */
  readonly drift: InForce<number> = new InForce(0);
  /** Ordinal of the fault that last moved its wall clock; -1: none did. */
  wallSteppedBy = -1;
  /** Port calls that the next turn may still make before the process dies; -1: no limit. */
  callsUntilDeath = -1;
  /** True: those calls are counted over many turns, else the end of the turn is the end. */
  deathSpansTurns = false;
  /** True: they are counted from the next write on, so that the death falls close to it. */
  deathAwaitsWrite = false;
  /** How long it stays away after its death; -1: until somebody starts it. */
  downUs = -1;
  /** Ordinal of the fault by which it is to die; -1: none is. */
  killedBy = -1;
  /** True: that fault cuts starts short, and has done nothing if the start ended before. */
  isStartCut = false;
  /** The next starts are cut short, each by the fault with this ordinal. */
  readonly startsToCut: number[] = [];
  /** Port calls that the next turn may still make before a pause of `pauseForUs`; -1: no limit. */
  callsUntilPause = -1;
  pauseForUs = 0;
  /** Ordinal of the fault that pauses it, or is about to. */
  pausedBy = -1;
  readonly #scheduler: Scheduler;
  readonly #timing: KeyedStream;
  readonly #network: SimNetwork;
  readonly #wrote: (node: NodeId, file: string, bytes: Uint8Array) => void;
  readonly #died: (process: SimProcess) => void;
  readonly #effective: (fault: number) => void;
  #held: (() => void)[] = [];
  #turnPending = false;
  #inTurn = false;
  #bootWhenMuted = 0;
  #busyUntilUs = 0;
  /** Of the turn under way, beside what was drawn for it. */
  #spentUs = 0;
  #wakeDueUs = Infinity;
  #wish = 0;

  constructor(parts: {
    readonly node: NodeId;
    readonly makeClock: (wish: (atUs: number) => void) => SimClock;
    readonly disk: SimDisk;
    readonly hsm: SimHsm;
    readonly scheduler: Scheduler;
    readonly timing: KeyedStream;
    readonly network: SimNetwork;
    /** Hears of what goes to the disk. */
    readonly wrote: (node: NodeId, file: string, bytes: Uint8Array) => void;
    readonly died: (process: SimProcess) => void;
    readonly effective: (fault: number) => void;
  }) {
    this.node = parts.node;
    this.disk = parts.disk;
    this.hsm = parts.hsm;
    this.#scheduler = parts.scheduler;
    this.#timing = parts.timing;
    this.#network = parts.network;
    this.#wrote = parts.wrote;
    this.#died = parts.died;
    this.#effective = parts.effective;
    this.clock = parts.makeClock((atUs) => this.#wished(atUs));
    this.ports = this.#makePorts();
  }

  get index(): number {
    return this.node - 1;
  }

  /** Where arrivals go; null while there is no process. */
  get events(): NetworkEvents | null {
    return this.program;
  }

  get boot(): number {
    return this.program?.boot ?? 0;
  }

  /** False only while it runs and says so. */
  get takesReplicas(): boolean {
    return this.boot === 0 || this.program!.takesReplicas;
  }

  /** How long it has run and been able to; 0 while it cannot. */
  get upForUs(): number {
    if (this.boot === 0 || this.pausedUntilUs > 0) return 0;
    return this.#scheduler.nowUs - this.startedUs;
  }

  get alive(): boolean {
    return this.program !== null;
  }

  /** True for a process that is about to die and did not come to its boot. */
  get diesInStart(): boolean {
    return (this.muted ? this.#bootWhenMuted : this.boot) === 0;
  }

  /** The machine wants a turn. */
  wantTurn(): void {
    if (this.#turnPending || this.program === null) return;
    this.#turnPending = true;
    const { nowUs } = this.#scheduler;
    if (this.pausedUntilUs > nowUs) this.#effective(this.pausedBy);
    const word = this.#timing.word(nowUs, this.node, 1);
    const atUs = Math.max(
      nowUs + (word % turnLatencyUsMax) * this.slowness.value,
      this.#busyUntilUs,
      this.pausedUntilUs,
    );
    this.#scheduler.add(atUs, eventKind.turn, this.index, this.life);
  }

  /** A `turn` event is due. */
  turn(life: number): void {
    if (life !== this.life || this.program === null) return;
    const nowUs = this.#scheduler.nowUs;
    if (nowUs < this.pausedUntilUs) {
      this.#effective(this.pausedBy);
      return this.#scheduler.add(this.pausedUntilUs, eventKind.turn, this.index, life);
    }
    this.#turnPending = false;
    const word = this.#timing.word(nowUs, this.node, 2);
    const takesUs = (turnUs.min + (word % (turnUs.max - turnUs.min))) * this.slowness.value;
    if (this.slowness.value > 1) this.#effective(this.slowness.fault);
    this.#busyUntilUs = nowUs + takesUs;
    this.disk.submitAtUs = this.#busyUntilUs;
    this.#spentUs = 0;
    this.#inTurn = true;
    this.program.turn();
    this.#inTurn = false;
    this.#spentUs = 0;
    this.ownFaults.rethrow();
    if (this.muted || (this.callsUntilDeath >= 0 && !this.deathSpansTurns)) this.#died(this);
    // A turn of fewer calls than were drawn: the pause falls after it.
    else if (this.callsUntilPause >= 0) this.pause(this.pauseForUs);
  }

  /** What is done in the turn under way takes so long: whatever it lets out leaves later. */
  spend(us: number): void {
    const tookUs = us * this.slowness.value;
    this.#spentUs += tookUs;
    this.#busyUntilUs += tookUs;
    this.disk.submitAtUs = this.#busyUntilUs;
  }

  /** The state machine of `group` handles a command. */
  machineRuns(group: GroupId): void {
    const slow = this.slowMachines.get(group - 1);
    if (slow === undefined || slow.value === 0) return;
    this.#effective(slow.fault);
    this.spend(slow.value);
  }

  /** A `wake` event is due. */
  wake(life: number, wish: number): void {
    if (life !== this.life || wish !== this.#wish || this.program === null) return;
    this.#wakeDueUs = Infinity;
    const wantedUs = this.clock.wakeAtUs;
    if (wantedUs === Infinity) return;
    if (this.clock.nowUs() < wantedUs) return this.#wished(wantedUs);
    this.clock.wakeAtUs = Infinity;
    this.program.woken();
  }

  /** The drift in force has changed: what was wished for is due at another moment of world time. */
  clockChanged(): void {
    this.clock.setRate(this.drift.value);
    this.#wakeDueUs = Infinity;
    if (this.program !== null) this.#wished(this.clock.wakeAtUs);
  }

  /** Begins a life with this program. */
  run(program: Program): void {
    assert(this.program === null, "a node runs one process at a time", { node: this.node });
    this.life++;
    this.muted = false;
    this.program = program;
    this.startedUs = this.#scheduler.nowUs;
    this.#turnPending = false;
    this.#wakeDueUs = Infinity;
    this.#busyUntilUs = 0;
    this.disk.submitAtUs = 0;
    this.#inTurn = true;
    program.start();
    this.#inTurn = false;
    if (this.muted) this.#died(this);
  }

  /** Ends the process at once; the disk keeps what it truly holds, and some of the rest. */
  stop(): void {
    this.bootFloor = Math.max(this.bootFloor, this.boot);
    this.life++;
    this.muted = true;
    this.program = null;
    this.pausedUntilUs = 0;
    this.killedBy = -1;
    this.isStartCut = false;
    this.callsUntilDeath = -1;
    this.deathSpansTurns = false;
    this.deathAwaitsWrite = false;
    this.callsUntilPause = -1;
    this.#turnPending = false;
    this.#held = [];
    this.#network.stopped(this.index);
    this.disk.crash();
  }

  pause(forUs: number): void {
    this.callsUntilPause = -1;
    if (forUs <= 0) return;
    this.pausedUntilUs = this.#scheduler.nowUs + forUs;
    this.#scheduler.add(this.pausedUntilUs, eventKind.resume, this.index, this.life);
  }

  /** A `resume` event is due. */
  resume(life: number): void {
    if (life !== this.life || this.#scheduler.nowUs < this.pausedUntilUs) return;
    this.endPause();
  }

  /** What was on its way out goes out. */
  endPause(): void {
    this.pausedUntilUs = 0;
    this.disk.submitAtUs = this.#scheduler.nowUs;
    this.#busyUntilUs = this.#scheduler.nowUs;
    const held = this.#held;
    this.#held = [];
    for (const call of held) call();
  }

  /** Lets something out of the process, now, later or never. Every port call passes here. */
  release(call: () => void): void {
    try {
      if (this.#passes()) call();
      else this.#hold(call);
    } catch (error) {
      throw this.ownFaults.noted(error);
    }
  }

  /** When what leaves now is out: the end of the turn. */
  get outAtUs(): number {
    return this.#busyUntilUs;
  }

  #passes(): boolean {
    if (this.muted || this.program === null) return false;
    if (this.pausedUntilUs > 0) return false;
    if (!this.#inTurn) return true;
    if (this.callsUntilDeath >= 0 && !this.deathAwaitsWrite && this.callsUntilDeath-- === 0) {
      this.callsUntilDeath = 0;
      this.#bootWhenMuted = this.boot;
      this.muted = true;
      return false;
    }
    if (this.callsUntilPause >= 0 && this.callsUntilPause-- === 0) {
      this.pause(this.pauseForUs);
      return false;
    }
    return true;
  }

  #hold(call: () => void): void {
    if (this.muted || this.#held.length >= heldMax) return;
    this.#effective(this.pausedBy);
    this.#held.push(call);
  }

  /** The node reads its clock; only so can a drift be felt. */
  #readNowUs(): number {
    if (this.drift.fault >= 0 && this.clock.driftedUs !== 0) this.#effective(this.drift.fault);
    return this.clock.nowUs() + this.#spentUs;
  }

  #readWallUs(): number {
    this.#effective(this.wallSteppedBy);
    return this.clock.wallUs();
  }

  #wished(atUs: number): void {
    if (atUs === Infinity || this.program === null) return;
    const dueUs = this.clock.worldUs(atUs);
    if (dueUs >= this.#wakeDueUs) return;
    this.#wakeDueUs = dueUs;
    this.#scheduler.add(dueUs, eventKind.wake, this.index, this.life, ++this.#wish);
  }

  #makePorts(): ProcessPorts {
    const { disk, clock } = this;
    const network = this.#network;
    return {
      // Only what leaves the process can be cut off: reading the clock is no such thing.
      clock: {
        nowUs: () => this.#readNowUs(),
        wallUs: () => this.#readWallUs(),
        wakeAt: (atUs) => clock.wakeAt(atUs),
      },
      network: {
        send: (to, frames) => {
          this.release(() => network.send(this.index, to - 1, frames, this.outAtUs));
        },
      },
      disk: {
        create: (op, file, sizeBytes) => this.release(() => disk.create(op, file, sizeBytes)),
        write: (op, file, offset, bytes) => {
          if (this.deathAwaitsWrite) {
            this.deathAwaitsWrite = false;
            this.deathSpansTurns = false;
          }
          this.release(() => {
            this.#wrote(this.node, file, bytes);
            disk.write(op, file, offset, bytes);
          });
        },
        sync: (op, file) => this.release(() => disk.sync(op, file)),
        read: (op, file, offset, count) => this.release(() => disk.read(op, file, offset, count)),
        truncate: (op, file, sizeBytes) => this.release(() => disk.truncate(op, file, sizeBytes)),
        rename: (op, from, to) => this.release(() => disk.rename(op, from, to)),
        remove: (op, file) => this.release(() => disk.remove(op, file)),
        list: (op) => this.release(() => disk.list(op)),
        syncDirectory: (op) => this.release(() => disk.syncDirectory(op)),
      },
    };
  }
}
