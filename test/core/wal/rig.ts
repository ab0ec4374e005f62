/** A node's log on a memory disk, and short ways to say what it should write. */
import { crc32 } from "../../../src/core/crc32.js";
import type { Entry, HardState, SnapshotMeta } from "../../../src/core/entry.js";
import { entryType } from "../../../src/core/entry.js";
import {
  type Index,
  groupId,
  incarnation,
  index,
  replicaId,
  requestId,
  term,
} from "../../../src/core/ids.js";
import type { LoadedSnapshot } from "../../../src/core/wal/analysis.js";
import type {
  RecoveredNode,
  RecoveredWalReplica,
  ReplicaKey,
  WalEvent,
  WalWrite,
} from "../../../src/core/wal/log-store.js";
import type { WalOptions } from "../../../src/core/wal/options.js";
import { Wal } from "../../../src/core/wal/wal.js";
import { CountedMarks } from "../counted-marks.js";
import { MemoryDisk } from "./memory-disk.js";

export const smallOptions: Partial<WalOptions> = {
  segmentBytes: 32 * 1024,
  batchBytesMax: 8 * 1024,
  segmentsMin: 2,
  readBytesMax: 8 * 1024,
  ringSlots: 2,
};

/** One start of the node after another, on one disk. */
export class Rig {
  readonly disk = new MemoryDisk();
  readonly marks = new CountedMarks();
  readonly options: Partial<WalOptions>;
  events: WalEvent[] = [];
  wal: Wal;
  #op = 0;

  constructor(options: Partial<WalOptions> = {}) {
    this.options = { ...smallOptions, ...options };
    this.wal = this.#make();
  }

  #make(): Wal {
    const nextOp = (): number => ++this.#op;
    return new Wal({ options: this.options, disk: this.disk, crc32, nextOp, marks: this.marks });
  }

  /** Finishes one operation of the disk; false when there is none. */
  step(): boolean {
    const next = this.disk.next();
    if (next === null) return false;
    this.wal.diskDone(next.op, next.result, this.events);
    return true;
  }

  settle(): WalEvent[] {
    while (this.step());
    return this.events.splice(0);
  }

  format(disk = 77, bootFloor = 0): RecoveredNode {
    this.wal.recover([]);
    const events = this.settle();
    if (events[0]?.kind !== "unformatted") throw new Error("the disk is not empty");
    this.wal.format(disk, bootFloor);
    return recoveredIn(this.settle());
  }

  /** A new start of the process, with whatever the disk holds. */
  restart(snapshots: readonly LoadedSnapshot[] = []): RecoveredNode {
    return recoveredIn(this.start(snapshots));
  }

  start(snapshots: readonly LoadedSnapshot[] = []): WalEvent[] {
    this.events = [];
    this.wal = this.#make();
    this.wal.recover(snapshots);
    return this.settle();
  }

  /** Appends and makes durable. */
  write(...writes: WalWrite[]): void {
    const op = this.wal.append({ writes, machineRecords: [], essential: true }, this.events);
    if (op === 0) throw new Error("the batch was refused");
    const events = this.settle();
    if (!events.some((event) => event.kind === "batchDurable" && event.op === op)) {
      throw new Error(`not durable: ${JSON.stringify(events)}`);
    }
  }

  /** Appends; nothing is finished yet. */
  begin(...writes: WalWrite[]): number {
    return this.wal.append({ writes, machineRecords: [], essential: true }, this.events);
  }

  read(key: ReplicaKey, from: number, to: number, bytesMax = 1 << 20): readonly Entry[] | null {
    this.wal.readEntries(key, requestId(1), index(from), index(to), bytesMax, this.events);
    const events = this.settle();
    const answer = events.find((event) => event.kind === "logRead");
    if (answer === undefined) throw new Error("no answer");
    return answer.entries;
  }
}

export function recoveredIn(events: readonly WalEvent[]): RecoveredNode {
  const found = events.find((event) => event.kind === "recovered");
  if (found === undefined) throw new Error(`not recovered: ${JSON.stringify(events)}`);
  return found.node;
}

export function key(group: number, replica = 1): ReplicaKey {
  return { group: groupId(group), incarnation: incarnation(1), replica: replicaId(replica) };
}

export const founding: SnapshotMeta = {
  index: index(0),
  term: term(0),
  configuration: Uint8Array.of(1, 2, 3),
  sizeBytes: 0,
  checksum: 0,
};

export function snapshotAt(at: number, ofTerm: number): SnapshotMeta {
  return { ...founding, index: index(at), term: term(ofTerm) };
}

export interface WriteParts {
  readonly state?: HardState;
  readonly truncateFrom?: number;
  readonly entries?: readonly Entry[];
  readonly installed?: SnapshotMeta;
  readonly repaired?: boolean;
  readonly created?: boolean;
  readonly removed?: boolean;
}

export function write(group: number, parts: WriteParts = {}): WalWrite {
  return {
    ...key(group),
    hardState: parts.state ?? null,
    truncateFrom: index(parts.truncateFrom ?? 0),
    entries: parts.entries ?? [],
    installed: parts.installed ?? null,
    repaired: parts.repaired ?? false,
    created: parts.created === true ? founding : null,
    removed: parts.removed ?? false,
  };
}

export function state(ofTerm: number, vote = 0, commit = 0): HardState {
  return { term: term(ofTerm), vote, commit: index(commit) };
}

export function entry(at: number, ofTerm: number, bytes = 20): Entry {
  const payload = new Uint8Array(bytes);
  for (let n = 0; n < bytes; n++) payload[n] = at * 31 + ofTerm * 7 + n;
  return { term: term(ofTerm), index: index(at), type: entryType.data, keyEpoch: 3, payload };
}

export function entries(from: number, through: number, ofTerm: number, bytes = 20): Entry[] {
  const made: Entry[] = [];
  for (let at = from; at <= through; at++) made.push(entry(at, ofTerm, bytes));
  return made;
}

export function replicaOf(node: RecoveredNode, group: number): RecoveredWalReplica {
  const found = node.replicas.find((replica) => replica.group === group);
  if (found === undefined) throw new Error(`group ${group} was not recovered`);
  return found;
}

export function lastOf(replica: RecoveredWalReplica): Index {
  return replica.recovered.entries.at(-1)?.index ?? replica.recovered.snapshot?.index ?? index(0);
}

/** A small generator, good enough to spread draws: mulberry32. */
export function drawer(seed: number): (n: number) => number {
  let at = seed >>> 0;
  return (n) => {
    at = (at + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(at ^ (at >>> 15), at | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}
