import { expect, test } from "vitest";
import { Bus } from "../../../src/core/bus/bus.js";

type Events = { readonly said: string; readonly counted: number };
type Requests = { readonly double: { readonly question: number; readonly reply: number } };

test("bus: listeners hear what is published under their name, until they cancel", () => {
  const bus = new Bus<Events, Requests>();
  const heard: string[] = [];
  const cancel = bus.subscribe("said", (word) => heard.push(word))!;
  bus.publish("said", "one");
  bus.publish("counted", 2);
  cancel();
  cancel();
  bus.publish("said", "three");
  expect(heard).toEqual(["one"]);
});

test("bus: one function that listens twice hears twice, and cancels once each", () => {
  const bus = new Bus<Events, Requests>();
  const heard: string[] = [];
  const listener = (word: string): number => heard.push(word);
  const cancel = bus.subscribe("said", listener)!;
  bus.subscribe("said", listener);
  bus.publish("said", "one");
  cancel();
  bus.publish("said", "two");
  expect(heard).toEqual(["one", "one", "two"]);
});

test("bus: what a listener publishes comes after what is being told: all hear one order", () => {
  const bus = new Bus<Events, Requests>();
  const orders: string[][] = [[], []];
  bus.subscribe("said", (word) => {
    orders[0]!.push(word);
    if (word === "one") bus.publish("said", "two");
  });
  bus.subscribe("said", (word) => orders[1]!.push(word));
  bus.publish("said", "one");
  expect(orders).toEqual([
    ["one", "two"],
    ["one", "two"],
  ]);
});

test("bus: who joins or leaves while an event is told: the event is told to the end as it began", () => {
  const bus = new Bus<Events, Requests>();
  const heard: string[] = [];
  const second = { cancel: (): void => {} };
  bus.subscribe("said", () => {
    second.cancel();
    bus.subscribe("said", () => heard.push("late"));
  });
  second.cancel = bus.subscribe("said", () => heard.push("second"))!;
  bus.publish("said", "one");
  expect(heard).toEqual(["second"]);
});

test("bus: a listener that throws harms nobody, and is told of", () => {
  const errors: unknown[] = [];
  const bus = new Bus<Events, Requests>({
    onError: (name, error) => {
      errors.push([name, (error as Error).message]);
      throw new Error("and this one too");
    },
  });
  const heard: string[] = [];
  bus.subscribe("said", () => {
    throw new Error("broken");
  });
  bus.subscribe("said", (word) => heard.push(word));
  bus.publish("said", "one");
  bus.publish("said", "two");
  expect(heard).toEqual(["one", "two"]);
  expect(errors).toEqual([
    ["said", "broken"],
    ["said", "broken"],
  ]);
  expect(bus.failures).toBe(2);
});

test("bus: listeners that answer each other without end: further events are dropped and counted", () => {
  const bus = new Bus<Events, Requests>({ eventsMax: 8 });
  let told = 0;
  bus.subscribe("counted", (count) => {
    told++;
    if (count >= 3) return;
    for (let n = 0; n < 5; n++) bus.publish("counted", count + 1);
  });
  bus.publish("counted", 0);
  expect(told).toBeLessThan(200);
  expect(bus.dropped).toBeGreaterThan(0);
});

test("bus: more listeners than there may be: null", () => {
  const bus = new Bus<Events, Requests>({ listenersMax: 1 });
  const cancel = bus.subscribe("said", () => {})!;
  expect(bus.subscribe("said", () => {})).toBeNull();
  expect(bus.subscribe("counted", () => {})).not.toBeNull();
  cancel();
  expect(bus.subscribe("said", () => {})).not.toBeNull();
});

test("bus: requests: one responder, none, one that throws", () => {
  const bus = new Bus<Events, Requests>();
  expect(bus.request("double", 4)).toEqual({ kind: "noResponder" });
  const cancel = bus.respond("double", (n) => 2 * n)!;
  expect(bus.respond("double", (n) => 3 * n)).toBeNull();
  expect(bus.request("double", 4)).toEqual({ kind: "reply", value: 8 });
  cancel();
  bus.respond("double", () => {
    throw new Error("broken");
  });
  cancel();
  expect(bus.request("double", 4)).toEqual({ kind: "failed" });
  expect(bus.failures).toBe(1);
});
