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
import type { Scheduler } from "./scheduler.js";
import { KeyedStream, within } from "./streams.js";

/** Frames that one direction of a link holds at most, by default. */
const queueFramesMax = 4_096;
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

/** One direction of a link. */
interface Link {
  readonly from: number;
  readonly to: number;
  /** Number of the connection; what was sent on another one never arrives. */
  connection: number;
  /** Whether the sender believes that it is up. */
  up: boolean;
  baseUs: number;
  lastArrivalUs: number;
  queued: number;
  queueMax: number;
  slowness: number;
  /** Ordinals of the faults in force, the newest last. */
  cuts: number[];
  slowedBy: number;
  narrowedBy: number;
  corruptedBy: number;
  halfOpenBy: number;
  /** True: rates of loss and the like do not apply any more. */
  healed: boolean;
}

export class SimNetwork {
  readonly #scheduler: Scheduler;
  readonly #nodes: readonly NetworkNode[];
  readonly #count: number;
  readonly #watch: NetworkWatch;
  readonly #links: Link[] = [];
  readonly #jitter: KeyedStream;
  readonly #gates: Readonly<Record<RateKind | "corrupt", Gate>>;
  readonly #rates = new Map<RateKind, { thousandths: number; fault: number }>();
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
      for (let to = 0; to < count; to++) this.#links.push(this.#newLink(from, to));
    }
  }

  /** The bytes belong to the network from now on; they leave at `atUs`. */
  send(from: number, to: number, frames: readonly Uint8Array[], atUs: number): void {
    const link = this.#link(from, to);
    if (!link.up) return;
    if (link.cuts.length > 0) return this.#watch.effective(link.cuts.at(-1)!);
    if (link.halfOpenBy >= 0) return this.#watch.effective(link.halfOpenBy);
    if (link.corruptedBy >= 0 && this.#corrupts(link)) return;
    const taken = this.#take(link, frames);
    if (taken.length === 0) return;
    const first = taken[0]!;
    const word = this.#jitter.word(this.#scheduler.nowUs, link.from, link.to, keyOf(first));
    const delayUs = link.baseUs + (word % jitterUsMax);
    const arrivesUs = Math.max(link.lastArrivalUs, atUs + delayUs * link.slowness);
    if (link.slowness > 1) this.#watch.effective(link.slowedBy);
    if (this.#rates.size === 0 || link.healed) {
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
    if (link.cuts.length > 0) return this.#watch.effective(link.cuts.at(-1)!);
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
    if (link.cuts.length + back.cuts.length > 0 || link.halfOpenBy >= 0 || back.halfOpenBy >= 0) {
      return this.#greetLater(link);
    }
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
    if (link.cuts.length > 0) {
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
    const { cuts } = this.#link(from, to);
    if (on) cuts.push(fault);
    else if (cuts.includes(fault)) cuts.splice(cuts.indexOf(fault), 1);
  }

  slow(from: number, to: number, fault: number, times: number): void {
    const link = this.#link(from, to);
    link.slowness = times;
    link.slowedBy = fault;
  }

  narrow(from: number, to: number, fault: number, on: boolean): void {
    const link = this.#link(from, to);
    link.queueMax = on ? 1 : queueFramesMax;
    link.narrowedBy = fault;
  }

  corrupt(from: number, to: number, fault: number, on: boolean): void {
    this.#link(from, to).corruptedBy = on ? fault : -1;
  }

  /** `from` loses its end and is told; `to` goes on believing until the fault ends. */
  halfOpen(from: number, to: number, fault: number, on: boolean): void {
    const link = this.#link(from, to);
    const back = this.#link(to, from);
    link.halfOpenBy = on ? fault : -1;
    back.halfOpenBy = on ? fault : -1;
    if (on && link.up) {
      link.up = false;
      this.#nodes[from]!.events?.linkDown((to + 1) as NodeId);
      this.#watch.effective(fault);
    }
    if (!on) {
      if (back.up && !link.up) this.#closeLater(back);
      this.#greetLater(link);
    }
  }

  /** 0 ends it. */
  rate(kind: RateKind, thousandths: number, fault: number): void {
    if (thousandths > 0) this.#rates.set(kind, { thousandths, fault });
    else if (this.#rates.get(kind)?.fault === fault) this.#rates.delete(kind);
  }

  /** True when frames from `from` now reach `to`. */
  reaches(from: number, to: number): boolean {
    const link = this.#link(from, to);
    return link.cuts.length === 0 && link.halfOpenBy < 0;
  }

  /** Takes every fault off the ways between nodes for which `inside` is true. */
  heal(inside: (from: number, to: number) => boolean): void {
    for (const link of this.#links) {
      if (!inside(link.from, link.to)) continue;
      link.healed = true;
      link.cuts = [];
      link.slowness = 1;
      link.queueMax = queueFramesMax;
      link.corruptedBy = -1;
      if (link.halfOpenBy >= 0) this.halfOpen(link.from, link.to, link.halfOpenBy, false);
    }
  }

  #take(link: Link, frames: readonly Uint8Array[]): readonly Uint8Array[] {
    const room = link.queueMax - link.queued;
    const taken = frames.length <= room ? frames : frames.slice(0, Math.max(0, room));
    if (taken.length < frames.length && link.queueMax < queueFramesMax) {
      this.#watch.effective(link.narrowedBy);
    }
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
    const rate = this.#rates.get(kind);
    if (rate === undefined) return false;
    const way = link.from * this.#count + link.to;
    const nowUs = this.#scheduler.nowUs;
    if (!this.#gates[kind].unusual(rate.thousandths, nowUs, way, keyOf(frame), groupOf(frame))) {
      return false;
    }
    this.#watch.effective(rate.fault);
    return true;
  }

  /** Damaged bytes close the connection for both ends, as under TLS. */
  #corrupts(link: Link): boolean {
    const way = link.from * this.#count + link.to;
    const gate = this.#gates.corrupt;
    if (!gate.unusual(corruptThousandths, this.#scheduler.nowUs, way)) return false;
    this.#watch.effective(link.corruptedBy);
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

  #newLink(from: number, to: number): Link {
    return {
      from,
      to,
      connection: 0,
      up: false,
      baseUs: within(this.#jitter.word(0, from, to, 2), 200, 1_500),
      lastArrivalUs: 0,
      queued: 0,
      queueMax: queueFramesMax,
      slowness: 1,
      cuts: [],
      slowedBy: -1,
      narrowedBy: -1,
      corruptedBy: -1,
      halfOpenBy: -1,
      healed: false,
    };
  }

  #link(from: number, to: number): Link {
    return this.#links[from * this.#count + to]!;
  }

  #index(link: Link): number {
    return link.from * this.#count + link.to;
  }
}

/** Kind of message: the type byte of a frame's header (CONTRACTS 5); a short frame has none. */
function keyOf(frame: Uint8Array): number {
  return frame.length > 5 ? frame[5]! : 0;
}

/** The group's low byte, from the header. */
function groupOf(frame: Uint8Array): number {
  return frame.length > 9 ? frame[8]! | (frame[9]! << 8) : 0;
}
