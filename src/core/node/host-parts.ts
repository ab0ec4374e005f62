/** What a world hands to a host, and what the host makes of it for the parts of its node. */
import { type Checksum, crc32 as pureCrc32 } from "../crc32.js";
import { type Codec, binaryCodec } from "../framing/codec.js";
import type { Boot, NodeId, RequestId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Aead } from "../ports/aead.js";
import type { Clock } from "../ports/clock.js";
import type { Disk } from "../ports/disk.js";
import type { Hsm } from "../ports/hsm.js";
import type { Network } from "../ports/network.js";
import type { Random } from "../ports/random.js";
import { type WalOptions, walOptions } from "../wal/options.js";
import { SnapshotFiles } from "../wal/snapshot-files.js";
import { Wal } from "../wal/wal.js";
import { Answers } from "./answers.js";
import type { NodeContext } from "./context.js";
import { LedGroups } from "./led-groups.js";
import type { LogicFactory } from "./logic.js";
import type { HostObserver } from "./observer.js";
import { type NodeOptions, nodeOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import { RecordQueue } from "./record-queue.js";
import { WakeHeap } from "./wake-heap.js";
import { WriteQueue } from "./write-queue.js";

/** Where answers to clients go. */
export interface Clients {
  answer(request: RequestId, bytes: Uint8Array): void;
}

/** What a node needs to seal what users write (CONTRACTS 12). */
export interface KeyPorts {
  readonly hsm: Hsm;
  readonly aead: Aead;
}

export interface HostParts {
  readonly node: NodeId;
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  readonly random: Random;
  /** Nothing is sealed without them. */
  readonly keys?: KeyPorts;
  readonly clients: Clients;
  /** Asks the world for one call of `turn`, soon. */
  readonly wantTurn: () => void;
  readonly observer: HostObserver;
  readonly marks: Marks;
  /** What runs here: `multiRaft(...)` or `userMachine(...)`. */
  readonly logic: LogicFactory;
  readonly options?: Partial<NodeOptions>;
  readonly wal?: Partial<WalOptions>;
  /** The pure one by default. */
  readonly crc32?: Checksum;
  /** The binary one by default. */
  readonly codec?: Codec;
}

/** Operations of the disk are numbered from 1 on in each boot. */
export function makeContext(parts: HostParts): NodeContext {
  const { node, clock, network, disk, marks, observer, random } = parts;
  const options = nodeOptions(parts.options);
  const crc32 = parts.crc32 ?? pureCrc32;
  const codec = parts.codec ?? binaryCodec({ checksum: crc32 });
  const wal = walOptions(parts.wal);
  let ops = 0;
  const walParts = { options: wal, disk, crc32, nextOp: () => ++ops, marks };
  const { peerFramesMax: framesMax } = options;
  return {
    node,
    options,
    marks,
    observer,
    crc32,
    codec,
    wal: new Wal(walParts),
    snapshots: new SnapshotFiles(walParts),
    walEvents: [],
    snapshotEvents: [],
    writes: new WriteQueue(wal.batchBytesMax, marks),
    records: new RecordQueue(),
    outbox: new Outbox({ node, network, observer, codec, marks, framesMax }),
    wakes: new WakeHeap(),
    answers: new Answers(),
    led: new LedGroups(),
    keys: parts.keys ?? null,
    effects: [],
    clockUs: () => clock.nowUs(),
    wallUs: () => clock.wallUs(),
    batchBytesMax: wal.batchBytesMax,
    chance: [random.word(), random.word(), random.word(), random.word()],
    nowUs: 0,
    boot: 0 as Boot,
    disk: 0,
  };
}
