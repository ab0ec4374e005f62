/** What may be set about a replica. Every limit that the core keeps has its name here. */
import { wrongNumbers } from "../option-checks.js";

export interface RaftOptions {
  /** Election timeouts are drawn from [min, max) (thesis section 3.4). Default 0.5 s and 1 s. */
  readonly electionTimeoutMinUs: number;
  readonly electionTimeoutMaxUs: number;
  /** A peer to which nothing was sent for so long gets a heartbeat. Default 100 ms. */
  readonly heartbeatUs: number;
  /** An append or a chunk without an answer is sent again, what the disk refused tried again. 300 ms. */
  readonly resendUs: number;
  /** A leader with nothing to do for so long puts its group to sleep; 0: never. Default 5 s. */
  readonly sleepAfterUs: number;
  /** Added to this replica's election timeouts, so that others come first. Default 0. */
  readonly priorityDelayUs: number;
  /** Serve reads by lease (thesis section 6.4.1). Default true. */
  readonly leaseReads: boolean;
  /** How much faster any clock may run than any other, in millionths. Default 125,000. */
  readonly leaseDriftMillionths: number;
  /** Appends in flight to one peer: beyond it entries wait and go together. Default 8. */
  readonly inflightMessagesMax: number;
  /** Default 4 MiB. */
  readonly inflightBytesMax: number;
  /** Entries in one append: by bytes (default 1 MiB; a single entry always fits) and number. */
  readonly appendBytesMax: number;
  readonly appendEntriesMax: number;
  /** A larger proposal is refused as `tooLarge`. Default 1 MiB. */
  readonly entryBytesMax: number;
  /** What this node's disk can hold: a larger entry of a leader is not taken. Default 64 MiB. */
  readonly storedEntryBytesMax: number;
  /** A leader refuses proposals beyond so many bytes not yet committed. Default 64 MiB. */
  readonly uncommittedBytesMax: number;
  readonly pendingProposalsMax: number;
  readonly pendingReadsMax: number;
  /** Persist effects without an answer; beyond it nothing that needs another is taken on. */
  readonly pendingWritesMax: number;
  /** Entries that are committed and durable leave memory beyond so many bytes. Default 16 MiB. */
  readonly cacheBytesMax: number;
  /** Bytes in one `apply`, and in one read of the log. Default 1 MiB. */
  readonly applyBatchBytesMax: number;
  /**
   * A log that cannot be compacted takes no data beyond this. Above `snapshotEveryEntries` and
   * `trailingEntries` together. Default 1,048,576.
   */
  readonly logEntriesMax: number;
  /** A snapshot is taken after so many applied entries or bytes. Default 16,384 and 64 MiB. */
  readonly snapshotEveryEntries: number;
  readonly snapshotEveryBytes: number;
  /** Entries kept before a snapshot, for followers that are a little behind. Default 1,024. */
  readonly trailingEntries: number;
  /** Bytes in one chunk of a snapshot. Default 256 KiB. */
  readonly snapshotChunkBytes: number;
}

const mebibyte = 1_048_576;

export const raftDefaults: RaftOptions = {
  electionTimeoutMinUs: 500_000,
  electionTimeoutMaxUs: 1_000_000,
  heartbeatUs: 100_000,
  resendUs: 300_000,
  sleepAfterUs: 5_000_000,
  priorityDelayUs: 0,
  leaseReads: true,
  leaseDriftMillionths: 125_000,
  inflightMessagesMax: 8,
  inflightBytesMax: 4 * mebibyte,
  appendBytesMax: mebibyte,
  appendEntriesMax: 4_096,
  entryBytesMax: mebibyte,
  storedEntryBytesMax: 64 * mebibyte,
  uncommittedBytesMax: 64 * mebibyte,
  pendingProposalsMax: 4_096,
  pendingReadsMax: 4_096,
  pendingWritesMax: 8_192,
  cacheBytesMax: 16 * mebibyte,
  applyBatchBytesMax: mebibyte,
  logEntriesMax: 1_048_576,
  snapshotEveryEntries: 16_384,
  snapshotEveryBytes: 64 * mebibyte,
  trailingEntries: 1_024,
  snapshotChunkBytes: 262_144,
};

/** What is wrong with `options`, in words; empty when they can be used. */
export function checkRaftOptions(options: RaftOptions): string[] {
  const wrong = wrongNumbers(options, mayBeZero);
  const { electionTimeoutMinUs, electionTimeoutMaxUs, heartbeatUs, leaseDriftMillionths } = options;
  if (electionTimeoutMaxUs <= electionTimeoutMinUs)
    wrong.push("electionTimeoutMaxUs is not above min");
  if (heartbeatUs >= electionTimeoutMinUs)
    wrong.push("heartbeatUs is not below the election timeout");
  if (leaseDriftMillionths >= 1_000_000) wrong.push("leaseDriftMillionths leaves no lease");
  const { logEntriesMax, snapshotEveryEntries, trailingEntries } = options;
  if (logEntriesMax <= snapshotEveryEntries + trailingEntries)
    wrong.push("logEntriesMax is not above snapshotEveryEntries and trailingEntries together");
  return wrong;
}

const mayBeZero: ReadonlySet<string> = new Set([
  "sleepAfterUs",
  "priorityDelayUs",
  "leaseDriftMillionths",
  "trailingEntries",
]);
