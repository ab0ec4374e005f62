/**
 * Options of replicas, logs and nodes in a simulated world: short times and small files, so that a
 * minute of it holds elections, snapshots and full segments. In runs with faults each seed tightens
 * some limits, so that what happens at a limit happens too. A scenario may override any of replicas
 * and logs.
 */
import type { NodeOptions } from "../core/node/options.js";
import { type RaftOptions, raftDefaults } from "../core/raft/options.js";
import type { SessionLimits } from "../core/store/sessions.js";
import { type WalOptions, walDefaults } from "../core/wal/options.js";
import type { Json } from "../core/plain.js";
import type { Draw } from "../lab/draw.js";
import type { Decisions } from "../lab/run-result.js";
import type { Scenario } from "../lab/scenario.js";
import { sequential } from "./streams.js";

export interface SimOptions {
  readonly raft: RaftOptions;
  readonly wal: WalOptions;
  readonly node: Partial<NodeOptions>;
  readonly sessions: Partial<SessionLimits>;
}

const kibibyte = 1_024;
/** How often a limit is tightened, in thousandths. */
const tightThousandths = 150;

/** The options of a replay may ask for snapshots after fewer entries (`withSnapshotEvery`). */
export function simOptions(
  { cluster, faults }: Scenario,
  seed: number,
  given: Decisions["options"] = {},
): SimOptions {
  const draw = sequential(seed, "limits");
  const rate = faults.swarmFaultsMax > 0 ? tightThousandths : 0;
  const wal = walOf(cluster.wal, draw, rate);
  return {
    wal,
    raft: withSnapshotEvery(given["snapshotEveryEntries"], {
      ...usualRaft(wal),
      ...tight(tightRaft, draw, rate),
      ...cluster.raft,
      ...(draw.chance(rate) ? shortLog : {}),
    }),
    node: { requestTimeoutUs: 2_000_000, ...tight(tightNode, draw, rate) },
    sessions: tight(tightSessions, draw, rate),
  };
}

function usualRaft({ batchBytesMax }: WalOptions): RaftOptions {
  return {
    ...raftDefaults,
    electionTimeoutMinUs: 150_000,
    electionTimeoutMaxUs: 300_000,
    heartbeatUs: 40_000,
    resendUs: 120_000,
    // What goes into a batch must fit one, also when several groups share it.
    appendBytesMax: batchBytesMax >> 2,
    entryBytesMax: batchBytesMax >> 2,
    applyBatchBytesMax: 64 * kibibyte,
    snapshotEveryEntries: 256,
    trailingEntries: 64,
    snapshotChunkBytes: 4 * kibibyte,
  };
}

/** A shrunk failure that is about snapshots comes to its first one after a few operations. */
function withSnapshotEvery(entries: Json | undefined, raft: RaftOptions): RaftOptions {
  if (typeof entries !== "number" || entries >= raft.snapshotEveryEntries) return raft;
  const trailingEntries = Math.min(raft.trailingEntries, entries >> 2);
  return { ...raft, snapshotEveryEntries: entries, trailingEntries };
}

const tightRaft: Partial<RaftOptions> = {
  leaseReads: false,
  inflightMessagesMax: 1,
  inflightBytesMax: 512,
  appendEntriesMax: 2,
  uncommittedBytesMax: 512,
  pendingProposalsMax: 2,
  pendingReadsMax: 2,
  pendingWritesMax: 4,
  cacheBytesMax: 256,
  applyBatchBytesMax: 256,
  snapshotEveryEntries: 16,
  trailingEntries: 0,
  snapshotChunkBytes: 64,
};

/** Together, or what a scenario says of snapshots would leave no room to compact. */
const shortLog: Partial<RaftOptions> = {
  logEntriesMax: 24,
  snapshotEveryEntries: 12,
  trailingEntries: 4,
};

const tightNode: Partial<NodeOptions> = {
  inboxItemsMax: 6,
  turnInputsMax: 2,
  requestsPendingMax: 2,
  heldMax: 4,
  peerFramesMax: 3,
};

const tightSessions: Partial<SessionLimits> = { sessionsMax: 4, answersPerSessionMax: 2 };

function walOf(given: Readonly<Record<string, number>>, draw: Draw, rate: number): WalOptions {
  const segmentBytes = given["segmentBytes"] ?? (draw.chance(rate) ? 32 : 128) * kibibyte;
  const usual: WalOptions = {
    ...walDefaults,
    segmentBytes,
    batchBytesMax: segmentBytes >> 1,
    segmentsMin: 3,
    checkpointBytesMax: segmentBytes >> 3,
    retrySpaceUs: 200_000,
  };
  return { ...usual, ...tight({ checkpointRowsMax: 2, ringSlots: 2 }, draw, rate), ...given };
}

/** Each of the limits with a chance of `rate` thousandths; always as many draws. */
function tight<T extends object>(limits: T, draw: Draw, rate: number): Partial<T> {
  return Object.fromEntries(Object.entries(limits).filter(() => draw.chance(rate))) as Partial<T>;
}
