/** The disk of a test's replica: what was persisted survives, and nothing else. */
import type { ConsensusEffect } from "../../../src/core/consensus.js";
import { crc32 } from "../../../src/core/crc32.js";
import type { Entry, SnapshotMeta } from "../../../src/core/entry.js";
import type { Index, Term } from "../../../src/core/ids.js";
import type { RaftMessage } from "../../../src/core/raft/messages.js";

export type Persist = Extract<ConsensusEffect<RaftMessage>, { kind: "persist" }>;

/** What survives a crash. */
export interface Disk {
  term: number;
  vote: number;
  commit: number;
  snapshot: SnapshotMeta;
  entries: Entry[];
  files: Map<number, Uint8Array>;
  damagedThrough: number;
}

export function meta(
  index: number,
  term: number,
  configuration: Uint8Array,
  bytes: Uint8Array,
): SnapshotMeta {
  return {
    index: index as Index,
    term: term as Term,
    configuration,
    sizeBytes: bytes.length,
    checksum: crc32(bytes),
  };
}

/** In the order that the effect prescribes. */
export function writeTo(disk: Disk, persist: Persist): void {
  if (persist.hardState !== null) Object.assign(disk, persist.hardState);
  if (persist.truncateFrom > 0) {
    disk.entries = disk.entries.filter((entry) => entry.index < persist.truncateFrom);
  }
  const { installed } = persist;
  if (installed !== null) {
    const agrees = disk.entries.some(
      (e) => e.index === installed.index && e.term === installed.term,
    );
    disk.entries = agrees ? disk.entries.filter((entry) => entry.index > installed.index) : [];
    disk.snapshot = installed;
  }
  for (const entry of persist.entries) {
    if (entry.index <= disk.snapshot.index) continue;
    const at = entry.index - disk.snapshot.index - 1;
    if (at !== disk.entries.length) throw new Error(`a hole in the log at ${entry.index}`);
    disk.entries.push(entry);
  }
  const last = disk.snapshot.index + disk.entries.length;
  if (persist.repaired || last >= disk.damagedThrough) disk.damagedThrough = 0;
}
