/**
 * Remembers on disk which PINs a token has rejected, so that nobody sends one of them again: tokens
 * lock or erase themselves after a few. A person resets it (`resetPinGuard`).
 *
 * Before a login "in doubt" is counted, and taken back by its answer, whatever that is: a process that
 * is killed in every login stops after so many. No PIN is in the file. A rejected one is in it as a
 * tag: scrypt (N = 2^15, r = 8, p = 1: 32 MiB and about a tenth of a second for each guess) of PIN and
 * serial under a random salt. Who can read the file (mode 0600) finds a rejected PIN of four digits
 * within the hour, one of eight in some months; what they find is a PIN that the token does not take.
 * A PIN that is in doubt has no tag.
 */
import { createHash, randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { LockOut } from "../../../core/hsm/profile.js";
import { ckr } from "../../../core/hsm/cryptoki/constants.js";

/** Logins that are never used up (policy P18). */
const reservedAttempts = 3;
/** Of tokens whose limit is not known. */
const attemptsMaxUnknown = 8;
const rejectedMax = 32;
const saltBytes = 16;
const tagBytes = 32;
const scryptCost = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };

const rejections: readonly number[] = [
  ckr.pinIncorrect,
  ckr.pinInvalid,
  ckr.pinLenRange,
  ckr.pinExpired,
  ckr.pinLocked,
];

/** Logins without success, of one token, that are sent before a person is asked. */
export function attemptsMaxOf(lockOut: LockOut | null): number {
  return lockOut === null ? attemptsMaxUnknown : Math.max(1, lockOut.attempts - reservedAttempts);
}

interface GuardRecord {
  readonly format: 1;
  /** Hex. */
  readonly salt: string;
  /** Rejected since the last success. */
  readonly spent: number;
  /** Sent, and not answered. */
  readonly inDoubt: number;
  /** The token said that it is locked. */
  readonly locked: boolean;
  /** Tags, hex. */
  readonly rejected: readonly string[];
}

export class PinGuard {
  readonly #folder: string;
  readonly #attemptsMax: number;
  /** Of this process, in case that the disk took no note of them. */
  readonly #rejectedHere = new Set<string>();

  constructor(folder: string, attemptsMax: number) {
    this.#folder = folder;
    this.#attemptsMax = attemptsMax;
  }

  /** Why `pin` may not be sent; null: it may, and it is on disk that it will be. */
  begin(serial: string, pin: Buffer): string | null {
    const record = readRecord(this.#folder, serial);
    if (record === null) return "the guard's file cannot be read";
    if (record.locked) return "the token has said that its PIN is locked";
    const attempts = record.spent + record.inDoubt;
    if (attempts >= this.#attemptsMax) {
      return `${attempts} logins without success; the others are kept in reserve`;
    }
    if (this.#wasRejected(record, serial, pin)) return "the token has rejected this PIN before";
    try {
      writeRecord(this.#folder, serial, { ...record, inDoubt: record.inDoubt + 1 });
      return null;
    } catch (error) {
      return `the guard's file cannot be written (${(error as NodeJS.ErrnoException).code})`;
    }
  }

  /** What came of it, on disk before it is told to anybody. False: the disk did not take it. */
  end(serial: string, pin: Buffer, rv: number): boolean {
    const before = readRecord(this.#folder, serial);
    if (before === null) return false;
    const record = { ...before, inDoubt: Math.max(0, before.inDoubt - 1) };
    try {
      writeRecord(this.#folder, serial, this.#after(record, serial, pin, rv));
      return true;
    } catch {
      return false;
    }
  }

  #after(record: GuardRecord, serial: string, pin: Buffer, rv: number): GuardRecord {
    if (rv === ckr.ok) return { ...record, spent: 0, inDoubt: 0 };
    if (!rejections.includes(rv)) return record;
    const tag = tagOf(record.salt, serial, pin);
    this.#rejectedHere.add(tag);
    return {
      ...record,
      spent: record.spent + 1,
      locked: rv === ckr.pinLocked,
      rejected: [...record.rejected, tag].slice(-rejectedMax),
    };
  }

  #wasRejected(record: GuardRecord, serial: string, pin: Buffer): boolean {
    const tags = [...record.rejected, ...this.#rejectedHere];
    // Costly, and so only when there is something to compare with.
    if (tags.length === 0) return false;
    const tag = Buffer.from(tagOf(record.salt, serial, pin), "hex");
    return tags.some((other) => timingSafeEqual(Buffer.from(other, "hex"), tag));
  }
}

/** For a person who knows what happened: PINs may be sent to that token again. */
export function resetPinGuard(folder: string, serial: string): void {
  rmSync(fileOf(folder, serial), { force: true });
  syncFolder(folder);
}

/** Path of the file about that token; serials may hold anything. */
export function pinGuardFile(folder: string, serial: string): string {
  return fileOf(folder, serial);
}

function fileOf(folder: string, serial: string): string {
  const name = createHash("sha256").update(serial).digest("hex").slice(0, 16);
  return join(folder, `pin-guard-${name}.json`);
}

function tagOf(salt: string, serial: string, pin: Buffer): string {
  const input = Buffer.concat([Buffer.from(`${serial}\0`), pin]);
  const tag = scryptSync(input, Buffer.from(salt, "hex"), tagBytes, scryptCost).toString("hex");
  input.fill(0);
  return tag;
}

/** A fresh one when there is no file; null for anything else that cannot be read or understood. */
function readRecord(folder: string, serial: string): GuardRecord | null {
  let text: string;
  try {
    text = readFileSync(fileOf(folder, serial), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return null;
    const salt = randomBytes(saltBytes).toString("hex");
    return { format: 1, salt, spent: 0, inDoubt: 0, locked: false, rejected: [] };
  }
  try {
    const record = JSON.parse(text) as GuardRecord;
    return isRecord(record) ? record : null;
  } catch {
    return null;
  }
}

function isRecord(record: GuardRecord): boolean {
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const isHex = (text: unknown, bytes: number): boolean =>
    typeof text === "string" && text.length === bytes * 2 && /^[0-9a-f]*$/.test(text);
  return (
    record.format === 1 &&
    isHex(record.salt, saltBytes) &&
    isCount(record.spent) &&
    isCount(record.inDoubt) &&
    typeof record.locked === "boolean" &&
    Array.isArray(record.rejected) &&
    record.rejected.every((tag) => isHex(tag, tagBytes))
  );
}

/** All of it or nothing, and safe before this returns. */
function writeRecord(folder: string, serial: string, record: GuardRecord): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = fileOf(folder, serial);
  const fresh = `${path}.${process.pid}.new`;
  const descriptor = openSync(fresh, "w", 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(record)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(fresh, path);
  syncFolder(folder);
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
