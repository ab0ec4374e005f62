import { expect, test } from "vitest";
import { sleepAgreed } from "../../../src/lab/oracles/sleep-agreed.js";
import { judge, node1, node2, view } from "./fakes.js";

test("sleep-agreed: a leader sleeps over a member that lacks an entry, a follower before it applied", () => {
  const log: [number, number][] = [
    [1, 7],
    [1, 8],
  ];
  const asleep = (replica: number, applied: number, role: "leader" | "follower") =>
    view({ replica, role, leader: 1, asleep: true, applied, log });
  const leads = (applied: number) =>
    judge(sleepAgreed, (oracle) => {
      oracle.changed(node2, view({ replica: 2, applied: 2, log }));
      oracle.changed(node2, view({ replica: 3, applied, log }));
      oracle.changed(node1, asleep(1, 2, "leader"));
    });
  const follows = (applied: number) =>
    judge(sleepAgreed, (oracle) => oracle.changed(node2, asleep(2, applied, "follower")));
  expect([leads(2), follows(2)]).toEqual([[], []]);
  expect(leads(1)).toEqual(["a leader sleeps too early"]);
  expect(follows(1)).toEqual(["a follower sleeps too early"]);
});
