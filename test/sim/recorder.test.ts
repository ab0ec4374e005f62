import { describe, expect, test } from "vitest";
import { boot, incarnation, index, term } from "../../src/core/ids.js";
import type { OracleSpec } from "../../src/lab/oracle.js";
import { allOracles } from "../../src/lab/oracles/index.js";
import { Recorder } from "../../src/sim/recorder.js";
import { standingKey } from "../../src/sim/standing-key.js";
import { entry, hardState, node1, node2, persist, recovered, view } from "../lab/oracles/fakes.js";

describe("recorder", () => {
  const worldOf = (life: () => number) => ({
    mapped: false,
    nowUs: () => 0,
    localUs: () => 0,
    lives: () => true,
    boot: () => 1,
    clock: () => ({ wallOffsetUs: 0, driftPpm: 0 }),
    disk: () => 0,
    life,
    bounds: () => [{ name: "inbox", size: 7, limit: 6 }],
  });

  test("recorder: a sync of the next life has the number of a batch that died: it proves nothing", () => {
    let life = 1;
    const recorder = new Recorder(
      worldOf(() => life),
      allOracles,
      null,
    );
    recorder.batchSubmitted(node1, 22, [persist(1, { entries: [entry(1, 1)] })]);
    life = 3;
    recorder.durable(node1, 22);
    recorder.replicaStarted(node1, boot(2), view({}), recovered({ entries: [] }));
    expect(recorder.failure).toBeNull();
  });

  test("recorder: a sync of the same life: what it covers must be found at the next start", () => {
    const recorder = new Recorder(
      worldOf(() => 1),
      allOracles,
      null,
    );
    recorder.batchSubmitted(node1, 22, [persist(1, { entries: [entry(1, 1)] })]);
    recorder.durable(node1, 22);
    recorder.replicaStarted(node1, boot(2), view({}), recovered({ entries: [] }));
    expect(recorder.failure?.property).toBe("durable-state");
  });

  test("recorder: steps that change nothing of the view: only those who judge every step are asked", () => {
    const asked: string[] = [];
    const spec: OracleSpec = {
      id: "listens",
      about: "writes down what it is asked",
      judges: "step",
      make: () => ({
        changed: () => asked.push("changed"),
        stepped: () => asked.push("stepped"),
      }),
    };
    const recorder = new Recorder(
      worldOf(() => 1),
      [spec],
      null,
    );
    const seen = view({ replica: 2 });
    for (let n = 0; n < 2; n++) recorder.stepped(node2, "message", n, seen);
    expect(asked).toEqual(["changed", "stepped", "stepped"]);
  });

  test("recorder: what is left of a group's earlier life: is not taken for the present one, nor for its state", () => {
    const recorder = new Recorder(
      worldOf(() => 1),
      [],
      null,
    );
    const before = { ...view({ replica: 2 }), incarnation: incarnation(2) };
    const present = { ...view({ replica: 2 }), incarnation: incarnation(8) };
    const key = standingKey(present.group, node2);
    const start = { entries: [] };
    recorder.replicaStarted(node2, boot(1), before, recovered(start));
    recorder.replicaStarted(node2, boot(1), present, recovered(start));
    recorder.applied(node2, present, [entry(1, 1)], [1, 1]);
    recorder.stepped(node2, "timer", 0, before);
    recorder.applied(node2, before, [entry(7, 7)], [7, 7]);
    recorder.restored(node2, before, index(8), [8, 8]);
    recorder.replicaStarted(node2, boot(1), before, recovered(start));
    expect(recorder.standings.get(key)?.view).toBe(present);
    expect(recorder.appliedStates.get(key)).toEqual({ index: 1, digest: [1, 1] });
  });

  test("recorder: a queue of the host over its limit: seen before many steps have gone by", () => {
    const recorder = new Recorder(
      worldOf(() => 1),
      allOracles,
      null,
    );
    for (let n = 0; n < 63; n++) recorder.stepped(node1, "diskDone", n, null);
    for (let n = 0; n < 64; n++) recorder.stepped(node1, "persisted", n, null);
    expect(recorder.failure).toBeNull();
    recorder.stepped(node1, "diskDone", 64, null);
    expect(recorder.failure?.fingerprint).toBe("bounded: inbox over its limit");
  });

  test("recorder: digest: each field of what goes to disk moves it, and when the disk holds it", () => {
    const recorded = (of: Parameters<typeof persist>[1], durable = false) => {
      const recorder = new Recorder(
        worldOf(() => 1),
        [],
        null,
      );
      recorder.batchSubmitted(node1, 22, [persist(1, of)]);
      if (durable) recorder.durable(node1, 22);
      return recorder.digest.hash.hex();
    };
    const one = entry(1, 1);
    const installed = {
      index: index(5),
      term: term(1),
      configuration: new Uint8Array(),
      sizeBytes: 0,
      checksum: 7,
    };
    const digests = [
      recorded({ entries: [one] }),
      recorded({ entries: [one] }, true),
      recorded({ entries: [entry(1, 2)] }),
      recorded({ entries: [entry(2, 1)] }),
      recorded({ entries: [{ ...one, type: 2 }] }),
      recorded({ entries: [{ ...one, keyEpoch: 1 }] }),
      recorded({ entries: [{ ...one, payload: new Uint8Array(1) }] }),
      recorded({ entries: [{ ...one, payload: new Uint8Array([1]) }] }),
      recorded({ entries: [one], hardState: hardState(1) }),
      recorded({ entries: [one], hardState: { ...hardState(1)!, commit: index(1) } }),
      recorded({ entries: [one], installed }),
      recorded({ entries: [one], installed: { ...installed, term: term(2) } }),
      recorded({ entries: [one], installed: { ...installed, checksum: 8 } }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});
