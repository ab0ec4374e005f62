/** The last reads of a run must end. Planted: a program that never answers requests for one key. */
import { expect, test, vi } from "vitest";
import type { Scenario } from "../../src/lab/scenario.js";
import { mixedWorkload, second, smallCluster } from "../../src/lab/shapes.js";
import type * as Programs from "../../src/sim/programs.js";
import { simulate } from "../../src/sim/simulate.js";

const deaf = vi.hoisted(() => ({ key: "" }));

vi.mock("../../src/sim/programs.js", async (original) => {
  const { raftProgram, ...rest } = await original<typeof Programs>();
  return {
    ...rest,
    raftProgram: (options: Parameters<typeof raftProgram>[0]) => {
      const make = raftProgram(options);
      return (...of: Parameters<typeof make>) => {
        const program = make(...of);
        const request = program.request.bind(program);
        program.request = (door, id, bytes) => {
          if (deaf.key === "" || !Buffer.from(bytes).includes(deaf.key)) request(door, id, bytes);
        };
        return program;
      };
    },
  };
});

const calm: Scenario = {
  name: "calm",
  about: "no faults",
  cluster: { ...smallCluster, nodes: 3, groups: 1 },
  workload: { ...mixedWorkload, mix: { ...mixedWorkload.mix, range: 0 } },
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: { attackUs: 3 * second },
  expect: "ok",
};

/** What the first read of a run by `seed` is about; never answered from now on. */
function plant(seed: number): string {
  deaf.key = "";
  const { decisions, failure } = simulate(calm, { seed });
  expect(failure).toBeNull();
  return (deaf.key = decisions.operations.find(({ kind }) => kind === "get")!.key);
}

test("last reads: a key that is never answered: liveness, which names it", () => {
  const key = plant(1);
  const { failure, verdict } = simulate(calm, { seed: 1 });
  expect(verdict).toBe("violation");
  expect(failure).toMatchObject({
    property: "liveness",
    fingerprint: "liveness: reads do not end",
  });
  expect(failure!.message).toContain(`of ${key} of group 1`);
  expect(failure!.message).toContain("group 1: node 1");
});

test("last reads: where nobody asks for progress they may stay unanswered", () => {
  plant(1);
  expect(simulate(calm, { seed: 1, safetyOnly: true }).verdict).toBe("ok");
});
