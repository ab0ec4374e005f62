/**
 * SoftHSM from the distribution's own package, without root: apt fetches it and checks it against the
 * index that its distribution signed, and only its files are unpacked. Nothing is installed.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { makePrivateFolder, whyNotPrivate } from "./private-folder.js";

const run = promisify(execFile);
const packageName = "libsofthsm2";
const unpackedName = "softhsm2";
const commandTimeoutMs = 120_000;
const outputBytesMax = 1 << 20;

/** Whatever this machine's settings say: what is not signed is not taken. */
const signedOnly = [
  "APT::Get::AllowUnauthenticated=false",
  "Acquire::AllowInsecureRepositories=false",
  "Acquire::AllowWeakRepositories=false",
  "Acquire::AllowDowngradeToInsecureRepositories=false",
  "Acquire::Retries=1",
  "Acquire::http::Timeout=15",
];

/** The library unpacked earlier; null when there is none, or when others could have changed it. */
export function unpackedLibrary(folder: string): string | null {
  const unpacked = join(folder, unpackedName);
  if (!existsSync(unpacked)) return null;
  const library = libraryIn(unpacked);
  return library !== null && whyNotPrivate(library) === null ? library : null;
}

/** Fetches and unpacks into `folder`, which is made if need be. Gives the path of the library. */
export async function unpackLibrary(folder: string): Promise<string> {
  makePrivateFolder(folder);
  const work = mkdtempSync(join(folder, "fetch-"));
  try {
    const file = await download(work);
    const files = join(work, "files");
    await run("dpkg-deb", ["-x", file, files], { timeout: commandTimeoutMs });
    if (libraryIn(files) === null) throw new Error(`${packageName} holds no libsofthsm2.so`);
    keep(files, join(folder, unpackedName));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const library = unpackedLibrary(folder);
  if (library === null) throw new Error(`${folder} holds no library that only we can write`);
  return library;
}

/** By the machine's own index where it has one that is new enough, else by one fetched for this. */
async function download(work: string): Promise<string> {
  const state = join(work, "state");
  const cache = join(work, "cache");
  mkdirSync(join(state, "lists", "partial"), { recursive: true });
  mkdirSync(join(cache, "archives", "partial"), { recursive: true });
  const ownCache = [`Dir::Cache=${cache}`];
  try {
    return await fetch(work, ownCache);
  } catch {
    const own = [...ownCache, `Dir::State=${state}`, "Dir::State::status=/var/lib/dpkg/status"];
    // One source that does not answer is no reason to stop: the download says what is missing.
    await apt(work, [...own], ["update"]).catch(() => undefined);
    return await fetch(work, own);
  }
}

async function fetch(work: string, settings: readonly string[]): Promise<string> {
  await apt(work, settings, ["download", packageName]);
  const file = readdirSync(work).find((name) => name.endsWith(".deb"));
  if (file === undefined) throw new Error(`apt-get gave no ${packageName}`);
  return join(work, file);
}

async function apt(
  work: string,
  settings: readonly string[],
  words: readonly string[],
): Promise<void> {
  const options = [...signedOnly, ...settings].flatMap((setting) => ["-o", setting]);
  await run("apt-get", ["-qq", ...options, ...words], {
    cwd: work,
    env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
    timeout: commandTimeoutMs,
    maxBuffer: outputBytesMax,
  });
}

/** Another process may have been quicker; what lies there and is not private is replaced. */
function keep(files: string, target: string): void {
  for (const attempt of [1, 2]) {
    try {
      renameSync(files, target);
      return;
    } catch (error) {
      const library = libraryIn(target);
      if (library !== null && whyNotPrivate(library) === null) return;
      if (attempt === 2) throw error;
      rmSync(target, { recursive: true, force: true });
    }
  }
}

function libraryIn(files: string): string | null {
  const lib = join(files, "usr", "lib");
  if (!existsSync(lib)) return null;
  // The plain path is a link to the file of the architecture; we want the file.
  for (const name of readdirSync(lib)) {
    const library = join(lib, name, "softhsm", "libsofthsm2.so");
    if (existsSync(library)) return library;
  }
  return null;
}
