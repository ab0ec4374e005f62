/**
 * Group commit: what all replicas of a node persist during a turn, or while a sync is in flight, is
 * the next batch, one write and one sync. At most one is under way.
 */
import type { Token } from "../ids.js";
import { noToken } from "../ids.js";
import type { WalBatch } from "../wal/log-store.js";
import { recordHeaderBytes } from "../wal/record.js";
import type { NodeContext } from "./context.js";
import type { RecordWriter } from "./record-queue.js";
import { type QueuedWrite, isEssential } from "./write-queue.js";

interface InFlight {
  readonly syncOp: number;
  readonly writes: readonly QueuedWrite[];
  /** The newest token of the machine's records in it; 0: it has none. */
  readonly recordToken: Token;
}

export class Batches {
  readonly #context: NodeContext;
  readonly #recordWriter: RecordWriter | null;
  #inFlight: InFlight | null = null;
  /** Not even essential writes found room: nothing is tried before. */
  #retryAtUs = 0;

  constructor(context: NodeContext, recordWriter: RecordWriter | null) {
    this.#context = context;
    this.#recordWriter = recordWriter;
  }

  /** True: something waits to be written. */
  get waiting(): boolean {
    const { writes, records } = this.#context;
    return writes.size > 0 || records.size > 0;
  }

  /** When what waits may be tried again; Infinity when it needs no clock. */
  get dueUs(): number {
    return this.waiting && this.#retryAtUs > this.#context.nowUs ? this.#retryAtUs : Infinity;
  }

  /** Submits the next batch, if there is one and none is in flight. */
  submit(): void {
    const { wal, marks, nowUs } = this.#context;
    if (!this.waiting) return;
    if (wal.busy) {
      marks.hit("batchWhileSyncInFlight");
      return;
    }
    if (nowUs < this.#retryAtUs) return;
    if (this.#context.records.size > 0) this.#submitRecords();
    else this.#submitWrites();
  }

  /** There is room again: what was refused need not wait. */
  roomAgain(): void {
    this.#retryAtUs = 0;
  }

  /** The sync `op` has returned: tells every writer of its batch. */
  durable(op: number): void {
    const batch = this.#inFlight;
    // The log makes batches of its own, of which nobody here waits to hear.
    if (batch?.syncOp !== op) return;
    this.#inFlight = null;
    const { writes, recordToken } = batch;
    if (writes.length > 1) this.#context.marks.hit("batchOfManyReplicas");
    for (let at = 0; at < writes.length; at++) {
      const { writer, token } = writes[at]!;
      if (token !== noToken) writer.persisted(token);
    }
    if (recordToken !== noToken) this.#recordWriter?.persisted(recordToken);
  }

  #submitWrites(): void {
    const { marks, options, nowUs } = this.#context;
    const writes = this.#context.writes.take();
    if (this.#append({ writes, machineRecords: [], essential: false }, writes, noToken)) return;
    // No room for ordinary appends: votes and configurations may use what is kept for them.
    const essential = writes.filter(isEssential);
    const batch = { writes: essential, machineRecords: [], essential: true };
    const written = essential.length > 0 && this.#append(batch, essential, noToken);
    if (essential.length < writes.length) marks.hit("ordinaryWriteRefused");
    if (essential.length > 0 && !written) {
      marks.hit("essentialWriteRefused");
      this.#retryAtUs = nowUs + options.refusedRetryUs;
    }
    for (const write of writes) {
      if (!written || !essential.includes(write)) this.#fail(write);
    }
  }

  #submitRecords(): void {
    const { records, batchBytesMax, options, nowUs } = this.#context;
    const first = records.firstToken;
    const taken = records.take(batchBytesMax - batchOverheadBytes);
    const last = taken.at(-1)?.token ?? noToken;
    const machineRecords = taken.map(({ record }) => record);
    const batch = { writes: [], machineRecords, essential: false };
    if (last !== noToken && this.#append(batch, [], last)) return;
    // A record that fits into no batch is refused like one that finds no room.
    this.#retryAtUs = nowUs + options.refusedRetryUs;
    records.clear();
    this.#recordWriter?.persistFailed(first);
  }

  #append(batch: WalBatch, writes: readonly QueuedWrite[], recordToken: Token): boolean {
    const { wal, walEvents, observer, node } = this.#context;
    const syncOp = wal.append(batch, walEvents);
    if (syncOp === 0) return false;
    this.#inFlight = { syncOp, writes, recordToken };
    observer.batchSubmitted(node, syncOp, writes);
    return true;
  }

  /** Nothing of this write is on disk, nor of what its writer asked for after it. */
  #fail({ writer, firstToken }: QueuedWrite): void {
    this.#context.writes.drop(writer);
    writer.persistFailed(firstToken);
  }
}

/** More than the header, the footer and their alignment take in a batch without rows. */
const batchOverheadBytes: number = 4 * 512 + recordHeaderBytes;
