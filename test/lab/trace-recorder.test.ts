import { expect, test } from "vitest";
import type { TraceEvent } from "../../src/core/trace/schema.js";
import { TraceRecorder } from "../../src/lab/trace-recorder.js";
import { view } from "./oracles/fakes.js";

test("trace recorder: a violation right after a start: its cause is the start, no earlier life", () => {
  const events: TraceEvent[] = [];
  let boot = 1;
  const world = {
    mapped: false,
    nowUs: () => 5,
    localUs: () => 5,
    boot: () => boot,
    clock: () => ({ wallOffsetUs: 7, driftPpm: 0 }),
    disk: () => 1_000,
  };
  const recorder = new TraceRecorder(world, (event) => events.push(event));
  recorder.stepped(1, "timer", 0, view({}));
  boot = 0;
  recorder.crashed(1);
  boot = 2;
  recorder.recovered(1, view({}));
  recorder.violated(1, 1, "durable-state", "it forgot");
  const { cause } = events.at(-1)!;
  const from = events.find(({ boot: of, seq }) => of === cause?.boot && seq === cause.seq);
  expect(from).toMatchObject({ kind: "recovered", boot: 2 });
});
