/** A network of three nodes that note what reaches them. */
import type { NetworkEvents } from "../../src/core/ports/network.js";
import { Decisions } from "../../src/sim/decisions.js";
import { eventKind } from "../../src/sim/events.js";
import { SimNetwork } from "../../src/sim/network.js";
import { Scheduler } from "../../src/sim/scheduler.js";

export interface Arrival {
  readonly atUs: number;
  readonly from: number;
  readonly value: number;
}

export class World {
  readonly scheduler = new Scheduler();
  readonly arrivals: Arrival[][] = [[], [], []];
  readonly links: string[] = [];
  readonly effects: number[] = [];
  readonly network: SimNetwork;
  readonly nodes: { events: NetworkEvents | null; boot: number; diskId: number }[];

  constructor(seed = 1) {
    this.nodes = [0, 1, 2].map((node) => ({
      boot: 7,
      diskId: 100 + node,
      events: {
        frameArrived: (from, frame) =>
          this.arrivals[node]!.push({ atUs: this.scheduler.nowUs, from, value: frame[0]! }),
        linkUp: (peer, boot, disk) => this.links.push(`${node + 1} up ${peer} ${boot} ${disk}`),
        linkDown: (peer) => this.links.push(`${node + 1} down ${peer}`),
      },
    }));
    this.network = new SimNetwork(seed, this.scheduler, this.nodes, 3, {
      decisions: new Decisions(seed, { listed: null }),
      watch: { effective: (fault) => this.effects.push(fault) },
    });
    for (const node of [0, 1, 2]) this.network.started(node);
    this.run(100_000);
  }

  run(forUs: number): void {
    const endUs = this.scheduler.nowUs + forUs;
    this.scheduler.add(endUs, 255);
    while (this.scheduler.next()) {
      const { kind, a, b, payload } = this.scheduler;
      if (kind === eventKind.frames) this.network.arrive(a, b, payload as Uint8Array[]);
      if (kind === eventKind.greet) this.network.greet(a);
      if (kind === eventKind.linkDown) this.network.linkDown(a, b);
      if (kind === 255) return;
    }
  }

  /** `count` frames one after another, a millisecond apart, from node 1 to node 2. */
  stream(count: number): Arrival[] {
    const before = this.arrivals[1]!.length;
    for (let n = 0; n < count; n++) {
      this.network.send(0, 1, [Uint8Array.of(n)], this.scheduler.nowUs);
      this.run(1_000);
    }
    this.run(2_000_000);
    return this.arrivals[1]!.slice(before);
  }
}
