/** Options that several verbs share, with the checks of what is typed for them. */
import { availableParallelism } from "node:os";
import { InvalidArgumentError, Option } from "commander";
import { jobsMax } from "../sim/search/pool.js";
import {
  parseDuration,
  parseSeed,
  parseShard,
  shardsMax,
  type Shard,
} from "../sim/search/seeds.js";

const seedForms = "a decimal number below 2^53, hex with 0x, or a commit's 40 digits";

export const defaultJobs: number = Math.min(jobsMax, availableParallelism());

export function scenariosOption(): Option {
  return new Option(
    "--scenarios <file>",
    "a module that exports `scenarios`, instead of those shipped",
  );
}

export function seedOption(flags: string, about: string): Option {
  return new Option(flags, `${about}: ${seedForms}`).argParser(seedArgument);
}

export function safetyOnlyOption(): Option {
  return new Option(
    "--safety-only",
    "more faults than the protocol promises to survive; nothing wrong may be said all the same",
  ).default(false);
}

export function jobsOption(): Option {
  return new Option("--jobs <n>", `worker threads, at most ${jobsMax}`)
    .argParser((text) => wholeNumber(text, jobsMax))
    .default(defaultJobs)
    .env("QUORUMLAB_JOBS");
}

export function seedArgument(text: string): number {
  const seed = parseSeed(text);
  if (seed === null) throw new InvalidArgumentError(`A seed is ${seedForms}.`);
  return seed;
}

/** From `least` to `most`. */
export function wholeNumber(
  text: string,
  most: number = Number.MAX_SAFE_INTEGER,
  least: number = 1,
): number {
  const n = /^[0-9]{1,16}$/.test(text) ? Number(text) : 0;
  if (n >= least && n <= most) return n;
  const limit = `from ${least} ${most === Number.MAX_SAFE_INTEGER ? "on" : `to ${most}`}`;
  throw new InvalidArgumentError(`It must be a whole number ${limit}.`);
}

export function shardArgument(text: string): Shard {
  const shard = parseShard(text);
  if (shard === null)
    throw new InvalidArgumentError(
      `A shard is i/n, with i from 1 to n and n at most ${shardsMax}, like 2/8.`,
    );
  return shard;
}

export function durationArgument(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError("A duration is like 90s, 10m or 2h.");
  return ms;
}
