/** What the package promises to those who import it by its name. */
import { expect, test } from "vitest";
import * as core from "quorumlab/core";
import { scenarios } from "quorumlab/scenarios";
import { keyStoreOf, KeyStoreError } from "quorumlab/real";
import { simulate } from "quorumlab/sim";

test("entry points: the shipped scenarios run", () => {
  const scenario = scenarios.find(({ name }) => name === "calm-cluster")!;
  expect(simulate(scenario, { seed: 1, stopAtStep: 50 }).steps).toBe(50);
});

test("entry points: the core has the replica, the log, the store and the node", () => {
  const { Raft, Wal, KvStore, ReplicatedStore, Host, multiRaft } = core;
  for (const each of [Raft, Wal, KvStore, ReplicatedStore, Host, multiRaft]) {
    expect(each).toBeTypeOf("function");
  }
});

test("entry points: the real world has key stores and their error", () => {
  expect(keyStoreOf).toBeTypeOf("function");
  expect(new KeyStoreError({ code: "failed", rv: 0, policy: null, during: "x" })).toBeInstanceOf(
    Error,
  );
});
