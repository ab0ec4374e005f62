/** What README shows of `quorumlab demo` is what comes out: run it again, and paste it, when this fails. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { scenarios } from "../../scenarios/index.js";
import { counted, grouped } from "../../src/cli/output.js";
import { shown } from "../../src/cli/verbs/demo.js";
import { simulate } from "../../src/sim/simulate.js";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const lines = readme.match(/^ {3}\S+ +[\d,]+ steps, .*: (?:held|violated, as it must be)$/gm) ?? [];

test("README: the demo's table has what the demo shows", () => {
  expect(lines.map((line) => line.trim().split(" ")[0])).toEqual(shown);
});

test.each(lines.map((line) => [line.trim().split(" ")[0]!, line]))(
  "README: %s runs as the demo's table says",
  (name, line) => {
    const scenario = scenarios.find((each) => each.name === name)!;
    const { steps, acknowledged, leaderChanges, verdict } = simulate(scenario, { seed: 1 });
    const word = verdict === "violation" ? "violated, as it must be" : "held";
    expect(line.replaceAll(/ +/g, " ")).toBe(
      ` ${name} ${grouped(steps)} steps, ${grouped(acknowledged)} operations, ` +
        `${counted(leaderChanges, "leader")}: ${word}`,
    );
  },
);
