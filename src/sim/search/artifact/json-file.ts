/** JSON files that came from somewhere: read with suspicion, written whole or not at all. */
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { makeFolder } from "./folders.js";

/** `missing`: not there. `unreadable`: the system refuses. `damaged`: not what it should hold. */
export interface FileProblem {
  readonly code: "missing" | "unreadable" | "damaged";
  readonly path: string;
  /** What is wrong and where, in one sentence. */
  readonly message: string;
}

export type Read<T> = { readonly ok: T } | { readonly problem: FileProblem };

/** How an artifact names its kind and version, first of all its fields. */
export interface Format {
  readonly format: string;
  readonly version: number;
}

const fileBytesMax = 256 * 1024 * 1024;

/** The text of a file, or why it cannot be had. */
export function readText(path: string): Read<string> {
  const fail = (code: FileProblem["code"], message: string): Read<string> => ({
    problem: { code, path, message },
  });
  try {
    const status = statSync(path);
    if (status.isDirectory()) return fail("unreadable", "it is a folder, not a file");
    if (status.size > fileBytesMax) {
      return fail("damaged", `it is larger than ${fileBytesMax} bytes`);
    }
    return { ok: readFileSync(path, "utf8") };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return fail("missing", "there is no such file");
    return fail("unreadable", `it cannot be read (${code})`);
  }
}

/** A value of the schema, or what in the file is not as it should be. */
export function readJson<T>(path: string, schema: z.ZodType<T>, expected: Format): Read<T> {
  const text = readText(path);
  if ("problem" in text) return text;
  const damaged = (message: string): Read<T> => ({ problem: { code: "damaged", path, message } });
  let json: unknown;
  try {
    json = JSON.parse(text.ok);
  } catch (error) {
    return damaged(`it is not whole JSON: ${error instanceof Error ? error.message : ""}`);
  }
  const { format, version } = (json ?? {}) as Record<string, unknown>;
  if (format !== expected.format) {
    return damaged(`it is not a ${expected.format} file: its "format" is ${shown(format)}`);
  }
  if (version !== expected.version) {
    return damaged(
      `it has version ${shown(version)} of ${expected.format}; this program reads ${expected.version}`,
    );
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { ok: parsed.data };
  const issue = parsed.error.issues[0]!;
  return damaged(`at ${issue.path.map(String).join(".") || "the top"}: ${issue.message}`);
}

/**
 * Makes the folders, writes beside the target, syncs and renames: a reader never sees half a file.
 * What is there and no plain file, as a device or a pipe, is written to and stays what it is.
 * @throws NodeJS.ErrnoException when the system refuses
 */
export function writeWhole(path: string, parts: Iterable<string>): void {
  makeFolder(dirname(path));
  const target = behindLinks(path);
  if (lstatSync(target, { throwIfNoEntry: false })?.isFile() === false) {
    writeInto(target, parts);
    return;
  }
  const draft = `${target}.${process.pid}.tmp`;
  try {
    writeInto(draft, parts, fsyncSync);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The path without symbolic links; as it is where nothing is, or nothing is behind its link. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function writeInto(
  path: string,
  parts: Iterable<string>,
  finish: (file: number) => void = () => {},
): void {
  const file = openSync(path, "w");
  try {
    for (const part of parts) writeFileSync(file, part);
    finish(file);
  } finally {
    closeSync(file);
  }
}

/** The system's name for what went wrong, e.g. `EACCES`. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "unknown";
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 40);
}
