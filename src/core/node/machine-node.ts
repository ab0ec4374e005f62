/** A machine of a user's own on the same host: the same turns, group commit and held-back messages. */
import { assert } from "../assert.js";
import type { Door } from "../framing/frame-types.js";
import type { FramedMessage } from "../framing/messages.js";
import {
  type GroupId,
  type Incarnation,
  type NodeId,
  type RequestId,
  type Token,
  noToken,
} from "../ids.js";
import type { Machine, MachineEffect, MachineInput } from "../machine.js";
import type { Bound } from "../raft/view.js";
import type { RecoveredNode } from "../wal/log-store.js";
import { type NodeContext, seedOf } from "./context.js";
import { HeldBack } from "./held.js";
import type { LogicFactory, NodeLogic } from "./logic.js";
import type { RecordWriter } from "./record-queue.js";
import type { Sleeper } from "./wake-heap.js";

/** For `HostParts.logic`: a fresh machine for this boot, and the other nodes of its cluster. */
export function userMachine(
  machine: Machine<MachineInput, MachineEffect>,
  peers: readonly NodeId[],
): LogicFactory {
  return (context) => new MachineNode(context, machine, peers);
}

type Tied = Extract<MachineEffect, { kind: "send" | "answer" }>;

class MachineNode implements NodeLogic, RecordWriter, Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #context: NodeContext;
  readonly #machine: Machine<MachineInput, MachineEffect>;
  readonly #peers: readonly NodeId[];
  readonly #held = new HeldBack<Tied>();
  #token: Token = noToken;

  constructor(
    context: NodeContext,
    machine: Machine<MachineInput, MachineEffect>,
    peers: readonly NodeId[],
  ) {
    this.#context = context;
    this.#machine = machine;
    this.#peers = peers;
  }

  get recordWriter(): RecordWriter {
    return this;
  }

  start({ machineRecords: records }: RecoveredNode): void {
    const { node, boot } = this.#context;
    const seed = seedOf(this.#context, 0 as GroupId, 0 as Incarnation);
    this.#step({ kind: "start", node, boot, peers: this.#peers, seed, records }, records.length);
  }

  linkUp(peer: NodeId): void {
    this.#context.observer.stepped(this.#context.node, "linkUp", peer, null);
  }

  message(from: NodeId, message: FramedMessage, word: number): void {
    if (message.kind === "machine") {
      this.#step({ kind: "message", from, bytes: message.bytes }, word);
      return;
    }
    this.#context.observer.stepped(this.#context.node, "stray", word, null);
  }

  request(door: Door, request: RequestId, bytes: Uint8Array, word: number): void {
    this.#step({ kind: "request", door, request, bytes }, word);
  }

  woken(): void {
    this.#step({ kind: "timer" }, 0);
  }

  persisted(token: Token): void {
    this.#held.durable = token;
    this.#step({ kind: "persisted", token }, token);
    const released: Tied[] = [];
    this.#held.release(released);
    if (released.length > 0) this.#context.marks.hit("heldBackReleased");
    for (const effect of released) this.#release(effect);
  }

  persistFailed(token: Token): void {
    if (this.#held.dropFrom(token) > 0) this.#context.marks.hit("heldBackDropped");
    this.#step({ kind: "persistFailed", token }, token);
  }

  /** A machine has neither entries nor snapshots: nothing of the kind was asked for. */
  logRead(): void {
    this.#context.marks.hit("lateCompletionDropped");
  }

  snapshot(): void {
    this.#context.marks.hit("lateCompletionDropped");
  }

  /** A machine is given no HSM. */
  hsmDone(): void {
    this.#context.marks.hit("lateCompletionDropped");
  }

  settle(): boolean {
    return false;
  }

  /** What an answer means is the machine's own affair. */
  refusal(): null {
    return null;
  }

  views(): [] {
    return [];
  }

  viewOf(): null {
    return null;
  }

  bounds(): readonly Bound[] {
    const { options } = this.#context;
    return [{ name: "held", size: this.#held.size, limit: options.heldMax }];
  }

  storeOf(): null {
    return null;
  }

  keysOf(): null {
    return null;
  }

  stateOf(): unknown {
    return this.#machine.state;
  }

  get state(): unknown {
    return this.#machine.state;
  }

  #step(input: MachineInput, word: number): void {
    const { nowUs, node, observer } = this.#context;
    const out: MachineEffect[] = [];
    this.#machine.step(nowUs, input, out);
    observer.stepped(node, input.kind, word, null);
    for (const effect of out) this.#effect(effect);
  }

  #effect(effect: MachineEffect): void {
    const { wakes, records, observer, node } = this.#context;
    switch (effect.kind) {
      case "send":
      case "answer":
        if (this.#held.mustWait(effect)) this.#hold(effect);
        else this.#release(effect);
        return;
      case "persist":
        assert(effect.token > this.#token, "the tokens of a machine strictly increase", {
          token: effect.token,
        });
        this.#token = effect.token;
        records.add(effect.token, effect.record);
        return;
      case "wakeAt":
        wakes.wakeAt(this, effect.at);
        return;
      case "event":
        observer.machineEvent?.(node, effect.name, effect.data);
        return;
    }
  }

  #hold(effect: Tied): void {
    assert(effect.after <= this.#token, "a machine waits only for tokens that it gave out", {
      after: effect.after,
    });
    const { marks, options } = this.#context;
    if (effect.kind === "send" && this.#held.size >= options.heldMax) marks.hit("heldBackFull");
    else this.#held.hold(effect);
  }

  #release(effect: Tied): void {
    const { outbox, answers } = this.#context;
    if (effect.kind === "send") outbox.add(effect.to, { kind: "machine", bytes: effect.bytes });
    else answers.push({ request: effect.request, bytes: effect.bytes });
  }
}
