/**
 * A file of keys that is open: its records, and the key of its seal. What is on the disk counts: every
 * change reads it, changes that, and writes it whole, so that several processes may use one file.
 */
import { randomBytes } from "node:crypto";
import { equalBytes } from "../../../core/bytes.js";
import { xaesNonceBytes } from "../xaes.js";
import { KeyFileError } from "./key-file-error.js";
import {
  decodeKeyFile,
  deriveKey,
  encodeKeyFile,
  fileBytesMax,
  isVerified,
  saltBytes,
  scryptDefault,
  type DerivedKey,
  type KeyFileHeader,
  type SealedFile,
} from "./key-file-format.js";
import {
  decodeRecords,
  encodeRecords,
  keysMax,
  tombstonesMax,
  type KeyRecords,
} from "./key-records.js";
import { checkedForUse, type Passphrase } from "./passphrase.js";
import { createSafely, readSafely, replaceSafely, stampOf, withLock } from "./safe-file.js";

export interface KeyFileOptions {
  readonly path: string;
  /** Asked once; what it gives is wiped. */
  readonly passphrase: Passphrase;
}

/** Makes a file without keys; rejected with `exists` where there is a file. */
export async function createKeyFile({ path, passphrase }: KeyFileOptions): Promise<KeyFile> {
  // Asked before the passphrase is, for that may be typed in by hand.
  if ((await stampOf(path)) !== null) throw new KeyFileError("exists", path);
  const salt = new Uint8Array(randomBytes(saltBytes));
  const derived = await deriving(checkedForUse(await passphrase()), salt, scryptDefault);
  const header = { scrypt: scryptDefault, salt, verifier: derived.verifier };
  const records = { keys: [], tombstones: [] };
  await createSafely(path, sealRecords(header, derived, records));
  return reopened(path, derived);
}

/** Rejected with a `KeyFileError`, which says why; the file stays as it is. */
export async function openKeyFile({ path, passphrase }: KeyFileOptions): Promise<KeyFile> {
  const { header } = await readSealed(path);
  const derived = await deriving(await passphrase(), header.salt, header.scrypt);
  return reopened(path, derived);
}

export type { KeyFile };

class KeyFile {
  readonly path: string;
  readonly #derived: DerivedKey;
  #header: KeyFileHeader;
  #digest: Uint8Array;
  #records: KeyRecords;
  #stamp: string | null;
  /** The end of all reads and writes that were asked for. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(path: string, derived: DerivedKey, read: ReadFile, stamp: string | null) {
    this.path = path;
    this.#derived = derived;
    this.#header = read.header;
    this.#digest = read.digest;
    this.#records = read.records;
    this.#stamp = stamp;
  }

  /** As last read or written. Materials are this object's own, and wiped when they are replaced. */
  get records(): KeyRecords {
    return this.#records;
  }

  /** Reads again what another process may have written. True: something is different now. */
  refresh(): Promise<boolean> {
    return this.#inTurn(async () => {
      const stamp = await stampOf(this.path);
      if (stamp !== null && stamp === this.#stamp) return false;
      return this.#read(stamp);
    });
  }

  /**
   * Writes what `change` makes of the records on disk, and resolves when that survives a loss of power.
   * What `change` throws comes back, and nothing is written; so it is when it gives null.
   */
  update(change: (records: KeyRecords) => KeyRecords | null): Promise<void> {
    return this.#inTurn(() =>
      withLock(this.path, async () => {
        await this.#read(await stampOf(this.path));
        const changed = change(this.#records);
        if (changed === null) return;
        if (changed.keys.length > keysMax || changed.tombstones.length > tombstonesMax) {
          throw new KeyFileError("full", this.path);
        }
        const bytes = sealRecords(this.#header, this.#derived, changed);
        await replaceSafely(this.path, bytes);
        this.#digest = bytes.slice(-this.#digest.length);
        this.#take(changed);
        this.#stamp = await stampOf(this.path);
      }),
    );
  }

  /** Wipes keys and key of the seal, after what was asked for before. */
  async close(): Promise<void> {
    const wipe = (): void => {
      this.#closed = true;
      this.#take({ keys: [], tombstones: [] });
      this.#derived.cipher.wipe();
    };
    await this.#inTurn(() => Promise.resolve(wipe())).catch(() => {});
  }

  async #read(stamp: string | null): Promise<boolean> {
    const sealed = await readSealed(this.path);
    const same = equalBytes(sealed.digest, this.#digest);
    if (!same) {
      const { header, records, digest } = openSealed(this.path, sealed, this.#derived);
      this.#header = header;
      this.#digest = digest;
      this.#take(records);
    }
    this.#stamp = stamp;
    return !same;
  }

  #take(records: KeyRecords): void {
    const kept = new Set(records.keys.map(({ material }) => material));
    for (const { material } of this.#records.keys) if (!kept.has(material)) material.fill(0);
    this.#records = records;
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => {
      if (this.#closed) throw new KeyFileError("closed", this.path);
      return act();
    });
    this.#turn = mine.catch(() => {});
    return mine;
  }
}

interface ReadFile {
  readonly header: KeyFileHeader;
  readonly digest: Uint8Array;
  readonly records: KeyRecords;
}

async function reopened(path: string, derived: DerivedKey): Promise<KeyFile> {
  try {
    const stamp = await stampOf(path);
    return new KeyFile(path, derived, openSealed(path, await readSealed(path), derived), stamp);
  } catch (error) {
    derived.cipher.wipe();
    throw error;
  }
}

async function readSealed(path: string): Promise<SealedFile> {
  const decoded = decodeKeyFile(await readSafely(path, fileBytesMax));
  if (typeof decoded === "string") throw new KeyFileError(decoded, path);
  return decoded;
}

function openSealed(path: string, file: SealedFile, derived: DerivedKey): ReadFile {
  const { header, nonce, associatedData, sealed, digest } = file;
  if (!isVerified(derived, header)) throw new KeyFileError("wrongPassphrase", path);
  const body = derived.cipher.open(nonce, associatedData, sealed);
  if (body === null) throw new KeyFileError("damaged", path);
  const records = decodeRecords(body);
  body.fill(0);
  if (records === null) throw new KeyFileError("damaged", path);
  return { header, digest, records };
}

function sealRecords(
  header: KeyFileHeader,
  { cipher }: DerivedKey,
  records: KeyRecords,
): Uint8Array {
  const body = encodeRecords(records).written();
  // A random nonce of 192 bits: files may be written as often as one likes.
  const bytes = encodeKeyFile(header, cipher, randomBytes(xaesNonceBytes), body);
  body.fill(0);
  return bytes;
}

async function deriving(
  passphrase: Uint8Array,
  salt: Uint8Array,
  parameters: KeyFileHeader["scrypt"],
): Promise<DerivedKey> {
  try {
    return await deriveKey(passphrase, salt, parameters);
  } finally {
    passphrase.fill(0);
  }
}
