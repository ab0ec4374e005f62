/** What recovery tells the host of each replica. */
import { type Index, type Term, boot, groupId, incarnation, replicaId } from "../ids.js";
import type { Analysis } from "./analysis.js";
import { rowFlag } from "./batch.js";
import type { RecoveredNode, RecoveredWalReplica, ReplicaKey } from "./log-store.js";
import type { FinishedReplica } from "./replay.js";

export function recoveredNode(analysis: Analysis, disk: number): RecoveredNode {
  const replicas: RecoveredWalReplica[] = [];
  const removed: ReplicaKey[] = [];
  for (const finished of analysis.finished) {
    const { log } = finished;
    if ((log.flags & rowFlag.removed) !== 0) removed.push(keyOf(finished));
    else replicas.push(recoveredReplica(finished));
  }
  return {
    disk,
    boot: boot(analysis.boot),
    replicas,
    removed,
    forgotten: analysis.forgotten,
    machineRecords: analysis.machineRecords,
  };
}

function keyOf({ log }: FinishedReplica): ReplicaKey {
  return {
    group: groupId(log.group),
    incarnation: incarnation(log.incarnation),
    replica: replicaId(log.replica),
  };
}

function recoveredReplica(finished: FinishedReplica): RecoveredWalReplica {
  const { log, snapshot, entries } = finished;
  return {
    ...keyOf(finished),
    recovered: {
      hardState: { term: log.term as Term, vote: log.vote, commit: log.commit as Index },
      snapshot,
      entries: entries.map(({ entry }) => entry),
      damagedThrough: log.damagedThrough as Index,
    },
    lost: (log.flags & rowFlag.lost) !== 0,
  };
}
