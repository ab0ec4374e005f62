/** Which code this is: it goes into every file that is meant to be replayed. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { seedOfCommit } from "../seeds.js";

export interface Build {
  /** 40 hex digits; null when it was built outside a repository. */
  readonly commit: string | null;
  /** True when the built files were not those of the commit. */
  readonly dirty: boolean;
  /** SHA-256 over the built files, 64 hex digits; null when it is not known. */
  readonly code: string | null;
  /** Version of the package. */
  readonly version: string;
  /** Version of Node.js. */
  readonly node: string;
}

/** Versions are at most so long. */
const textMax = 1_024;

/** The seed of a build that has no commit. */
const seedWithoutCommit = 1;

/** As `tools/build.js` left it; seen alike from `src` and from `dist`. */
const buildUrl = new URL("../../../../dist/build.json", import.meta.url);
const packageUrl = new URL("../../../../package.json", import.meta.url);

const commitSchema = z.object({
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
  dirty: z.boolean(),
  // Files of before have none.
  code: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
});

/** How a build stands in files. */
export const buildSchema: z.ZodType<Build> = commitSchema.extend({
  version: z.string().max(textMax),
  node: z.string().max(textMax),
});
const packageSchema = z.object({ version: z.string() });

export function currentBuild(): Build {
  const { version } = packageSchema.parse(JSON.parse(readFileSync(packageUrl, "utf8")));
  return { ...builtCommit(), version, node: process.version };
}

/** What `search` starts from when it is not told: each commit explores seeds of its own. */
export function defaultSeed(build: Build): number {
  return build.commit === null ? seedWithoutCommit : seedOfCommit(build.commit);
}

/**
 * What of two builds is not the same code; null when all is. A commit names its code if nothing was
 * changed; else two are the same only if what was built of them is.
 */
export function otherCode(one: Build, other: Build): string | null {
  if (one.commit !== other.commit) return "commit";
  if (one.version !== other.version) return "package version";
  const named = one.commit !== null && !one.dirty && !other.dirty;
  if (named || (one.code !== null && one.code === other.code)) return null;
  return "set of uncommitted changes";
}

function builtCommit(): z.infer<typeof commitSchema> {
  try {
    return commitSchema.parse(JSON.parse(readFileSync(buildUrl, "utf8")));
  } catch {
    return { commit: null, dirty: false, code: null };
  }
}
