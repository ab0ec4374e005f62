import type { Scenario } from "quorumlab/lab";
import { simulate } from "quorumlab/sim";
import { baselineRate } from "./baseline-scheduler.js";
import { benchBusy, benchMixed } from "./bench-mixed.js";
import { alternate, type Figure } from "./figure.js";

const pairs = 15;
/** A worker of a search makes thousands of runs: what counts is the rate of compiled code. */
const warmUpRuns = 8;
const baselineEvents = 2_000_000;
/** What makes the workload a mixed one; a run that idles would look fast. */
const stepsPerAcknowledgedMax = 60;

export function benchSim(): readonly Figure[] {
  return [...measure("sim/steps", benchMixed), ...measure("sim/steps-busy", benchBusy)];
}

/** Steps per second with every oracle on, as a share of the bare event loop's events per second. */
function measure(name: string, scenario: Scenario): readonly Figure[] {
  let seed = 1;
  let steps = 0;
  let acknowledged = 0;
  const ours = (): number => {
    const startedMs = performance.now();
    const result = simulate(scenario, { seed: seed++ });
    const tookMs = performance.now() - startedMs;
    if (result.verdict !== "ok") throw new Error(`seed ${seed - 1}: ${result.failure?.message}`);
    steps += result.steps;
    acknowledged += result.acknowledged;
    return (result.steps * 1_000) / tookMs;
  };
  for (let run = 0; run < warmUpRuns; run++) ours();
  baselineRate(baselineEvents);
  const rates = alternate(pairs, ours, () => baselineRate(baselineEvents));
  if (steps > acknowledged * stepsPerAcknowledgedMax) {
    throw new Error(`${steps} steps for ${acknowledged} operations is not the mixed workload`);
  }
  return [
    {
      name,
      value: rates.ours,
      unit: "steps/s",
      against: "bare event loop, one closure per event",
      ratio: rates.ratio,
    },
    {
      name: `${name}-per-operation`,
      value: steps / acknowledged,
      unit: "steps",
      against: "the most that the workload may take",
      ratio: steps / acknowledged / stepsPerAcknowledgedMax,
    },
  ];
}
