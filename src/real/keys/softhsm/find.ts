/** Where SoftHSM 2 is on this machine, which tests and trials use in the place of a real token. */
import { accessSync, constants, existsSync } from "node:fs";
import { SoftHsmMissingError } from "./missing.js";
import { cacheFolder } from "./private-folder.js";
import { unpackLibrary, unpackedLibrary } from "./unpack.js";

export interface FoundSoftHsm {
  /** Path of libsofthsm2.so. */
  readonly library: string;
  readonly from: "SOFTHSM2_MODULE" | "installed" | "unpacked";
}

const usualPlaces = [
  "/usr/lib/softhsm/libsofthsm2.so",
  "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
  "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
  "/usr/lib64/softhsm/libsofthsm.so",
  "/usr/lib64/pkcs11/libsofthsm2.so",
  "/usr/local/lib/softhsm/libsofthsm2.so",
  "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

const installCommand =
  process.platform === "darwin" ? "brew install softhsm" : "sudo apt-get install libsofthsm2";

export interface FindOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly places?: readonly string[];
  /** Null: nothing is fetched. Default: a folder of our own in the user's cache. */
  readonly cache?: string | null;
}

/**
 * What SOFTHSM2_MODULE names, else what is installed, else the distribution's package unpacked into
 * the cache. Rejected with `SoftHsmMissingError`.
 */
export async function findSoftHsm(options: FindOptions = {}): Promise<FoundSoftHsm> {
  const { environment = process.env, places = usualPlaces } = options;
  const named = environment["SOFTHSM2_MODULE"];
  if (named !== undefined && named !== "") return namedLibrary(named);
  const installed = places.find((path) => existsSync(path));
  if (installed !== undefined) return { library: installed, from: "installed" };
  const cache = options.cache === undefined ? cacheFolder(environment) : options.cache;
  if (cache === null) throw new SoftHsmMissingError("it is not installed", installCommand);
  const earlier = unpackedLibrary(cache);
  if (earlier !== null) return { library: earlier, from: "unpacked" };
  try {
    return { library: await unpackLibrary(cache), from: "unpacked" };
  } catch (error) {
    throw new SoftHsmMissingError(
      `it is not installed, and apt did not give it (${firstLine(error)})`,
      installCommand,
    );
  }
}

function namedLibrary(path: string): FoundSoftHsm {
  try {
    accessSync(path, constants.R_OK);
    return { library: path, from: "SOFTHSM2_MODULE" };
  } catch {
    throw new SoftHsmMissingError(
      `SOFTHSM2_MODULE names ${path}, which cannot be read`,
      "unset SOFTHSM2_MODULE",
    );
  }
}

/** What failed, of a command the line in which it says so. */
function firstLine(error: unknown): string {
  const { message, stderr } = error as { message?: string; stderr?: string };
  const said = (stderr ?? "").split("\n").find((line) => line.startsWith("E: "));
  return said ?? (message ?? "").split("\n")[0] ?? "unknown";
}
