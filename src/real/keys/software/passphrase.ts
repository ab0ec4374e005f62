/** Where a passphrase comes from: bytes all the way, wiped by whoever uses them, never a string. */
import { constants, createReadStream, fstatSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "./safe-file.js";

/** Whoever calls it owns the bytes, and wipes them. */
export type Passphrase = () => Promise<Uint8Array>;

export type PassphraseProblem =
  | "missing"
  | "tooShort"
  | "tooLong"
  /** Others than its owner may read the file. */
  | "tooPermissive"
  /** Typed in twice, and not the same. */
  | "mistyped"
  | "interrupted";

export class PassphraseError extends Error {
  override readonly name = "PassphraseError";
  readonly code: PassphraseProblem;

  constructor(code: PassphraseProblem, message: string) {
    super(message);
    this.code = code;
  }
}

/** Of a passphrase that a new file is made with, in bytes. */
export const passphraseBytesMin = 8;
export const passphraseBytesMax = 1_024;

/** Throws, and wipes, what is too short to keep keys under. */
export function checkedForUse(passphrase: Uint8Array): Uint8Array {
  if (passphrase.length >= passphraseBytesMin) return passphrase;
  passphrase.fill(0);
  throw new PassphraseError("tooShort", `a passphrase has at least ${passphraseBytesMin} bytes`);
}

/** Up to its end, from a descriptor that whoever starts the process opened, as with `3<file`. */
export function passphraseFromDescriptor(descriptor: number): Passphrase {
  return () =>
    new Promise((settle, fail) => {
      const line = new Line();
      try {
        fstatSync(descriptor);
      } catch (error) {
        fail(absent(`descriptor ${descriptor}`, error));
        return;
      }
      // Left open: it is not ours.
      const stream = createReadStream("", { fd: descriptor, autoClose: false });
      stream.on("data", (chunk) => line.take(chunk as Buffer));
      stream.on("error", (error) => fail(absent(`descriptor ${descriptor}`, error)));
      stream.on("end", () => settleWith(line, settle, fail));
    });
}

/** Of a file that only its owner can read. A line feed at its end does not count. */
export function passphraseFromFile(path: string): Passphrase {
  return () => fromFile(path, { onlyOwner: true });
}

/**
 * A credential of the service manager: the file `name` in the folder that CREDENTIALS_DIRECTORY names.
 * Who may read it is the service manager's care, which uses more than modes for that.
 */
export function passphraseFromCredential(
  name: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Passphrase {
  return async () => {
    const folder = env["CREDENTIALS_DIRECTORY"] ?? "";
    if (folder === "") {
      throw new PassphraseError("missing", "CREDENTIALS_DIRECTORY is not set: no credentials here");
    }
    if (!/^[\w-][\w.-]{0,63}$/.test(name)) {
      throw new PassphraseError("missing", "a credential's name has letters, digits, _, - and .");
    }
    return fromFile(join(folder, name), { onlyOwner: false });
  };
}

/** The part of a terminal that is needed: `process.stdin` has it. */
export interface PromptInput {
  readonly isTTY?: boolean;
  setRawMode(raw: boolean): unknown;
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  removeListener(event: "data", listener: (chunk: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

const key = { interrupt: 3, end: 4, backspace: 8, lineFeed: 10, enter: 13, clear: 21, delete: 127 };

/** Typed in at a terminal, which shows nothing of it. */
export function passphraseFromPrompt(
  input: PromptInput,
  output: { write(text: string): unknown },
  question = "Passphrase: ",
): Passphrase {
  return () => {
    if (input.isTTY !== true) {
      const message = "there is no terminal to ask for the passphrase at";
      return Promise.reject(new PassphraseError("missing", message));
    }
    output.write(question);
    input.setRawMode(true);
    return new Promise((settle, fail) => {
      const line = new Line();
      const done = (act: () => void): void => {
        input.removeListener("data", listener);
        input.setRawMode(false);
        input.pause();
        output.write("\n");
        act();
      };
      const listener = (chunk: Buffer): void => {
        for (const byte of chunk) {
          if (byte === key.enter || byte === key.lineFeed || byte === key.end) {
            done(() => settleWith(line, settle, fail));
            break;
          }
          if (byte === key.interrupt) {
            line.wipe();
            done(() => fail(new PassphraseError("interrupted", "interrupted")));
            break;
          }
          if (byte === key.backspace || byte === key.delete) line.dropLast();
          else if (byte === key.clear) line.wipe();
          else line.add(byte);
        }
        chunk.fill(0);
      };
      input.on("data", listener);
      input.resume();
    });
  };
}

/** Bytes that never move, so that there is one place to wipe. */
class Line {
  readonly #bytes = new Uint8Array(passphraseBytesMax + 1);
  #length = 0;

  add(byte: number): void {
    if (this.#length < this.#bytes.length) this.#bytes[this.#length++] = byte;
  }

  take(chunk: Uint8Array): void {
    for (const byte of chunk) this.add(byte);
    chunk.fill(0);
  }

  /** The last character: in UTF-8 its first byte and all that continue it. */
  dropLast(): void {
    while (this.#length > 0 && (this.#bytes[this.#length - 1]! & 0xc0) === 0x80) this.#length--;
    if (this.#length > 0) this.#length--;
  }

  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }

  /** A copy, without the end of its line. */
  finish(): Uint8Array {
    let length = this.#length;
    if (length > 0 && this.#bytes[length - 1] === key.lineFeed) length--;
    if (length > 0 && this.#bytes[length - 1] === key.enter) length--;
    const copy = this.#bytes.slice(0, length);
    this.wipe();
    return copy;
  }
}

function settleWith(
  line: Line,
  settle: (passphrase: Uint8Array) => void,
  fail: (error: PassphraseError) => void,
): void {
  const passphrase = line.finish();
  if (passphrase.length >= 1 && passphrase.length <= passphraseBytesMax) settle(passphrase);
  else if (passphrase.length === 0) fail(new PassphraseError("missing", "the passphrase is empty"));
  else {
    passphrase.fill(0);
    const message = `a passphrase has at most ${passphraseBytesMax} bytes`;
    fail(new PassphraseError("tooLong", message));
  }
}

async function fromFile(
  path: string,
  { onlyOwner }: { readonly onlyOwner: boolean },
): Promise<Uint8Array> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((error: unknown) => {
    throw absent(path, error);
  });
  try {
    const { mode } = await handle.stat();
    if (onlyOwner && (mode & 0o077) !== 0) {
      const message = `others may read ${path}: give it mode 0600`;
      throw new PassphraseError("tooPermissive", message);
    }
    const line = await readLine(path, handle);
    return await new Promise((settle, fail) => settleWith(line, settle, fail));
  } finally {
    await handle.close();
  }
}

async function readLine(path: string, handle: FileHandle): Promise<Line> {
  const line = new Line();
  const chunk = new Uint8Array(passphraseBytesMax + 2);
  for (let at = 0; at <= passphraseBytesMax;) {
    const read = handle.read(chunk, 0, chunk.length, at).catch((error: unknown) => {
      throw absent(path, error);
    });
    const { bytesRead } = await read;
    if (bytesRead === 0) break;
    line.take(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
  return line;
}

function absent(what: string, error: unknown): PassphraseError {
  return new PassphraseError("missing", `no passphrase from ${what} (${systemCode(error)})`);
}
