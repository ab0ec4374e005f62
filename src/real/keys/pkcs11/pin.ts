/**
 * Where the PIN comes from and what it looks like. It is fetched for each login, by the process of the
 * library alone, and wiped afterwards. What cannot be wiped are the copies that the engine and the
 * binding make of a string, which the binding demands: they live in that process and nowhere else.
 */
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { VendorProfile } from "../../../core/hsm/profile.js";

export type PinSource =
  /** Whose permissions are the owner's business; a warning is printed when all may read it. */
  | { readonly from: "file"; readonly path: string }
  /** A descriptor of this process, read from its start every time: of a file, not of a pipe. */
  | { readonly from: "descriptor"; readonly descriptor: number }
  /** Prints it on standard output. The path is absolute; no shell is used. */
  | { readonly from: "program"; readonly path: string; readonly args: readonly string[] }
  /** The weakest: processes of the same user can read it. A warning is printed. */
  | { readonly from: "environment"; readonly variable: string };

/** How the PIN is made of the secret that the source gives. */
export type PinEncoding =
  | { readonly format: "pin" }
  | { readonly format: "user-password"; readonly user: string }
  /** `keyId`: four hex digits. */
  | { readonly format: "key-id-password"; readonly keyId: string }
  /** Whatever is sent is taken. */
  | { readonly format: "ignored" };

const secretBytesMax = 1024;
const programTimeoutMs = 10_000;
const newline = 10;
const carriageReturn = 13;
const allMayRead = 0o004;

/** Bytes to send as PIN; wipe them. Null with a reason for people when there are none. */
export type FetchedPin =
  { readonly pin: Buffer; readonly why: null } | { readonly pin: null; readonly why: string };

/** `warn` is told what a person should know about the source; never the secret. */
export function fetchPin(
  source: PinSource | null,
  encoding: PinEncoding,
  warn: (text: string) => void,
): FetchedPin {
  if (encoding.format === "ignored") return { pin: Buffer.from("ignored"), why: null };
  if (source === null) return { pin: null, why: "nobody said where the PIN comes from" };
  let secret: Buffer;
  try {
    secret = withoutNewline(readSecret(source, warn));
  } catch (error) {
    // The message of a failed program would hold what it printed.
    const { code } = error as NodeJS.ErrnoException;
    return { pin: null, why: `the PIN's ${source.from} gave nothing (${code ?? "failed"})` };
  }
  const why = whyNoPin(secret);
  if (why !== null) {
    secret.fill(0);
    return { pin: null, why: `the PIN's ${source.from} gave ${why}` };
  }
  const pin = Buffer.concat([Buffer.from(prefixOf(encoding)), secret]);
  secret.fill(0);
  return { pin, why: null };
}

/** The encoding that a vendor's profile asks for. Throws when `user` does not fit it. */
export function pinEncoding(
  format: VendorProfile["pinFormat"],
  user: string | undefined,
): PinEncoding {
  switch (format) {
    case "user-password":
      if (user === undefined || user === "" || user.includes(":")) {
        throw new Error("the PIN of this vendor needs a user's name, without a colon");
      }
      return { format, user };
    case "key-id-password":
      if (user === undefined || !/^[0-9a-f]{4}$/i.test(user)) {
        throw new Error("the PIN of this vendor needs the id of a key: four hex digits");
      }
      return { format, keyId: user };
    default:
      return { format };
  }
}

function prefixOf(encoding: PinEncoding): string {
  switch (encoding.format) {
    case "user-password":
      return `${encoding.user}:`;
    case "key-id-password":
      return encoding.keyId;
    default:
      return "";
  }
}

function readSecret(source: PinSource, warn: (text: string) => void): Buffer {
  switch (source.from) {
    case "file": {
      const descriptor = openSync(source.path, "r");
      try {
        const { mode } = fstatSync(descriptor);
        if ((mode & allMayRead) !== 0) warn(`every user can read the PIN in ${source.path}`);
        return readWhole(descriptor, null);
      } finally {
        closeSync(descriptor);
      }
    }
    case "descriptor":
      return readWhole(source.descriptor, 0);
    case "program":
      return execFileSync(source.path, source.args, {
        stdio: ["ignore", "pipe", "inherit"],
        timeout: programTimeoutMs,
        maxBuffer: secretBytesMax * 2,
        killSignal: "SIGKILL",
      });
    default:
      warn(`the PIN comes from the environment (${source.variable}), where others can read it`);
      return Buffer.from(process.env[source.variable] ?? "", "utf8");
  }
}

/** From `position` on; null: from where the descriptor stands. */
function readWhole(descriptor: number, position: number | null): Buffer {
  const room = Buffer.alloc(secretBytesMax + 2);
  let length = 0;
  while (length < room.length) {
    const at = position === null ? null : position + length;
    const read = readSync(descriptor, room, length, room.length - length, at);
    if (read === 0) break;
    length += read;
  }
  const secret = Buffer.from(room.subarray(0, length));
  room.fill(0);
  return secret;
}

function withoutNewline(secret: Buffer): Buffer {
  let end = secret.length;
  if (secret[end - 1] === newline) end--;
  if (end < secret.length && secret[end - 1] === carriageReturn) end--;
  return secret.subarray(0, end);
}

function whyNoPin(secret: Buffer): string | null {
  if (secret.length === 0) return "nothing";
  if (secret.length > secretBytesMax) return `more than ${secretBytesMax} bytes`;
  if (secret.includes(0)) return "a zero byte";
  // The binding takes a string and would send something else instead.
  if (!Buffer.from(secret.toString("utf8")).equals(secret)) return "bytes that are no UTF-8";
  return null;
}
