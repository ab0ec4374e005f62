/**
 * One node for a folder. Node.js has no flock(2): the tool of that name takes the lock on a descriptor
 * that it inherits, and so for as long as this process holds that open, however it ends.
 */
import { spawn } from "node:child_process";
import type { FileHandle } from "node:fs/promises";

/** The exit code that `flock --nonblock` has for a lock that somebody else holds. */
const heldExit = 1;

/** @throws Error in words: another process has it, or the tool is not there. */
export async function lockFolder(folder: string, handle: FileHandle): Promise<void> {
  const code = await exitOf("flock", ["--nonblock", "3"], handle.fd);
  if (code === 0) return;
  if (code === heldExit) throw new Error(`${folder} is in use by another process`);
  throw new Error(
    `cannot lock ${folder}: the tool flock (Debian: util-linux) ended with ${String(code)}`,
  );
}

/** "ENOENT" and the like when it could not be started. */
function exitOf(tool: string, args: readonly string[], fd: number): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(tool, args, { stdio: ["ignore", "ignore", "ignore", fd] });
    child.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.once("close", (code, signal) => resolve(code ?? signal ?? "nothing"));
  });
}
