/**
 * What a host asks of the log of its node, and what it is told. The log itself is `Wal` in wal.ts;
 * snapshot files are `SnapshotFiles` in snapshot-files.ts. Both submit to the Disk port and are fed
 * its completions; both push what they have to say onto `out`.
 */
import type { RecoveredReplica } from "../consensus.js";
import type { Entry, HardState, SnapshotMeta } from "../entry.js";
import type { Boot, GroupId, Incarnation, Index, ReplicaId, RequestId } from "../ids.js";

export interface ReplicaKey {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
}

/** One replica's share of a batch; see the `persist` effect in consensus.ts. */
export interface WalWrite extends ReplicaKey {
  readonly hardState: HardState | null;
  readonly truncateFrom: Index;
  readonly entries: readonly Entry[];
  readonly installed: SnapshotMeta | null;
  /** True: what was damaged counts as whole from here on. */
  readonly repaired: boolean;
  /** The founding snapshot-of-nothing of a new replica; null for all later writes. */
  readonly created: SnapshotMeta | null;
  /** True: the replica is gone for good, its id must never live here again. */
  readonly removed: boolean;
}

/** A batch: written with one write and made durable with one sync. */
export interface WalBatch {
  readonly writes: readonly WalWrite[];
  /** Records of a machine of the user's own, opaque (machine.ts). */
  readonly machineRecords: readonly Uint8Array[];
  /**
   * True: votes, configurations, followers' last appends, which may use the room that is kept for
   * such when the disk is full. False: refused then.
   */
  readonly essential: boolean;
}

export interface RecoveredNode {
  /** Identity of this disk, given when it was formatted. */
  readonly disk: number;
  /** This start's number: already durable, above every earlier one. */
  readonly boot: Boot;
  readonly replicas: readonly RecoveredWalReplica[];
  /** Replicas that once lived here and never may again. */
  readonly removed: readonly ReplicaKey[];
  /**
   * True: what was durable is gone without a trace of whose it was, now or at an earlier start.
   * Replicas that are not listed may have lived here, so none is made here any more: the disk must be
   * replaced first.
   */
  readonly forgotten: boolean;
  readonly machineRecords: readonly Uint8Array[];
}

export interface RecoveredWalReplica extends ReplicaKey {
  readonly recovered: RecoveredReplica;
  /**
   * True: both copies of its vote are gone; it may only rejoin as a new ReplicaId. Nothing else of it
   * was kept.
   */
  readonly lost: boolean;
}

export type WalEvent =
  | { readonly kind: "recovered"; readonly node: RecoveredNode }
  /** The disk is empty, or another one: format it, or refuse to start. */
  | { readonly kind: "unformatted" }
  /** `op` is the sync that made it so. */
  | { readonly kind: "batchDurable"; readonly op: number }
  /** Not one byte of the batch was written, for lack of room; it may be asked again later. */
  | { readonly kind: "batchRefused" }
  /** A write or sync failed: nothing may be trusted until the node has restarted. */
  | { readonly kind: "failed"; readonly reason: string }
  | {
      readonly kind: "logRead";
      readonly key: ReplicaKey;
      readonly request: RequestId;
      readonly entries: readonly Entry[] | null;
    }
  /** Room for ordinary appends is gone, or is back. The spare segment stays reserved. */
  | { readonly kind: "space"; readonly low: boolean };

export type SnapshotEvent =
  | {
      readonly kind: "saved";
      readonly key: ReplicaKey;
      readonly request: RequestId;
      /** Null when it could not be written; the older snapshot still stands. */
      readonly snapshot: SnapshotMeta | null;
    }
  | {
      readonly kind: "chunk";
      readonly key: ReplicaKey;
      readonly request: RequestId;
      readonly bytes: Uint8Array | null;
    }
  | {
      readonly kind: "chunkWritten";
      readonly key: ReplicaKey;
      readonly request: RequestId;
      readonly ok: boolean;
    }
  /** A received snapshot is verified, whole and durable (or not: null). */
  | {
      readonly kind: "received";
      readonly key: ReplicaKey;
      readonly request: RequestId;
      readonly snapshot: SnapshotMeta | null;
      readonly state: Uint8Array | null;
    }
  /** What recovery found: the newest snapshot of each replica that reads back whole. */
  | {
      readonly kind: "loaded";
      readonly snapshots: readonly (ReplicaKey & {
        readonly snapshot: SnapshotMeta;
        readonly state: Uint8Array;
      })[];
    };
