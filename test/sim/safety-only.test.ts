/** What `--safety-only` lifts, and what it does not (CONTRACTS 6). */
import { expect, test } from "vitest";
import { scenarios } from "../../scenarios/index.js";
import { nodeId } from "../../src/core/ids.js";
import { fault, second } from "../../src/lab/shapes.js";
import { simulate } from "../../src/sim/simulate.js";

const swarm = scenarios.find(({ name }) => name === "swarm")!;

test("safety only: a crash with damage that nothing proves yet loses nothing without a trace", () => {
  expect(simulate(swarm, { seed: 17, safetyOnly: true }).failure).toBeNull();
});

test.each(["lyingSync", "vanishTail"] as const)(
  "safety only: %s is never put into force",
  (kind) => {
    const nodes = [nodeId(1)];
    const faults = [fault({ kind, atUs: second, forUs: second, nodes, amount: 2 }, 0)];
    const counts = simulate(swarm, { seed: 3, safetyOnly: true, faults }).faults;
    expect(counts[kind]?.fired).toBe(0);
  },
);

test("safety only: more nodes than a minority may lose what they can tell of", () => {
  const nodes = [1, 2, 3, 4, 5].map(nodeId);
  const faults = [fault({ kind: "rot", atUs: 5 * second, nodes, amount: 1 }, 0)];
  const [within, lifted] = [false, true].map((safetyOnly) =>
    simulate(swarm, { seed: 3, safetyOnly, faults }),
  );
  expect(within!.faults.rot?.effective).toBe(1);
  expect(lifted!.faults.rot?.effective).toBeGreaterThan(2);
  expect(lifted!.failure).toBeNull();
});
