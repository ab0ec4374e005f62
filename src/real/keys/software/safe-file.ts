/** Files of secrets: read with suspicion, written whole or not at all, by one process at a time. */
import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { link, open, rename, stat, unlink, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { KeyFileError } from "./key-file-error.js";

const modeWhenMade = 0o600;
/** Group and others. */
const modeOfOthers = 0o077;

const lockWaitMs = 10_000;
const lockPauseMs = 20;
/** A lock is held for one write. One that is older was left behind by a process that died. */
const lockStaleMs = 60_000;

/** Through one handle: what was looked at is what is read. */
export async function readSafely(path: string, bytesMax: number): Promise<Uint8Array> {
  // Without O_NONBLOCK a pipe of that name would be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: unknown) => {
    const system = systemCode(error);
    if (system === "ENOENT" || system === "ENOTDIR") throw new KeyFileError("missing", path);
    if (system === "ELOOP" || system === "ENXIO") throw new KeyFileError("notAFile", path);
    throw new KeyFileError("unreadable", path, system);
  });
  try {
    checkOwner(path, await handle.stat());
    return await readAll(path, handle, bytesMax);
  } finally {
    await handle.close();
  }
}

/** Tells one writing from another without reading: inode, size and time. */
export async function stampOf(path: string): Promise<string | null> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found === null ? null : `${found.ino} ${found.size} ${found.mtimeNs}`;
}

/** In place of what is there. After this it survives a loss of power. */
export async function replaceSafely(path: string, bytes: Uint8Array): Promise<void> {
  await writing(path, async (temporary) => {
    await writeNew(temporary, bytes);
    await rename(temporary, path);
  });
}

/** Only where nothing is. */
export async function createSafely(path: string, bytes: Uint8Array): Promise<void> {
  await writing(path, async (temporary) => {
    await writeNew(temporary, bytes);
    // Unlike a rename a link never replaces what came there meanwhile.
    await link(temporary, path);
    await unlink(temporary);
  });
}

/** While `act` runs no other process that asks as this one does is inside. */
export async function withLock<T>(path: string, act: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const untilMs = performance.now() + lockWaitMs;
  for (;;) {
    try {
      await (await open(lock, "wx", modeWhenMade)).close();
      break;
    } catch (error) {
      const system = systemCode(error);
      if (system !== "EEXIST") throw new KeyFileError("unwritable", path, system);
    }
    if (performance.now() > untilMs) throw new KeyFileError("busy", path);
    const left = await stat(lock).catch(() => null);
    if (left !== null && Date.now() - left.mtimeMs > lockStaleMs)
      await unlink(lock).catch(() => {});
    else await pause(lockPauseMs);
  }
  try {
    return await act();
  } finally {
    await unlink(lock).catch(() => {});
  }
}

function checkOwner(path: string, found: Stats): void {
  if (!found.isFile()) throw new KeyFileError("notAFile", path);
  const user = process.getuid?.();
  if (user !== undefined && found.uid !== user) throw new KeyFileError("notOwned", path);
  if ((found.mode & modeOfOthers) !== 0) throw new KeyFileError("tooPermissive", path);
}

async function readAll(path: string, handle: FileHandle, bytesMax: number): Promise<Uint8Array> {
  const { size } = await handle.stat();
  if (size > bytesMax) throw new KeyFileError("foreign", path);
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at).catch((error: unknown) => {
      throw new KeyFileError("unreadable", path, systemCode(error));
    });
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

async function writing(path: string, act: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    await act(temporary);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    const system = systemCode(error);
    throw new KeyFileError(system === "EEXIST" ? "exists" : "unwritable", path, system);
  }
  await syncFolder(dirname(path)).catch((error: unknown) => {
    throw new KeyFileError("unsynced", path, systemCode(error));
  });
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "wx", modeWhenMade);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function systemCode(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "unknown";
}
