import { afterAll, expect, it } from "vitest";
import { brokenLockService } from "../../docs/guide/lock-service.js";
import { simulate } from "../../src/sim/simulate.js";
import { Chapter, firstViolation } from "./guide.js";

const chapter = new Chapter("03-your-own-protocol.md", "lock-service");

afterAll(() => chapter.clean());

it("guide: a lock service that answers before its disk knows: caught", () => {
  const caught = firstViolation(brokenLockService, 40);
  expect(caught?.failure?.property).toBe("fencing");
  const again = simulate(brokenLockService, { seed: caught!.seed });
  expect(again.digest).toBe(caught!.digest);
});

it("guide: the same service with the answer held back: nothing to find", async () => {
  const broken = "bytes: record, after: noToken";
  const [mended] = await chapter.changed(broken, "bytes: record, after: token");
  expect(firstViolation(mended!, 40)).toBeNull();
});

it("guide: the chapter shows the code that is tested, in 60 lines or so", () => {
  expect(chapter.text).toContain(chapter.source.trim());
  expect(chapter.source.split("\n").length).toBeLessThan(80);
});

it("guide: the seed in the chapter's test fails", () => {
  const seed = /simulate\(brokenLockService, \{ seed: (\d+) \}\)/.exec(chapter.text)?.[1];
  expect(simulate(brokenLockService, { seed: Number(seed) }).failure?.property).toBe("fencing");
});

it("guide: the chapter's command lines find, shrink and explain the lock service's bug", () => {
  const ran = chapter.runShown();
  expect(ran.map(({ code }) => code)).toEqual([0, 1, 0, 0]);
  expect(ran[3]!.stdout).toContain("VIOLATION of fencing");
  expect(ran[3]!.stdout).toContain("must hold: no two locks have the same fencing number");
});
