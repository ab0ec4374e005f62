/** Why a file of keys cannot be used. Nothing is ever written over a file that was refused. */
export type KeyFileProblem =
  /** There is none; `createKeyFile` makes one. */
  | "missing"
  /** To be made, but there is one. */
  | "exists"
  /** Not a plain file: a folder, a link, a device. */
  | "notAFile"
  /** Others than its owner may read or write it. */
  | "tooPermissive"
  /** It belongs to another user. */
  | "notOwned"
  /** Some other program's. */
  | "foreign"
  /** Of a later version, or with parameters of scrypt out of bounds. */
  | "unsupported"
  | "truncated"
  /** Some of its bytes are not those that were written. */
  | "damaged"
  | "wrongPassphrase"
  /** The system refuses; `system` says how. */
  | "unreadable"
  | "unwritable"
  /** It was written, but whether that survives a loss of power is not known. */
  | "unsynced"
  /** Another process has been writing it for too long. */
  | "busy"
  /** More keys than a file holds. */
  | "full"
  | "closed";

const meanings: Readonly<Record<KeyFileProblem, string>> = {
  missing: "there is no such file",
  exists: "there is a file already, and it is kept as it is",
  notAFile: "it is not a plain file",
  tooPermissive: "others may read or write it: give it mode 0600",
  notOwned: "it belongs to another user",
  foreign: "it is not a key file of quorumlab",
  unsupported: "its version or its scrypt parameters are none that this program takes",
  truncated: "its end is missing",
  damaged: "its bytes are not those that were written: restore it from a copy",
  wrongPassphrase: "the passphrase is not the one that it was made with",
  unreadable: "it cannot be read",
  unwritable: "it cannot be written",
  unsynced: "it was written, but that may not survive a loss of power",
  busy: "another process is writing it",
  full: "it holds as many keys as a file can",
  closed: "it has been closed",
};

export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
  readonly code: KeyFileProblem;
  readonly path: string;
  /** Of the system, as `ENOSPC`; null where it was not asked or did not refuse. */
  readonly system: string | null;

  constructor(code: KeyFileProblem, path: string, system: string | null = null) {
    super(`${path}: ${meanings[code]}${system === null ? "" : ` (${system})`}`);
    this.code = code;
    this.path = path;
    this.system = system;
  }
}
