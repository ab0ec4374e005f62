/**
 * Files of one node: submission and completion. Each call returns nothing; its answer arrives later
 * as `diskDone` with the same `op`. Operations on one file finish in the order of submission.
 *
 * Promises: what was written before a successful `sync` of that file survives any crash; a created,
 * renamed or removed name survives after a successful `syncDirectory`. Does not promise: anything
 * unsynced may survive in part, in any order, torn at a sector of `sectorBytes`; a read may fail or
 * return wrong bytes. After a failed write or sync the state of that file is unknown until restart.
 */
export interface Disk {
  /** Makes an empty file and writes `sizeBytes` zeros to it, unsynced; `noSpace` leaves no file. */
  create(op: number, file: string, sizeBytes: number): void;
  /** Writes at `offset`, making or growing the file where needed. The bytes belong to the disk. */
  write(op: number, file: string, offset: number, bytes: Uint8Array): void;
  sync(op: number, file: string): void;
  /** Answers with at most `lengthBytes` bytes, fewer at the end of the file. */
  read(op: number, file: string, offset: number, lengthBytes: number): void;
  truncate(op: number, file: string, sizeBytes: number): void;
  /** Replaces `to` if it exists. */
  rename(op: number, from: string, to: string): void;
  remove(op: number, file: string): void;
  /** Answers with the names and sizes of all files, sorted by name. */
  list(op: number): void;
  syncDirectory(op: number): void;
}

export const sectorBytes = 512;

export type DiskErrorCode = "noSpace" | "ioError" | "notFound";

export type DiskResult =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array | null;
      readonly files: readonly DiskFile[] | null;
    }
  | { readonly ok: false; readonly error: DiskErrorCode };

export interface DiskFile {
  readonly name: string;
  readonly sizeBytes: number;
}

export interface DiskEvents {
  diskDone(op: number, result: DiskResult): void;
}
