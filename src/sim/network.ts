/**
 * The network of a simulated cluster. Links are connections, as under TLS: what was under way when
 * one closes is gone, and a greeting opens the next. Within a connection frames keep their order
 * and take a base delay with narrow jitter, unless a fault or an unusual draw says otherwise.
 */
import type { NetworkEvents } from "../core/ports/network.js";
import type { NodeId } from "../core/ids.js";
import { boot as bootOf } from "../core/ids.js";
import type { Decisions, Gate } from "./decisions.js";
import { eventKind } from "./events.js";
import { kindAndGroupOf, kindOf, placeOf } from "./frame-key.js";
import { InForce } from "./in-force.js";
import { type Link, carries, newLink, queueFramesMax } from "./link.js";
import type { Scheduler } from "./scheduler.js";
import { KeyedStream, within } from "./streams.js";

/** A connection that could not be opened is tried again after this, microseconds. */
const retryUs = { min: 20_000, max: 60_000 } as const;
/** Beyond the base delay, usually; more is a decision. */
const jitterUsMax = 300;
const longDelayUs = { min: 20_000, max: 600_000 } as const;
const reorderUs = { min: 500, max: 8_000 } as const;
/** Of the frames on a damaged link. */
const corruptThousandths = 60;

/** Rates in thousandths, for all links; each with the fault that set it. */
export type RateKind = "loss" | "duplicate" | "delay" | "reorder";

export interface NetworkWatch {
  /** Something was changed by the fault with this ordinal. */
  effective(fault: number): void;
}

/** What the network must know of a node. */
export interface NetworkNode {
  /** Null while there is no process. */
  readonly events: NetworkEvents | null;
  /** 0 until it can be greeted. */
  readonly boot: number;
  readonly diskId: number;
}

export class SimNetwork {
  readonly #scheduler: Scheduler;
  readonly #nodes: readonly NetworkNode[];
  readonly #count: number;
  readonly #watch: NetworkWatch;
  readonly #links: Link[] = [];
  readonly #jitter: KeyedStream;
  readonly #gates: Readonly<Record<RateKind | "corrupt", Gate>>;
  readonly #rates: Readonly<Record<RateKind, InForce<number>>> = {
    loss: new InForce(0),
    duplicate: new InForce(0),
    delay: new InForce(0),
    reorder: new InForce(0),
  };
  #isRated = false;
  #connections = 0;

  /** There will be `count` nodes; the NodeId of `nodes[i]` is `i + 1`. */
  constructor(
    seed: number,
    scheduler: Scheduler,
    nodes: readonly NetworkNode[],
    count: number,
    parts: { readonly decisions: Decisions; readonly watch: NetworkWatch },
  ) {
    const { decisions } = parts;
    this.#scheduler = scheduler;
    this.#nodes = nodes;
    this.#watch = parts.watch;
    this.#count = count;
    this.#jitter = new KeyedStream(seed, "network");
    this.#gates = {
      loss: decisions.gate("loss"),
      duplicate: decisions.gate("duplicate"),
      delay: decisions.gate("delay"),
      reorder: decisions.gate("reorder"),
      corrupt: decisions.gate("corrupt"),
    };
    for (let from = 0; from < count; from++) {
      for (let to = 0; to < count; to++) {
        const baseUs = within(this.#jitter.word(0, from, to, 2), 200, 1_500);
        this.#links.push(newLink(from, to, baseUs));
      }
    }
  }

  /** The bytes belong to the network from now on; they leave at `atUs`. */
  send(from: number, to: number, frames: readonly Uint8Array[], atUs: number): void {
    // A number beyond the table would be read as a link of others.
    if (to < 0 || to >= this.#count) return;
    const link = this.#link(from, to);
    if (!link.up) return;
    if (link.cut.value) return this.#watch.effective(link.cut.fault);
    if (link.halfOpen.value) return this.#watch.effective(link.halfOpen.fault);
    if (link.corrupted.value && this.#corrupts(link)) return;
    const taken = this.#take(link, frames);
    if (taken.length === 0) return;
    const first = taken[0]!;
    const word = this.#jitter.word(this.#scheduler.nowUs, link.from, link.to, kindOf(first));
    const delayUs = link.baseUs + (word % jitterUsMax);
    const arrivesUs = Math.max(link.lastArrivalUs, atUs + delayUs * link.slowness.value);
    if (link.slowness.value > 1) this.#watch.effective(link.slowness.fault);
    if (!this.#isRated || link.healed) {
      link.lastArrivalUs = arrivesUs;
      this.#arrive(link, taken, arrivesUs);
    } else {
      this.#sendEach(link, taken, arrivesUs);
    }
  }

  /** A `frames` event is due. */
  arrive(at: number, connection: number, frames: readonly Uint8Array[]): void {
    const link = this.#links[at]!;
    if (link.connection !== connection) return;
    link.queued -= frames.length;
    // Meant for the process before, by a peer that had not missed it yet: this one was not greeted.
    if (this.#link(link.to, link.from).connection === 0) return;
    if (link.cut.value) return this.#watch.effective(link.cut.fault);
    const { events } = this.#nodes[link.to]!;
    if (events === null) return;
    for (const frame of frames) events.frameArrived((link.from + 1) as NodeId, frame);
  }

  /** A `greet` event is due: opens the connection if both ends are there and hear each other. */
  greet(at: number): void {
    const link = this.#links[at]!;
    const back = this.#link(link.to, link.from);
    const [a, b] = [this.#nodes[link.from]!, this.#nodes[link.to]!];
    if (a.events === null || b.events === null) return;
    if (link.up && back.up) return;
    if (a.boot === 0 || b.boot === 0) return this.#greetLater(link);
    if (!carries(link) || !carries(back)) return this.#greetLater(link);
    // A process that starts anew is known by its greeting, also where the old end was not missed.
    if (back.up) b.events.linkDown((link.from + 1) as NodeId);
    if (link.up) a.events.linkDown((link.to + 1) as NodeId);
    const connection = ++this.#connections;
    for (const each of [link, back]) {
      each.connection = connection;
      each.up = true;
      each.queued = 0;
      each.lastArrivalUs = this.#scheduler.nowUs;
    }
    a.events.linkUp((link.to + 1) as NodeId, bootOf(b.boot), b.diskId);
    b.events.linkUp((link.from + 1) as NodeId, bootOf(a.boot), a.diskId);
  }

  /** A `linkDown` event is due: the sender's end of link `at` learns that `connection` is closed. */
  linkDown(at: number, connection: number): void {
    const link = this.#links[at]!;
    if (!link.up || link.connection !== connection) return;
    if (link.cut.value) {
      // Nobody tells it while the link is cut.
      return this.#scheduler.add(
        this.#scheduler.nowUs + retryUs.max,
        eventKind.linkDown,
        at,
        connection,
      );
    }
    link.up = false;
    this.#nodes[link.from]!.events?.linkDown((link.to + 1) as NodeId);
    this.#greetLater(link);
  }

  /** A process has started: it greets everyone. */
  started(node: number): void {
    for (let peer = 0; peer < this.#count; peer++) {
      if (peer === node) continue;
      const link = this.#link(node, peer);
      this.#scheduler.add(
        this.#scheduler.nowUs + link.baseUs * 2,
        eventKind.greet,
        this.#index(link),
      );
    }
  }

  /** A process is gone: its connections close, and its peers hear of it. */
  stopped(node: number): void {
    for (let peer = 0; peer < this.#count; peer++) {
      if (peer === node) continue;
      this.#link(node, peer).up = false;
      this.#link(node, peer).connection = 0;
      const back = this.#link(peer, node);
      if (!back.up) continue;
      this.#closeLater(back);
    }
  }

  /** Puts a cut of this fault on the way from `from` to `to`, or takes it away. */
  cut(from: number, to: number, fault: number, on: boolean): void {
    const { cut } = this.#link(from, to);
    if (on) cut.begin(fault, true);
    else cut.end(fault);
  }

  /** Frames take so many times as long; 1 ends it. */
  slow(from: number, to: number, fault: number, times: number): void {
    const { slowness } = this.#link(from, to);
    if (times > 1) slowness.begin(fault, times);
    else slowness.end(fault);
  }

  narrow(from: number, to: number, fault: number, on: boolean): void {
    const { queueMax } = this.#link(from, to);
    if (on) queueMax.begin(fault, 1);
    else queueMax.end(fault);
  }

  corrupt(from: number, to: number, fault: number, on: boolean): void {
    const { corrupted } = this.#link(from, to);
    if (on) corrupted.begin(fault, true);
    else corrupted.end(fault);
  }

  /** `from` loses its end and is told; `to` goes on believing until the fault ends. */
  halfOpen(from: number, to: number, fault: number, on: boolean): void {
    const link = this.#link(from, to);
    const back = this.#link(to, from);
    if (!on) {
      link.halfOpen.end(fault);
      back.halfOpen.end(fault);
      if (!link.halfOpen.value) this.#halfOpenEnded(link, back);
      return;
    }
    link.halfOpen.begin(fault, true);
    back.halfOpen.begin(fault, true);
    if (!link.up) return;
    link.up = false;
    this.#nodes[from]!.events?.linkDown((to + 1) as NodeId);
    this.#watch.effective(fault);
  }

  /** 0 ends it. */
  rate(kind: RateKind, thousandths: number, fault: number): void {
    if (thousandths > 0) this.#rates[kind].begin(fault, thousandths);
    else this.#rates[kind].end(fault);
    this.#isRated = Object.values(this.#rates).some(({ value }) => value > 0);
  }

  /** Takes every fault off the ways between nodes for which `inside` is true. */
  heal(inside: (from: number, to: number) => boolean): void {
    for (const link of this.#links) {
      if (inside(link.from, link.to)) this.#heal(link);
    }
  }

  /**
   * Takes every fault off the link between two nodes and opens it, if both are there. With a cut
   * one way it could not be opened: so who wants a one-way link opens it first.
   */
  join(from: number, to: number): void {
    const link = this.#link(from, to);
    this.#heal(link);
    this.#heal(this.#link(to, from));
    this.greet(this.#index(link));
  }

  #heal(link: Link): void {
    link.healed = true;
    for (const each of [link.cut, link.slowness, link.queueMax, link.corrupted]) each.clear();
    if (!link.halfOpen.value) return;
    const back = this.#link(link.to, link.from);
    link.halfOpen.clear();
    back.halfOpen.clear();
    this.#halfOpenEnded(link, back);
  }

  /** The end that still believed in the link learns that it is closed, and both greet anew. */
  #halfOpenEnded(link: Link, back: Link): void {
    if (back.up && !link.up) this.#closeLater(back);
    if (link.up && !back.up) this.#closeLater(link);
    this.#greetLater(link);
  }

  #take(link: Link, frames: readonly Uint8Array[]): readonly Uint8Array[] {
    const { value: queueMax, fault } = link.queueMax;
    const room = queueMax - link.queued;
    const taken = frames.length <= room ? frames : frames.slice(0, Math.max(0, room));
    if (taken.length < frames.length && queueMax < queueFramesMax) this.#watch.effective(fault);
    link.queued += taken.length;
    return taken;
  }

  #arrive(link: Link, frames: readonly Uint8Array[], atUs: number): void {
    this.#scheduler.add(atUs, eventKind.frames, this.#index(link), link.connection, 0, frames);
  }

  #sendEach(link: Link, frames: readonly Uint8Array[], arrivesUs: number): void {
    for (const frame of frames) {
      if (this.#happens("loss", link, frame)) {
        link.queued--;
        continue;
      }
      let atUs = arrivesUs;
      if (this.#happens("delay", link, frame)) {
        atUs += within(this.#gates.delay.word(1), longDelayUs.min, longDelayUs.max);
      } else if (this.#happens("reorder", link, frame)) {
        atUs += within(this.#gates.reorder.word(1), reorderUs.min, reorderUs.max);
      } else {
        link.lastArrivalUs = arrivesUs;
      }
      this.#arrive(link, [frame], atUs);
      if (this.#happens("duplicate", link, frame)) {
        link.queued++;
        const later = within(this.#gates.duplicate.word(1), 1, longDelayUs.min);
        this.#arrive(link, [frame], atUs + later);
      }
    }
  }

  #happens(kind: RateKind, link: Link, frame: Uint8Array): boolean {
    const rate = this.#rates[kind];
    if (rate.value === 0) return false;
    const { nowUs } = this.#scheduler;
    const about = kindAndGroupOf(frame);
    if (!this.#gates[kind].unusual(rate.value, nowUs, this.#index(link), about, placeOf(frame)))
      return false;
    this.#watch.effective(rate.fault);
    return true;
  }

  /** Damaged bytes close the connection for both ends, as under TLS. */
  #corrupts(link: Link): boolean {
    const way = link.from * this.#count + link.to;
    const gate = this.#gates.corrupt;
    if (!gate.unusual(corruptThousandths, this.#scheduler.nowUs, way)) return false;
    this.#watch.effective(link.corrupted.fault);
    this.#closeLater(link);
    this.#closeLater(this.#link(link.to, link.from));
    return true;
  }

  /** What is under way is lost at once; the sender's end hears of it later. */
  #closeLater(link: Link): void {
    link.connection = ++this.#connections;
    this.#scheduler.add(
      this.#scheduler.nowUs + link.baseUs,
      eventKind.linkDown,
      this.#index(link),
      link.connection,
    );
  }

  #greetLater(link: Link): void {
    const word = this.#jitter.word(this.#scheduler.nowUs, link.from, link.to, 1);
    this.#scheduler.add(
      this.#scheduler.nowUs + within(word, retryUs.min, retryUs.max),
      eventKind.greet,
      this.#index(link),
    );
  }

  #link(from: number, to: number): Link {
    return this.#links[from * this.#count + to]!;
  }

  #index(link: Link): number {
    return link.from * this.#count + link.to;
  }
}
