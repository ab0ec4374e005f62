/**
 * What the parts of one node share during its boot. Whatever is asked for here is done at the end of
 * the turn; only the log and the snapshot files submit reads of their own at once.
 */
import type { Checksum } from "../crc32.js";
import type { Codec } from "../framing/codec.js";
import { mix32 } from "../hash.js";
import type { Boot, GroupId, Incarnation, NodeId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { RaftEffect } from "../raft/core.js";
import type { SnapshotEvent, WalEvent } from "../wal/log-store.js";
import type { SnapshotFiles } from "../wal/snapshot-files.js";
import type { Wal } from "../wal/wal.js";
import type { Answers } from "./answers.js";
import type { KeyPorts } from "./host-parts.js";
import type { HostObserver } from "./observer.js";
import type { LedGroups } from "./led-groups.js";
import type { NodeOptions } from "./options.js";
import type { Outbox } from "./outbox.js";
import type { RecordQueue } from "./record-queue.js";
import type { WakeHeap } from "./wake-heap.js";
import type { WriteQueue } from "./write-queue.js";

export interface NodeContext {
  readonly node: NodeId;
  readonly options: NodeOptions;
  readonly marks: Marks;
  readonly observer: HostObserver;
  readonly crc32: Checksum;
  readonly codec: Codec;
  readonly wal: Wal;
  readonly snapshots: SnapshotFiles;
  /** What the log and the snapshot files said; the host hands it out between two steps. */
  readonly walEvents: WalEvent[];
  readonly snapshotEvents: SnapshotEvent[];
  readonly writes: WriteQueue;
  readonly records: RecordQueue;
  readonly outbox: Outbox;
  readonly wakes: WakeHeap;
  readonly answers: Answers;
  readonly led: LedGroups;
  /** Null: nothing is sealed here. */
  readonly keys: KeyPorts | null;
  /** Of the step under way, for whoever is stepped: they are carried out before the next step. */
  readonly effects: RaftEffect[];
  /** Reads the monotonic clock within a turn, to tell how long a state machine takes; nothing else. */
  readonly clockUs: () => number;
  /** Reads the wall clock, for what is to stand in the log with its time; for nothing else. */
  readonly wallUs: () => number;
  /** A batch keeps below this on disk. */
  readonly batchBytesMax: number;
  /** Words of this boot's chance, drawn once. */
  readonly chance: readonly [number, number, number, number];
  /** The present turn's time. */
  nowUs: number;
  boot: Boot;
  /** Identity of the disk. */
  disk: number;
}

/** Four words of its own for each replica and each boot, for a generator that times elections. */
export function seedOf(
  context: NodeContext,
  group: GroupId,
  incarnation: Incarnation,
): [number, number, number, number] {
  const { chance, node, boot } = context;
  let mixed = mix32(node ^ 0x9e37_79b9);
  mixed = mix32(mixed ^ boot);
  mixed = mix32(mixed ^ group);
  mixed = mix32(mixed ^ incarnation);
  return [chance[0] ^ mixed, chance[1] ^ mix32(mixed + 1), chance[2] ^ mix32(mixed + 2), chance[3]];
}
