/**
 * The node's one log, shared by all its groups. A batch is one write and one sync; at most one is
 * under way. The host feeds it the disk's completions and gets back what it has to say.
 *
 * Order of a start: `SnapshotFiles.load`, then `recover`; on `unformatted`, maybe `format`, which
 * goes on to `recovered` by itself. Nothing else may be asked before `recovered`.
 */
import { assert } from "../assert.js";
import type { Checksum } from "../crc32.js";
import type { Index, RequestId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Disk, DiskResult } from "../ports/disk.js";
import type { LoadedSnapshot } from "./analysis.js";
import { Checkpointer } from "./checkpoint.js";
import type { WalContext } from "./context.js";
import { BatchEncoder, type BatchContent, contentBytes } from "./encode.js";
import { Formatter } from "./format.js";
import { HeaderRing, type RingEntry } from "./header-ring.js";
import { LogIndex, type SegmentState } from "./log-index.js";
import type { RecoveredNode, ReplicaKey, WalBatch, WalEvent } from "./log-store.js";
import { type WalOptions, walOptions } from "./options.js";
import { EntryReader } from "./reader.js";
import { Recovery, type RecoveryOutcome } from "./recovery.js";
import { recoveredNode } from "./recovered-node.js";
import { Room } from "./room.js";
import { segmentFile } from "./segment.js";

export interface WalParts {
  readonly options?: Partial<WalOptions>;
  readonly disk: Disk;
  readonly crc32: Checksum;
  /** Never 0, never twice in one start of the node. */
  readonly nextOp: () => number;
  readonly marks: Marks;
}

type Stage = "new" | "unformatted" | "recovering" | "formatting" | "booting" | "running" | "failed";

/** The batch that is under way. */
interface InFlight {
  readonly writeOp: number;
  readonly syncOp: number;
  readonly entry: RingEntry;
  readonly oldestSegment: number;
}

const emptyBatch: WalBatch = { writes: [], machineRecords: [], essential: true };
const emptyBytes = contentBytes({ ...emptyBatch, checkpoint: [], bootRecord: false });

export class Wal {
  readonly #context: WalContext;
  #stage: Stage = "new";
  #snapshots: readonly LoadedSnapshot[] = [];
  #recovery: Recovery | null = null;
  #formatter: Formatter | null = null;
  #recovered: RecoveredNode | null = null;
  #index: LogIndex = new LogIndex();
  #encoder: BatchEncoder;
  #reader: EntryReader;
  #checkpointer: Checkpointer;
  #room: Room;
  readonly #ring: HeaderRing;
  #disk = 0;
  #boot = 0;
  #nextLsn = 1;
  #oldestSegment = 1;
  #oldestLsn = 1;
  #forgotten = false;
  #bootWritten = false;
  #inFlight: InFlight | null = null;
  #idleSinceUs = -1;

  constructor(parts: WalParts) {
    this.#context = { ...parts, options: walOptions(parts.options) };
    this.#encoder = new BatchEncoder(this.#index, parts.crc32);
    this.#reader = new EntryReader(this.#context, this.#index);
    this.#checkpointer = new Checkpointer(this.#context, this.#index);
    this.#room = new Room(this.#context, this.#index, this.#checkpointer);
    this.#ring = new HeaderRing(this.#context);
  }

  /** True while a batch is under way: `append` must wait. */
  get busy(): boolean {
    return this.#inFlight !== null || this.#stage !== "running";
  }

  /** True while there is no room for ordinary appends. */
  get low(): boolean {
    return this.#room.low;
  }

  /** Replicas may have lived here of which nothing is known any more. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** Files that hold entries, and bytes of what is still needed of them. */
  get sizes(): { readonly segments: number; readonly liveBytes: number; readonly reads: number } {
    const { segments, liveBytes } = this.#index;
    return { segments: segments.length, liveBytes, reads: this.#reader.pending };
  }

  /**
   * True when a file of the log holds a record of any replica of the incarnation that is sealed
   * under an epoch from 1 to `epoch` - 1, needed or not, or may hold one again after a crash.
   */
  holdsBelow(key: ReplicaKey, epoch: number): boolean {
    const known = ["booting", "running", "failed"].includes(this.#stage);
    return !known || this.#room.vacating.holdsBelow(key, epoch);
  }

  /**
   * Sees to it that `holdsBelow` becomes false, step by step, in `idle` and along with batches.
   * Nothing comes of it while such entries are still needed: they must be compacted first. While the
   * disk is full it waits; machine records keep their segments for ever. Forgotten by a restart.
   */
  vacate(key: ReplicaKey, epoch: number): void {
    if (this.#stage === "running") this.#room.vacating.ask(key, epoch);
  }

  /** Ends in `recovered`, `unformatted` or `failed`. */
  recover(snapshots: readonly LoadedSnapshot[]): void {
    assert(this.#stage === "new", "the log is recovered once, first", { stage: this.#stage });
    this.#snapshots = snapshots;
    this.#startRecovery();
  }

  /** `disk` is the new identity; boots will be above `bootFloor`. Ends in `recovered` or `failed`. */
  format(disk: number, bootFloor: number): void {
    assert(this.#stage === "unformatted", "only an empty disk is formatted", {
      stage: this.#stage,
    });
    this.#stage = "formatting";
    this.#formatter = new Formatter(this.#context, disk, bootFloor);
    this.#formatter.start();
  }

  /** The number of the sync that will make the batch durable, or 0 when it was refused. */
  append(batch: WalBatch, out: WalEvent[]): number {
    assert(!this.busy, "one batch at a time, after recovery", { stage: this.#stage });
    const syncOp = this.#append(batch, false);
    if (syncOp === 0) {
      this.#context.marks.hit("batchRefused");
      out.push({ kind: "batchRefused" });
    }
    return syncOp;
  }

  /** Answers with `logRead`: contiguous from `from`, maybe short of `to`; null when unreadable. */
  readEntries(
    key: ReplicaKey,
    request: RequestId,
    from: Index,
    to: Index,
    bytesMax: number,
    out: WalEvent[],
  ): void {
    this.#reader.read(key, request, from, to, bytesMax, out);
  }

  /** A durable snapshot holds the entries of `key` up to `through`. Replicas unknown are no error. */
  compact(key: ReplicaKey, through: Index): void {
    const log = this.#index.find(key.group, key.incarnation, key.replica);
    if (log === null || through <= log.base) return;
    assert(through <= log.last, "only what is in the log is compacted", {
      through,
      last: log.last,
    });
    this.#index.dropThrough(log, through);
    this.#index.dropFounding(log);
    if (log.last >= log.damagedThrough) log.damagedThrough = 0;
    this.#room.askSoon();
  }

  /** Nothing will be appended to this replica's log for a while. */
  rest({ group, incarnation, replica }: ReplicaKey): void {
    const log = this.#index.find(group, incarnation, replica);
    if (log !== null) this.#index.rest(log);
  }

  /**
   * Called when the host has nothing to append; does what is due and returns when it wants to be
   * called next (Infinity: no need). May begin a batch of its own, so look at `busy` afterwards.
   */
  idle(nowUs: number): number {
    if (this.busy) return Infinity;
    const { ringIdleUs } = this.#context.options;
    let due = Infinity;
    if (this.#ring.pending) {
      if (this.#idleSinceUs < 0) this.#idleSinceUs = nowUs;
      if (nowUs - this.#idleSinceUs >= ringIdleUs) this.writeRing();
      else due = this.#idleSinceUs + ringIdleUs;
    }
    due = Math.min(due, this.#room.vacating.lookAfter(nowUs));
    if (!this.#room.low) {
      if (this.#room.vacate(emptyBytes)) this.#append(emptyBatch, false);
      return due;
    }
    if (this.#room.clean(emptyBytes)) this.#append(emptyBatch, false);
    return Math.min(due, this.#room.askForSpare(nowUs));
  }

  /** Writes the newest batches' ring entries alone, to both files, and syncs them. */
  writeRing(): void {
    this.#ring.writeAlone(this.#disk, this.#boot);
    this.#idleSinceUs = -1;
  }

  /** False: not an operation of this log. */
  diskDone(op: number, result: DiskResult, out: WalEvent[]): boolean {
    const batch = this.#inFlight;
    if (batch !== null && (op === batch.writeOp || op === batch.syncOp)) {
      if (this.#stage === "failed") return true;
      if (!result.ok) this.#fail(`a batch could not be written: ${result.error}`, out);
      else if (op === batch.syncOp) this.#durable(batch, out);
      return true;
    }
    const ring = this.#ring.diskDone(op, result);
    if (ring === false) this.#fail("the ring could not be written", out);
    if (ring !== null) return true;
    if (this.#room.voidFileDone(op, result)) return true;
    return this.#otherDone(op, result, out);
  }

  #otherDone(op: number, result: DiskResult, out: WalEvent[]): boolean {
    if (this.#reader.diskDone(op, result, out)) return true;
    if (this.#checkpointer.diskDone(op, result)) {
      if (this.#stage === "running") this.#checkpointer.advance(this.#room.cleaningReason);
      return true;
    }
    if (this.#recovery?.diskDone(op, result) === true) {
      if (this.#recovery.outcome !== null) this.#recoveryDone(this.#recovery.outcome, out);
      return true;
    }
    if (this.#formatter?.diskDone(op, result) === true) {
      const { outcome } = this.#formatter;
      if (outcome === "") this.#startRecovery();
      else if (outcome !== null) this.#fail(outcome, out);
      return true;
    }
    const { low } = this.#room;
    const spare = this.#room.spareDone(op, result);
    if (spare === null) return false;
    if (spare === "failed") this.#fail("a segment could not be prepared", out);
    else if (spare !== "working") this.#spareDone(low !== this.#room.low, out);
    return true;
  }

  #startRecovery(): void {
    this.#stage = "recovering";
    this.#formatter = null;
    this.#recovery = new Recovery(this.#context, this.#snapshots);
    this.#recovery.start();
  }

  #recoveryDone(outcome: RecoveryOutcome, out: WalEvent[]): void {
    this.#recovery = null;
    if (outcome.kind === "failed") {
      this.#fail(outcome.reason, out);
      return;
    }
    if (outcome.kind === "unformatted") {
      this.#stage = "unformatted";
      out.push({ kind: "unformatted" });
      return;
    }
    const { analysis, identity } = outcome;
    this.#stage = "booting";
    this.#index = analysis.index;
    this.#encoder = new BatchEncoder(this.#index, this.#context.crc32);
    this.#reader = new EntryReader(this.#context, this.#index);
    this.#checkpointer = new Checkpointer(this.#context, this.#index);
    this.#room = new Room(this.#context, this.#index, this.#checkpointer);
    this.#disk = identity.disk;
    this.#boot = analysis.boot;
    this.#nextLsn = analysis.nextLsn;
    this.#oldestSegment = analysis.oldestSegment;
    this.#oldestLsn = analysis.oldestLsn;
    this.#forgotten = analysis.forgotten;
    this.#recovered = recoveredNode(analysis, identity.disk);
    const { spareFile } = outcome;
    const sealed = analysis.sealed.get(analysis.tailSegment + 1) ?? null;
    const left = spareFile === null ? null : { file: spareFile, sealed, dirty: false };
    this.#room.open(identity.disk, analysis.boot, left);
    this.#bootBatch(out);
  }

  /** Makes this boot durable; waits for the spare when the tail has no room for it. */
  #bootBatch(out: WalEvent[]): void {
    this.#bootWritten = this.#append(emptyBatch, true) !== 0;
    if (this.#bootWritten || this.#room.working) return;
    this.#fail("the disk is full: there is no room for the record of this start", out);
  }

  #append(batch: WalBatch, bootRecord: boolean): number {
    const { machineRecords, writes } = batch;
    let content: BatchContent = { checkpoint: [], writes, machineRecords, bootRecord };
    let bytes = contentBytes(content);
    assert(bytes <= this.#context.options.batchBytesMax, "a batch keeps to its limit", { bytes });
    const segment = this.#room.segmentFor(bytes, batch.essential, this.#nextLsn);
    if (segment === null) return 0;
    const checkpoint = this.#checkpointRows(segment, bytes);
    if (checkpoint.length > 0) {
      content = { checkpoint, writes, machineRecords, bootRecord };
      bytes = contentBytes(content);
    }
    this.#retireVoid();
    const place = {
      segment,
      lsn: this.#nextLsn,
      boot: this.#boot,
      disk: this.#disk,
      oldestSegment: this.#oldestSegment,
      oldestLsn: this.#oldestLsn,
      forgotten: this.#forgotten,
    };
    const encoded = this.#encoder.encode(content, place, bytes);
    const syncOp = this.#submit(segment, encoded.bytes, encoded.checksum);
    this.#nextLsn = encoded.nextLsn;
    segment.end += bytes;
    this.#idleSinceUs = -1;
    this.#room.wantSpare();
    this.#checkpointer.advance(this.#room.cleaningReason);
    return syncOp;
  }

  #submit(segment: SegmentState, bytes: Uint8Array, checksum: number): number {
    const { disk, nextOp } = this.#context;
    const offset = segment.end;
    const entry = {
      lsn: this.#nextLsn,
      segment: segment.segment,
      offset,
      length: bytes.length,
      checksum,
    };
    const writeOp = nextOp();
    const syncOp = nextOp();
    this.#inFlight = { writeOp, syncOp, entry, oldestSegment: this.#oldestSegment };
    const file = segmentFile(segment.segment);
    disk.write(writeOp, file, offset, bytes);
    disk.sync(syncOp, file);
    if (this.#ring.pending) this.#ring.writeBeside(this.#disk, this.#boot);
    return syncOp;
  }

  #checkpointRows(segment: SegmentState, bytes: number): ReturnType<Checkpointer["take"]> {
    if (this.#stage !== "running" || !this.#checkpointer.hasReady) return [];
    return this.#checkpointer.take(this.#room.forRows(segment, bytes), this.#room.cleaningReason);
  }

  /** This batch will say that the log begins behind what nobody needs any more. */
  #retireVoid(): void {
    while (this.#index.oldestIsVoid) {
      this.#room.retire(this.#index.segments.shift()!);
      const oldest = this.#index.segments[0]!;
      this.#oldestSegment = oldest.segment;
      this.#oldestLsn = oldest.firstLsn;
    }
  }

  #durable(batch: InFlight, out: WalEvent[]): void {
    this.#inFlight = null;
    this.#ring.note(batch.entry);
    this.#room.release(batch.oldestSegment);
    if (this.#stage === "booting") this.#booted(out);
    else out.push({ kind: "batchDurable", op: batch.syncOp });
  }

  /** Runs once this boot is durable and it is known whether there is a spare. */
  #booted(out: WalEvent[]): void {
    if (this.#inFlight !== null || this.#room.working) return;
    this.#stage = "running";
    out.push({ kind: "recovered", node: this.#recovered! });
    this.#recovered = null;
    if (this.#room.low) out.push({ kind: "space", low: true });
  }

  /** A spare is ready, or there is no room for one. */
  #spareDone(changed: boolean, out: WalEvent[]): void {
    const { low } = this.#room;
    if (changed && this.#stage === "running") out.push({ kind: "space", low });
    if (this.#stage !== "booting" || this.#inFlight !== null) return;
    if (this.#bootWritten) this.#booted(out);
    else this.#bootBatch(out);
  }

  #fail(reason: string, out: WalEvent[]): void {
    if (this.#stage === "failed") return;
    this.#stage = "failed";
    out.push({ kind: "failed", reason });
  }
}
