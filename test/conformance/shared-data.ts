/** Where the public test data of other projects is: beside the repository unless told otherwise. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory `name` of the shared data, or null, said plainly, where there is none. */
export function sharedData(name: string): string | null {
  const shared =
    process.env["QUORUMLAB_SHARED"] ?? fileURLToPath(new URL("../../../shared", import.meta.url));
  const directory = join(shared, "data", name);
  if (existsSync(directory)) return directory;
  process.stderr.write(
    `skipped: the tables of ${name} are not at ${directory}; set QUORUMLAB_SHARED to the directory that has data/${name}\n`,
  );
  return null;
}
