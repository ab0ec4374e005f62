/**
 * Options of replicas, logs and nodes in a simulated world: short times and small files, so that a
 * minute of it holds elections, snapshots and full segments. In runs with faults each seed tightens
 * some limits, so that what happens at a limit happens too. A scenario may override any of replicas,
 * logs and sessions.
 *
 * Which limits are tight, and how tight, is among a run's decisions. Each is drawn from a stream of
 * its own name, so that one more moves no other, and a replay takes them from what was recorded.
 */
import { type NodeOptions, nodeDefaults } from "../core/node/options.js";
import { type RaftOptions, raftDefaults } from "../core/raft/options.js";
import { type SessionLimits, sessionLimitsDefault } from "../core/store/sessions.js";
import { type WalOptions, walDefaults } from "../core/wal/options.js";
import type { Json } from "../core/plain.js";
import type { Decisions } from "../lab/run-result.js";
import type { Scenario } from "../lab/scenario.js";
import { sequential } from "./streams.js";

export interface SimOptions {
  readonly raft: RaftOptions;
  readonly wal: WalOptions;
  readonly node: Partial<NodeOptions>;
  readonly sessions: Partial<SessionLimits>;
  /** What of these the seed tightened, or the recorded decisions say, by name. */
  readonly limits: Limits;
  /** Names of recorded limits that this code does not have. */
  readonly unmatched: readonly string[];
}

export type OptionPart = "wal" | "raft" | "node" | "sessions";

/** `raft.inflightMessagesMax`, ... -> how tight. Those that are not named are usual. */
export type Limits = Readonly<Record<string, number | boolean>>;

const kibibyte = 1_024;
/** How often a limit is tightened, in thousandths. */
const tightThousandths = 150;

/**
 * The options of a replay name the limits that were tight (`limits`; files of before have none, and
 * draw) and may ask for snapshots after fewer entries (`withSnapshotEvery`).
 */
export function simOptions(
  scenario: Scenario,
  seed: number,
  given: Decisions["options"] = {},
): SimOptions {
  const { cluster } = scenario;
  const { limits, unmatched } =
    given["limits"] === undefined
      ? { limits: drawLimits(scenario, seed), unmatched: [] }
      : knownLimits(given["limits"]);
  const wal = walOf(cluster.wal, partOf<WalOptions>(limits, "wal"));
  return {
    wal,
    raft: withSnapshotEvery(given["snapshotEveryEntries"], {
      ...usualRaft(wal),
      ...cluster.raft,
      ...partOf<RaftOptions>(limits, "raft"),
    }),
    node: { requestTimeoutUs: 2_000_000, ...cluster.node, ...partOf<NodeOptions>(limits, "node") },
    sessions: { ...cluster.sessions, ...partOf<SessionLimits>(limits, "sessions") },
    limits,
    unmatched,
  };
}

/** What the scenario sets itself stays as it says, but for the log that is short as a whole. */
function drawLimits({ cluster, faults }: Scenario, seed: number): Limits {
  if (faults.swarmFaultsMax === 0) return {};
  const tight = (name: string): boolean =>
    sequential(seed, `limits/${name}`).chance(tightThousandths);
  const set = new Set([
    ...Object.keys(cluster.wal).map((name) => `wal.${name}`),
    ...Object.keys(cluster.raft).map((name) => `raft.${name}`),
    ...Object.keys(cluster.sessions ?? {}).map((name) => `sessions.${name}`),
    ...Object.keys(cluster.node ?? {}).map((name) => `node.${name}`),
  ]);
  const drawn = Object.entries(tightLimits).filter(([name]) => !set.has(name) && tight(name));
  return { ...Object.fromEntries(drawn), ...(tight("short log") ? shortLog : {}) };
}

/** Each limit as it was recorded, if there still is one of that name and kind. */
function knownLimits(recorded: Json): Pick<SimOptions, "limits" | "unmatched"> {
  const entries = typeof recorded === "object" && recorded !== null ? Object.entries(recorded) : [];
  const limits: Record<string, number | boolean> = {};
  const unmatched: string[] = [];
  for (const [name, value] of entries) {
    const known = typeof value === typeof usualOf(name);
    if (known && (typeof value === "number" || typeof value === "boolean")) limits[name] = value;
    else unmatched.push(`limit ${name}`);
  }
  return { limits, unmatched };
}

/** Of every part that a scenario may set something of. */
export const optionDefaults: Readonly<Record<OptionPart, object>> = {
  wal: walDefaults,
  raft: raftDefaults,
  node: nodeDefaults,
  sessions: sessionLimitsDefault,
};

/** `part.name` -> what it usually is; undefined where there is no such option. */
export function usualOf(limit: string): unknown {
  const [part = "", name = ""] = limit.split(".");
  const own = Object.hasOwn(optionDefaults, part) ? optionDefaults[part as OptionPart] : {};
  return Object.hasOwn(own, name) ? own[name as keyof typeof own] : undefined;
}

function partOf<Options>(limits: Limits, part: string): Partial<Options> {
  const own = Object.entries(limits).filter(([name]) => name.startsWith(`${part}.`));
  return Object.fromEntries(
    own.map(([name, value]) => [name.slice(part.length + 1), value]),
  ) as Partial<Options>;
}

function usualRaft({ batchBytesMax }: WalOptions): RaftOptions {
  return {
    ...raftDefaults,
    electionTimeoutMinUs: 150_000,
    electionTimeoutMaxUs: 300_000,
    heartbeatUs: 40_000,
    resendUs: 120_000,
    sleepAfterUs: 0,
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

const tightLimits: Limits = {
  "wal.segmentBytes": 32 * kibibyte,
  "wal.checkpointRowsMax": 2,
  "wal.ringSlots": 2,
  "raft.leaseReads": false,
  "raft.inflightMessagesMax": 1,
  "raft.inflightBytesMax": 512,
  "raft.appendEntriesMax": 2,
  "raft.uncommittedBytesMax": 512,
  "raft.pendingProposalsMax": 2,
  "raft.pendingReadsMax": 2,
  "raft.pendingWritesMax": 4,
  "raft.cacheBytesMax": 256,
  "raft.applyBatchBytesMax": 256,
  "raft.snapshotEveryEntries": 16,
  "raft.trailingEntries": 0,
  "raft.snapshotChunkBytes": 64,
  "node.inboxItemsMax": 6,
  "node.turnInputsMax": 2,
  "node.requestsPendingMax": 2,
  "node.heldMax": 4,
  "node.peerFramesMax": 3,
  "sessions.sessionsMax": 4,
  "sessions.answersPerSessionMax": 2,
};

/** Together, or what a scenario says of snapshots would leave no room to compact. */
const shortLog: Limits = {
  "raft.logEntriesMax": 24,
  "raft.snapshotEveryEntries": 12,
  "raft.trailingEntries": 4,
};

function walOf(given: Readonly<Record<string, number>>, limits: Partial<WalOptions>): WalOptions {
  const segmentBytes = limits.segmentBytes ?? given["segmentBytes"] ?? 128 * kibibyte;
  return {
    ...walDefaults,
    batchBytesMax: segmentBytes >> 1,
    segmentsMin: 3,
    checkpointBytesMax: segmentBytes >> 3,
    retrySpaceUs: 200_000,
    ...given,
    ...limits,
    segmentBytes,
  };
}
