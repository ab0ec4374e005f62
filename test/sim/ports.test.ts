/** The simulated ports, as a process of the simulated cluster is given them. */
import { boot } from "../../src/core/ids.js";
import { queueFramesMax } from "../../src/sim/link.js";
import type { SimNetwork } from "../../src/sim/network.js";
import { randomOf } from "../../src/sim/programs.js";
import { clockConformance } from "../conformance/clock.js";
import { networkConformance } from "../conformance/network.js";
import { randomConformance } from "../conformance/random.js";
import { PortsWorld } from "./ports-world.js";

const nothing = (): void => {};
const deaf = { frameArrived: nothing, linkUp: nothing, linkDown: nothing };
/** More than any link takes, and any greeting that is tried again. */
const settledUs = 200_000;

type Cut = (network: SimNetwork, one: number, other: number, isCut: boolean) => void;

const cuts: Readonly<Record<string, Cut>> = {
  "simulated, nobody is told of a cut": (network, one, other, isCut) => {
    network.cut(one, other, 0, isCut);
    network.cut(other, one, 0, isCut);
  },
  "simulated, one end is told of a cut": (network, one, other, isCut) =>
    network.halfOpen(one, other, 0, isCut),
};
for (const [name, cut] of Object.entries(cuts)) {
  networkConformance(name, (count, eventsOf) => {
    const world = new PortsWorld(count, ({ node }) => ({ ...eventsOf(node), woken: nothing }));
    const { processes, network } = world.cluster;
    return {
      port: (node) => processes[node - 1]!.ports.network,
      greeting: (node) => ({
        boot: boot(world.bootOf(node - 1)),
        disk: processes[node - 1]!.diskId,
      }),
      stop: (node) => world.stop(node - 1),
      start: (node) => world.start(node - 1),
      cut: (one, other, isCut) => cut(network, one - 1, other - 1, isCut),
      until: (isSo) => world.until(isSo),
      settle: () => world.run(settledUs),
      // It has no limit of its own.
      frameBytesMax: 1 << 20,
      queue: { frameBytes: 64, framesMax: queueFramesMax },
      close: nothing,
    };
  });
}

const rates = [
  { name: "simulated", rateMillionths: 0 },
  { name: "simulated, slow by a fifth", rateMillionths: -200_000 },
  { name: "simulated, fast by a fifth", rateMillionths: 200_000 },
];
for (const { name, rateMillionths } of rates) {
  clockConformance(name, (wake) => {
    const world = new PortsWorld(1, () => ({ ...deaf, woken: wake }));
    const process = world.cluster.processes[0]!;
    process.drift.begin(0, rateMillionths);
    process.clockChanged();
    return {
      clock: process.ports.clock,
      pass: (us) => world.run(us),
      until: (isSo) => world.until(isSo),
      stepWall: (byUs) => process.clock.stepWall(byUs),
      close: nothing,
    };
  });
}

randomConformance("simulated", (node, life) => randomOf(1, node, life));
