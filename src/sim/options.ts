/** Options of replicas and logs in a simulated world: short times and small files, so that a minute
 * of it holds elections, snapshots and full segments. A scenario may override any of them. */
import { type RaftOptions, raftDefaults } from "../core/raft/options.js";
import { type WalOptions, walDefaults } from "../core/wal/options.js";
import type { ClusterSpec } from "../lab/scenario.js";

const kibibyte = 1_024;

export function simRaftOptions(cluster: ClusterSpec): RaftOptions {
  const { batchBytesMax } = simWalOptions(cluster);
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
    ...cluster.raft,
  };
}

export function simWalOptions(cluster: ClusterSpec): WalOptions {
  const segmentBytes = cluster.wal["segmentBytes"] ?? 128 * kibibyte;
  return {
    ...walDefaults,
    segmentBytes,
    batchBytesMax: segmentBytes >> 1,
    segmentsMin: 3,
    checkpointBytesMax: segmentBytes >> 3,
    retrySpaceUs: 200_000,
    ...cluster.wal,
  };
}
