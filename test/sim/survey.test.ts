/** What is known of a node that lost something: it counts as whole only once its replicas are. */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../src/core/ids.js";
import { emptyConfiguration } from "../../src/core/raft/configuration.js";
import type { RaftView } from "../../src/core/raft/view.js";
import type { SimProcess } from "../../src/sim/process.js";
import { type Recorder, standingKey } from "../../src/sim/recorder.js";
import { Survey } from "../../src/sim/survey.js";
import { member, three, view } from "../lab/oracles/fakes.js";

describe("survey: a node whose disk was damaged", () => {
  /** Node 1, damaged in its first life and started again since. */
  function holdsAfterRestart(of: Partial<RaftView>): boolean {
    const process = { node: nodeId(1), index: 0, diskId: 1, alive: true, boot: 1, life: 1 };
    const standings = new Map<number, unknown>();
    const recorder = { standings } as unknown as Recorder;
    const survey = new Survey(recorder, [process as unknown as SimProcess]);
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
