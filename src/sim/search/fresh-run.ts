/**
 * One run in a process of its own, which nothing came before:
 * `node fresh-run.js SCENARIOS-URL SCENARIO SEED [EVENT]` prints a line of JSON.
 */
import { base64Encode } from "../../core/base64.js";
import type { Scenario } from "../../lab/scenario.js";
import { simulate } from "../simulate.js";
import { recordRun } from "./event-log.js";
import type { FreshAnswer } from "./determinism.js";

const [scenariosUrl = "", name, seed, show] = process.argv.slice(2);
const { scenarios } = (await import(scenariosUrl)) as { scenarios: readonly Scenario[] };
const scenario = scenarios.find((each) => each.name === name);
if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
const log = recordRun(simulate, scenario, {
  seed: Number(seed),
  show: show === undefined ? null : Number(show),
});
const { buffer, byteOffset, byteLength } = log.words;
const answer: FreshAnswer = {
  digest: log.digest,
  stateDigest: log.stateDigest,
  words: base64Encode(new Uint8Array(buffer, byteOffset, byteLength)),
  outcome: log.outcome,
  shown: log.shown,
};
process.stdout.write(`${JSON.stringify(answer)}\n`);
