/** What is known of a node that lost something: it counts as whole only once its replicas are. */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../src/core/ids.js";
import { emptyConfiguration } from "../../src/core/raft/configuration.js";
import type { RaftView } from "../../src/core/raft/view.js";
import type { SimProcess } from "../../src/sim/process.js";
import type { Recorder } from "../../src/sim/recorder.js";
import { standingKey } from "../../src/sim/standing-key.js";
import { Survey } from "../../src/sim/survey.js";
import { member, three, view } from "../lab/oracles/fakes.js";

describe("survey: a node whose disk was damaged", () => {
  /** Node 1, damaged in its first life and started again since. */
  function holdsAfterRestart(of: Partial<RaftView>): boolean {
    const process = { node: nodeId(1), index: 0, diskId: 1, alive: true, boot: 1, life: 1 };
    const standings = new Map<number, unknown>();
    const recorder = { standings } as unknown as Recorder;
    const survey = new Survey(recorder, [process as unknown as SimProcess], []);
    survey.lost(0);
    process.life = 2;
    const standing = { node: nodeId(1), life: 2, view: { ...view({ replica: 1 }), ...of } };
    standings.set(standingKey(1, nodeId(1)), standing);
    return survey.holds(0, member(1));
  }

  it("is whole when its replica is", () => {
    expect(holdsAfterRestart({ configuration: three, damaged: false })).toBe(true);
  });

  it("is not whole while its replica refills its log", () => {
    expect(holdsAfterRestart({ configuration: three, damaged: true })).toBe(false);
  });

  it("is not whole when its replica lost its configuration too", () => {
    expect(holdsAfterRestart({ configuration: emptyConfiguration, damaged: true })).toBe(false);
  });
});

describe("survey: the budget of losses", () => {
  const nodes = [1, 2, 3, 4, 5];

  /** Five nodes, of which those in `lost` have lost what they had; a group of the first `voters`. */
  function surveyOf(lost: readonly number[], voters: number, known: boolean): Survey {
    const members = nodes.slice(0, voters).map((id) => member(id));
    const configuration = { ...emptyConfiguration, voters: members };
    const processes = nodes.map((id) => ({
      node: nodeId(id),
      index: id - 1,
      diskId: members[id - 1]?.disk ?? id,
      alive: true,
      boot: 1,
      life: 1,
    }));
    const standings = new Map<number, unknown>();
    for (const { node, replica } of known ? members : []) {
      const shown = { ...view({ replica }), node, configuration };
      standings.set(standingKey(1, node), { node, life: 1, view: shown });
    }
    const founders = nodes.slice(0, voters).map(nodeId);
    const recorder = { standings } as unknown as Recorder;
    const survey = new Survey(recorder, processes as unknown as SimProcess[], [founders]);
    for (const node of lost) survey.lost(node - 1);
    return survey;
  }

  describe.each([
    ["before anybody has shown itself", false],
    ["once configurations are known", true],
  ])("%s", (_when, known) => {
    it.each([
      { voters: 5, lost: [1], another: 2, allowed: true },
      { voters: 5, lost: [1, 2], another: 3, allowed: false },
      { voters: 4, lost: [], another: 2, allowed: true },
      { voters: 4, lost: [1], another: 2, allowed: false },
      { voters: 3, lost: [1], another: 2, allowed: false },
    ])(
      "$voters voters, $lost lost: another one? $allowed",
      ({ voters, lost, another, allowed }) => {
        expect(surveyOf(lost, voters, known).mayLose(another - 1)).toBe(allowed);
      },
    );
  });

  it("of five voters two are lost: none of the others may be sent away, but replaced", () => {
    const survey = surveyOf([1, 2], 5, true);
    const staying = [1, 2, 3, 4].map((id) => member(id));
    expect(survey.mayConsistOf(0, staying, 0)).toBe(false);
    expect(survey.mayConsistOf(0, staying, 1)).toBe(true);
  });
});
