/** What a replica is made with. */
import type { Sealer } from "../consensus.js";
import type { RaftOptions } from "../raft/options.js";
import type { ReplicatedStore } from "../store/replicated-store.js";
import type { ReplicaKey } from "../wal/log-store.js";
import type { Beats } from "./beats.js";
import type { NodeContext } from "./context.js";
import type { Later } from "./later.js";
import type { NodeKeys } from "./node-keys.js";
import type { Replica } from "./replica.js";
import type { ReplicaKeys } from "./replica-keys.js";
import type { Requests } from "./requests.js";
import type { Sleepers, SleepingRow } from "./sleepers.js";

export interface ReplicaParts {
  readonly key: ReplicaKey;
  readonly context: NodeContext;
  readonly requests: Requests;
  readonly later: Later;
  readonly sleepers: Sleepers;
  readonly beats: Beats;
  readonly store: ReplicatedStore;
  readonly sealer: Sealer;
  /** Null: nothing is sealed here. */
  readonly keys: ReplicaKeys | null;
  readonly nodeKeys: NodeKeys | null;
  readonly raft: RaftOptions;
  /** Its removal is durable: it is off the node. */
  readonly gone: (replica: Replica) => void;
  /** It sleeps, and nothing is under way beside what its Raft tells of: it may become a row. */
  readonly restful: (replica: Replica) => void;
  /** It sleeps on from there; else `start` follows. */
  readonly row?: SleepingRow;
}
