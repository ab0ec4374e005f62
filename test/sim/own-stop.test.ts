/** A process that stops itself is gone at once, also when its disk has just lost something. */
import { expect, test } from "vitest";
import { nodeId } from "../../src/core/ids.js";
import type { Scenario } from "../../src/lab/scenario.js";
import { fault, mixedWorkload, second, smallCluster } from "../../src/lab/shapes.js";
import { simulate } from "../../src/sim/simulate.js";

const three: Scenario = {
  name: "three",
  about: "three nodes, no faults of their own",
  cluster: { ...smallCluster, nodes: 3, groups: 1 },
  workload: mixedWorkload,
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: { attackUs: 8 * second },
  expect: "ok",
};

test("a sync that fails just after a misdirected write: the node starts again and all converge", () => {
  const nodes = [nodeId(2)];
  const faults = [
    fault({ kind: "misdirectWrite", atUs: 4 * second, nodes, amount: 1 }, 0),
    fault({ kind: "failSync", atUs: 4 * second + 1, nodes }, 1),
  ];
  const results = Array.from({ length: 20 }, (_, n) => simulate(three, { seed: n + 1, faults }));
  expect(results.map(({ failure }) => failure)).toEqual(results.map(() => null));
  const both = results.filter(
    ({ faults: { misdirectWrite, failSync } }) =>
      misdirectWrite!.effective > 0 && failSync!.effective > 0,
  );
  expect(both.length).toBeGreaterThan(10);
});
