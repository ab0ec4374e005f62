import { afterAll, expect, it } from "vitest";
import { waitingRooms } from "../../docs/guide/waiting-rooms.js";
import { simulate } from "../../src/sim/simulate.js";
import { Chapter, firstViolation } from "./guide.js";

const chapter = new Chapter("05-your-own-state-machine.md", "waiting-rooms");

afterAll(() => chapter.clean());

it("guide: waiting rooms whose snapshots forget who came first: caught by the replicas' states", () => {
  const caught = firstViolation(waitingRooms, 20);
  expect(caught?.failure?.property).toBe("state-machine-safety");
  const again = simulate(waitingRooms, { seed: caught!.seed });
  expect(again.digest).toBe(caught!.digest);
});

it("guide: the same rooms with the order that the chapter names: nothing to find", async () => {
  const right = "lines.sort((a, b) => parseInt(a) - parseInt(b))";
  expect(chapter.text).toContain(right);
  const [mended] = await chapter.changed("lines.sort()", right);
  expect(firstViolation(mended!, 20)).toBeNull();
});

it("guide: rooms that call the last one first, on every replica: caught by the model alone", async () => {
  const calls = 'return bytes(room[0] ?? "");';
  const [unfair] = await chapter.changed(calls, 'return bytes(room.at(-1) ?? "");');
  const quiet = { ...unfair!, faults: { swarm: [], swarmFaultsMax: 0 } };
  expect(firstViolation(quiet, 5)?.failure?.property).toBe("linearizability");
});

it("guide: the chapter shows the code that is tested, in 100 lines or so", () => {
  expect(chapter.text).toContain(chapter.source.trim());
  expect(chapter.source.split("\n").length).toBeLessThan(110);
});

it("guide: the chapter's command lines find, shrink and explain the rooms' bug", () => {
  const ran = chapter.runShown();
  expect(ran.map(({ code }) => code)).toEqual([0, 1, 0, 0]);
  expect(ran[3]!.stdout).toContain("VIOLATION of state-machine-safety");
  expect(ran[3]!.stdout).toContain("installs a snapshot");
});
