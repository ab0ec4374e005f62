/** Folders that hold what will be executed or must stay secret: nobody else may write them. */
import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

const othersMayWrite = 0o022;
const sticky = 0o1000;

/** `~/.cache/quorumlab`, or where XDG_CACHE_HOME says. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment["XDG_CACHE_HOME"];
  // A relative path there is to be ignored (XDG base directory specification).
  const absolute = base !== undefined && base.startsWith("/");
  return join(absolute ? base : join(homedir(), ".cache"), "quorumlab");
}

/** Makes it, mode 0700, with all folders above. Throws when somebody else could put files there. */
export function makePrivateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const real = realpathSync(path);
  const why = whyNotPrivate(real);
  if (why !== null) throw new Error(why);
  return real;
}

/**
 * Who could replace what lies at `path`: its owner, root, and whoever may write a folder above it.
 * Null when that is nobody but us and root.
 */
export function whyNotPrivate(path: string): string | null {
  const us = process.getuid?.() ?? null;
  // Without users there is nobody to keep out.
  if (us === null) return null;
  for (let at = resolve(path), leaf = true; ; at = dirname(at), leaf = false) {
    const { mode, uid } = lstatSync(at);
    if (uid !== us && uid !== 0) return `${at} belongs to user ${uid}`;
    // In a sticky folder (/tmp) nobody can rename or remove what is another's.
    const open = (mode & othersMayWrite) !== 0 && (leaf || (mode & sticky) === 0);
    if (open) return `${at} can be written by others (mode ${(mode & 0o7777).toString(8)})`;
    if (at === dirname(at)) return null;
  }
}
