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
        program.request = (id, bytes) => {
          if (deaf.key === "" || !Buffer.from(bytes).includes(deaf.key)) request(id, bytes);
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

test("last reads: all answered: ok", () => {
  deaf.key = "";
  expect(simulate(calm, { seed: 1 }).failure).toBeNull();
});

test("last reads: a key that is never answered: liveness, which names it", () => {
  const { decisions } = simulate(calm, { seed: 1 });
  deaf.key = decisions.operations.find(({ kind }) => kind === "get")!.key;
  const { failure, verdict } = simulate(calm, { seed: 1 });
  expect(verdict).toBe("violation");
  expect(failure).toMatchObject({
    property: "liveness",
    fingerprint: "liveness: reads do not end",
  });
  expect(failure!.message).toContain(deaf.key);
  expect(failure!.message).toContain("group 1: node 1");
});

test("last reads: where nobody asks for progress they may stay unanswered", () => {
  const { decisions } = simulate({ ...calm }, { seed: 1 });
  deaf.key = decisions.operations.find(({ kind }) => kind === "get")!.key;
  expect(simulate(calm, { seed: 1, safetyOnly: true }).failure).toBeNull();
});
