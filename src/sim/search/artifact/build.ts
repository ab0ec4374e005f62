/** Which code this is: it goes into every file that is meant to be replayed. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { seedOfCommit } from "../seeds.js";

export interface Build {
  /** 40 hex digits; null when it was built outside a repository. */
  readonly commit: string | null;
  /** True when the built files were not those of the commit. */
  readonly dirty: boolean;
  /** Version of the package. */
  readonly version: string;
  /** Version of Node.js. */
  readonly node: string;
}

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

function builtCommit(): z.infer<typeof commitSchema> {
  try {
    return commitSchema.parse(JSON.parse(readFileSync(buildUrl, "utf8")));
  } catch {
    return { commit: null, dirty: false };
  }
}
