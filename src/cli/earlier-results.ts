/** What an earlier search left in the folder that a new one is about to write to. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readResultFile } from "../sim/search/result-file.js";
import type { SearchPlan } from "../sim/search/seeds.js";
import { CliError } from "./errors.js";
import { exitCode } from "./exit-codes.js";
import type { Output } from "./output.js";
import { failuresFolder } from "./runs.js";

/**
 * The result of another shard would be lost to `merge`, so it is not overwritten. Failure files say
 * themselves what they are of, and are kept until they are fixed: they stay, and that is told.
 */
export function checkEarlier(output: Output, folder: string, plan: SearchPlan): void {
  const read = readResultFile(folder);
  if ("ok" in read) {
    const { shard } = read.ok.plan;
    if (shard.of > 1 && !isDeepStrictEqual(read.ok.plan, plan)) {
      throw new CliError(
        exitCode.cannotWrite,
        `${folder} holds shard ${shard.index}/${shard.of} of an earlier search: ` +
          "give another --out or remove it",
      );
    }
  }
  const kept = failureFiles(failuresFolder(folder));
  if (kept > 0) {
    output.note(
      `note: ${failuresFolder(folder)} holds ${kept} files of earlier runs, which stay; ` +
        `${join(folder, "search.json")} names those of this search`,
    );
  }
}

function failureFiles(folder: string): number {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json")).length;
  } catch {
    return 0;
  }
}
