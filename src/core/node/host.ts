/**
 * The one loop that runs a node against its ports, in both worlds (CONTRACTS 3). Whatever happens
 * only waits in the inbox; `turn` handles a closed batch of it, steps the machines, and ends with
 * one write and sync for all that they persist and one batch of frames for each peer.
 */
import { shorten } from "../arrays.js";
import { InvariantError, assert } from "../assert.js";
import { getU32 } from "../bytes.js";
import type { Door } from "../framing/frame-types.js";
import { frameTrailerBytes } from "../framing/frame.js";
import type { Boot, GroupId, NodeId, RequestId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Clock } from "../ports/clock.js";
import type { DiskEvents, DiskResult } from "../ports/disk.js";
import type { HsmEvents, HsmResult } from "../ports/hsm.js";
import type { NetworkEvents } from "../ports/network.js";
import type { Bound, RaftView } from "../raft/view.js";
import type { ReplicatedStore } from "../store/replicated-store.js";
import type { RecoveredNode, SnapshotEvent, WalEvent } from "../wal/log-store.js";
import { Batches } from "./batches.js";
import type { NodeContext } from "./context.js";
import { type Clients, type HostParts, makeContext } from "./host-parts.js";
import { Inbox, type InboxItem } from "./inbox.js";
import type { KeysHere, LoadedSnapshot, NodeLogic } from "./logic.js";
import type { HostObserver } from "./observer.js";
import type { NodeOptions } from "./options.js";

export type HostStage = "new" | "recovering" | "running" | "stopped";

export interface HostStatus {
  readonly node: NodeId;
  readonly stage: HostStage;
  readonly boot: Boot;
  readonly disk: number;
  /** Why it stopped; empty while it has not. */
  readonly reason: string;
  readonly spaceLow: boolean;
  /** The disk does not know any more which replicas lived on it: it takes on no new ones. */
  readonly forgotten: boolean;
}

export class Host implements NetworkEvents, DiskEvents, HsmEvents {
  readonly #node: NodeId;
  readonly #clock: Clock;
  readonly #clients: Clients;
  readonly #wantTurn: () => void;
  readonly #observer: HostObserver;
  readonly #marks: Marks;
  readonly #options: NodeOptions;
  readonly #context: NodeContext;
  readonly #logic: NodeLogic;
  readonly #batches: Batches;
  readonly #inbox = new Inbox();
  #stage: HostStage = "new";
  #reason = "";
  #format: { readonly disk: number; readonly bootFloor: number } | null = null;
  #snapshots: readonly LoadedSnapshot[] = [];
  /** When the log wants to be looked after. */
  #walDueUs = Infinity;
  /** What the clock was last asked for; Infinity when it owes nothing. */
  #wishedUs = Infinity;
  /** The turn under way left something of its own making to the next one. */
  #owes = false;
  #inTurn = false;

  constructor(parts: HostParts) {
    this.#context = makeContext(parts);
    this.#node = parts.node;
    this.#clock = parts.clock;
    this.#clients = parts.clients;
    this.#wantTurn = parts.wantTurn;
    this.#observer = parts.observer;
    this.#marks = parts.marks;
    this.#options = this.#context.options;
    this.#logic = parts.logic(this.#context);
    this.#batches = new Batches(this.#context, this.#logic.recordWriter);
  }

  /** Before `start`: an empty disk gets this identity, and its boots will be above `bootFloor`. */
  format(disk: number, bootFloor: number): void {
    assert(this.#stage === "new", "a disk is formatted before the start", { stage: this.#stage });
    this.#format = { disk, bootFloor };
  }

  /** Begins recovery: snapshot files, then the log, then the replicas. */
  start(): void {
    assert(this.#stage === "new", "a host starts once", { stage: this.#stage });
    this.#stage = "recovering";
    this.#context.snapshots.load();
  }

  frameArrived(from: NodeId, bytes: Uint8Array): void {
    if (this.#stage !== "running") return;
    if (this.#inbox.size >= this.#options.inboxItemsMax) {
      this.#marks.hit("inboxFullFrameDropped");
      return;
    }
    this.#put({ kind: "frame", from, bytes });
  }

  linkUp(peer: NodeId, boot: Boot, disk: number): void {
    if (this.#stage === "running") this.#put({ kind: "linkUp", peer, boot, disk });
  }

  linkDown(peer: NodeId): void {
    if (this.#stage === "running") this.#put({ kind: "linkDown", peer });
  }

  /** Never dropped: what waits for it would wait for ever. */
  diskDone(op: number, result: DiskResult): void {
    if (this.#stage !== "stopped") this.#put({ kind: "diskDone", op, result });
  }

  /** Never dropped, as those of the disk. */
  hsmDone(op: number, result: HsmResult): void {
    if (this.#stage === "running") this.#put({ kind: "hsmDone", op, result });
  }

  woken(): void {
    if (this.#stage === "running") this.#put({ kind: "woken" });
  }

  /** `request` names it in the answer: never 0, never twice in a boot. */
  request(door: Door, request: RequestId, bytes: Uint8Array): void {
    if (this.#stage !== "running") {
      this.#refuse(request, "notReady");
    } else if (this.#inbox.size >= this.#options.inboxItemsMax) {
      this.#marks.hit("inboxFullRequestRefused");
      this.#refuse(request, "overloaded");
    } else {
      this.#put({ kind: "request", door, request, bytes });
    }
  }

  /** Handles a closed, bounded batch of what waits. */
  turn(): void {
    if (this.#stage === "stopped") return;
    const count = Math.min(this.#inbox.size, this.#options.turnInputsMax);
    // After the batch is closed: no input may be younger than the time it is stepped at.
    this.#context.nowUs = this.#clock.nowUs();
    this.#inTurn = true;
    if (count > 1) this.#marks.hit("turnOfManyInputs");
    try {
      this.#owes = false;
      this.#settle();
      for (let n = 0; n < count && this.#lives(); n++) {
        this.#input(this.#inbox.take());
        this.#settle();
      }
      if (this.#lives()) this.#flush();
    } catch (error) {
      this.#stop(`invariant: ${messageOf(error)}`);
    }
    this.#inTurn = false;
    if (this.#lives() && (this.#owes || this.#inbox.size > 0)) this.#wantTurn();
  }

  get stage(): HostStage {
    return this.#stage;
  }

  /** 0 until it has recovered. */
  get boot(): Boot | 0 {
    return this.#stage === "running" ? this.#context.boot : 0;
  }

  /** Of every replica that lives here; for oracles at the end of a run, and for people. */
  groupViews(): readonly RaftView[] {
    return this.#lives() ? this.#logic.views() : [];
  }

  /** Null when no replica of the group lives here, or the node has stopped. */
  viewOf(group: GroupId): RaftView | null {
    return this.#lives() ? this.#logic.viewOf(group) : null;
  }

  /** Why a group makes no progress here, in words for people. */
  waitsFor(group: GroupId): string {
    if (this.#stage !== "running") return `the node is ${this.#stage} ${this.#reason}`.trimEnd();
    return this.#logic.viewOf(group)?.waitsFor() ?? "no replica of the group lives here";
  }

  status(): HostStatus {
    const { boot, disk, wal } = this.#context;
    const { low: spaceLow } = wal;
    return {
      node: this.#node,
      stage: this.#stage,
      boot,
      disk,
      reason: this.#reason,
      spaceLow,
      forgotten: wal.forgotten,
    };
  }

  /**
   * Every queue of the host and its limit, and those of what serves `group`: no look at a node loops
   * over all groups. Completions and links may come beside what the inbox limits.
   */
  bounds(group: GroupId): readonly Bound[] {
    const { inboxItemsMax, peerFramesMax } = this.#options;
    return [
      { name: "inbox", size: this.#inbox.refusable, limit: inboxItemsMax },
      { name: "frames for a peer", size: this.#context.outbox.longest, limit: peerFramesMax },
      ...this.#logic.bounds(group),
    ];
  }

  /** The whole state of its machines as plain data, for digests. */
  get state(): unknown {
    return this.#logic.state;
  }

  /** What the group replicates, as applied here, to be looked at; null when it lives elsewhere. */
  storeOf(group: GroupId): ReplicatedStore | null {
    return this.#lives() ? this.#logic.storeOf(group) : null;
  }

  /** Null unless the group has one replica here, with keys. */
  keysOf(group: GroupId): KeysHere | null {
    return this.#lives() ? this.#logic.keysOf(group) : null;
  }

  /** Of the machine that serves `group`; null when none does. */
  stateOf(group: GroupId): unknown {
    return this.#logic.stateOf(group);
  }

  #put(item: InboxItem): void {
    this.#inbox.put(item);
    if (this.#inbox.size === 1 && !this.#inTurn) this.#wantTurn();
  }

  readonly #tellClient = (request: RequestId, bytes: Uint8Array): void =>
    this.#answer(request, bytes);

  #refuse(request: RequestId, reason: "overloaded" | "notReady"): void {
    const bytes = this.#logic.refusal(reason);
    if (bytes !== null) this.#answer(request, bytes);
  }

  #answer(request: RequestId, bytes: Uint8Array): void {
    this.#clients.answer(request, bytes);
    this.#observer.answered(this.#node, request, bytes);
  }

  #lives(): boolean {
    return this.#stage !== "stopped";
  }

  #input(item: InboxItem): void {
    switch (item.kind) {
      case "frame":
        this.#frame(item.from, item.bytes);
        return;
      case "diskDone":
        this.#diskDone(item.op, item.result);
        return;
      case "request": {
        const word = this.#context.crc32(item.bytes);
        this.#logic.request(item.door, item.request, item.bytes, word);
        return;
      }
      case "linkUp":
        this.#logic.linkUp(item.peer, item.boot);
        return;
      case "linkDown":
        // What a link lost is asked for again by whoever misses it.
        this.#observer.stepped(this.#node, item.kind, item.peer, null);
        return;
      case "hsmDone":
        this.#observer.stepped(this.#node, item.kind, item.result.ok ? item.op : ~item.op, null);
        this.#logic.hsmDone(item.op, item.result);
        return;
      case "woken":
        this.#woken();
        return;
    }
  }

  #frame(from: NodeId, bytes: Uint8Array): void {
    const message = this.#context.codec.decodeVerified(bytes);
    const at = bytes.length - frameTrailerBytes;
    const word = at < 0 ? 0 : getU32(bytes, at);
    if (message.kind === "malformed") {
      this.#observer.stepped(this.#node, message.kind, word, null);
      return;
    }
    this.#logic.message(from, message, word);
  }

  #diskDone(op: number, result: DiskResult): void {
    const { wal, walEvents, snapshots, snapshotEvents } = this.#context;
    this.#observer.stepped(this.#node, "diskDone", result.ok ? op : ~op, null);
    if (wal.diskDone(op, result, walEvents)) return;
    if (snapshots.diskDone(op, result, snapshotEvents)) return;
    this.#marks.hit("lateCompletionDropped");
  }

  #woken(): void {
    const { wakes, nowUs } = this.#context;
    this.#wishedUs = Infinity;
    this.#observer.stepped(this.#node, "woken", 0, null);
    for (let n = 0; n < this.#options.turnInputsMax; n++) {
      const sleeper = wakes.takeDue(nowUs);
      if (sleeper === null) return;
      sleeper.woken();
      this.#settle();
    }
    this.#marks.hit("turnCutShort");
  }

  /** Hands out what log, snapshot files and replicas said in consequence of the last step. */
  #settle(): void {
    const { walEvents, snapshotEvents } = this.#context;
    for (;;) {
      // Steps may add to the arrays while they are handed out.
      if (walEvents.length > 0) {
        for (let at = 0; at < walEvents.length && this.#lives(); at++) this.#onWal(walEvents[at]!);
        shorten(walEvents, 0);
      }
      if (snapshotEvents.length > 0) {
        for (let at = 0; at < snapshotEvents.length; at++) this.#onSnapshot(snapshotEvents[at]!);
        shorten(snapshotEvents, 0);
      }
      if (!this.#lives()) return;
      if (this.#logic.settle(this.#options.turnInputsMax)) {
        this.#marks.hit("turnCutShort");
        this.#owes = true;
        return;
      }
      if (walEvents.length === 0 && snapshotEvents.length === 0) return;
    }
  }

  #onWal(event: WalEvent): void {
    switch (event.kind) {
      case "batchDurable":
        this.#batches.durable(event.op);
        return;
      case "logRead":
        this.#logic.logRead(event);
        return;
      case "space":
        if (!event.low) this.#batches.roomAgain();
        return;
      case "batchRefused":
        // `append` said so already.
        return;
      case "recovered":
        this.#recovered(event.node);
        return;
      case "unformatted":
        this.#unformatted();
        return;
      case "failed":
        this.#marks.hit("stoppedOnDisk");
        this.#stop(event.reason);
        return;
    }
  }

  #onSnapshot(event: SnapshotEvent): void {
    if (event.kind !== "loaded") {
      this.#logic.snapshot(event);
      return;
    }
    this.#snapshots = event.snapshots;
    this.#context.wal.recover(event.snapshots);
  }

  #unformatted(): void {
    if (this.#format === null) {
      this.#stop("the disk is not formatted for this node");
      return;
    }
    this.#context.wal.format(this.#format.disk, this.#format.bootFloor);
  }

  #recovered(node: RecoveredNode): void {
    this.#context.boot = node.boot;
    this.#context.disk = node.disk;
    this.#stage = "running";
    const snapshots = this.#snapshots;
    this.#snapshots = [];
    this.#logic.start(node, snapshots);
  }

  /** The end of a turn: the only place from which anything leaves the node. */
  #flush(): void {
    this.#batches.submit();
    this.#context.outbox.flush();
    this.#answerClients();
    this.#lookAfterLog();
    this.#wishToWake();
    const { walEvents, snapshotEvents } = this.#context;
    if (walEvents.length > 0 || snapshotEvents.length > 0) this.#owes = true;
  }

  #answerClients(): void {
    this.#context.answers.flush(this.#tellClient);
  }

  #lookAfterLog(): void {
    const { wal, nowUs } = this.#context;
    this.#walDueUs = wal.busy ? Infinity : wal.idle(nowUs);
  }

  #wishToWake(): void {
    const soonestUs = Math.min(this.#context.wakes.soonestUs, this.#walDueUs, this.#batches.dueUs);
    if (soonestUs === this.#wishedUs) return;
    this.#wishedUs = soonestUs;
    this.#clock.wakeAt(soonestUs);
  }

  /** For good: nothing leaves the node any more, and nothing is handled. */
  #stop(reason: string): void {
    this.#stage = "stopped";
    this.#reason = reason;
    this.#inbox.clear();
    this.#observer.stopped(this.#node, reason);
  }
}

/** A bug of ours in any shape: the core throws nothing but broken invariants. */
function messageOf(error: unknown): string {
  if (error instanceof InvariantError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : "something was thrown";
}
