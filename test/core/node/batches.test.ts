import { expect, test } from "vitest";
import type { Entry } from "../../../src/core/entry.js";
import {
  type Index,
  type NodeId,
  type Term,
  type Token,
  groupId,
  incarnation,
  replicaId,
} from "../../../src/core/ids.js";
import { Batches } from "../../../src/core/node/batches.js";
import type { NodeContext } from "../../../src/core/node/context.js";
import { WriteQueue, type Writer } from "../../../src/core/node/write-queue.js";
import type { WalBatch } from "../../../src/core/wal/log-store.js";

function writer(group: number, leads: boolean, failed: number[]): Writer {
  return {
    group: groupId(group),
    incarnation: incarnation(1),
    replica: replicaId(1),
    leads,
    commit: 0 as Index,
    waiting: null,
    lastBatch: 0,
    persisted: () => {},
    persistFailed: () => failed.push(group),
  };
}

test("batches: no room but what is kept: a leader's append is refused, a follower's written", () => {
  const marks: string[] = [];
  const failed: number[] = [];
  const appended: WalBatch[] = [];
  const writes = new WriteQueue(65_536, { hit: () => {} });
  const context = {
    node: 1 as NodeId,
    nowUs: 0,
    options: { refusedRetryUs: 1_000 },
    marks: { hit: (name: string) => marks.push(name) },
    observer: { batchSubmitted: () => {} },
    walEvents: [],
    records: { size: 0 },
    writes,
    wal: {
      busy: false,
      append(batch: WalBatch): number {
        if (!batch.essential) return 0;
        appended.push(batch);
        return 7;
      },
    },
  };
  const entry: Entry = {
    term: 1 as Term,
    index: 1 as Index,
    type: 1,
    keyEpoch: 0,
    payload: new Uint8Array(1),
  };
  const nothing = { hardState: null, truncateFrom: 0 as Index, installed: null, repaired: false };
  for (const [group, leads] of [
    [1, true],
    [2, false],
  ] as const) {
    const persist = { kind: "persist", token: 1 as Token, entries: [entry], ...nothing } as const;
    writes.persist(writer(group, leads, failed), persist);
  }
  new Batches(context as unknown as NodeContext, null).submit();
  expect(appended.map((batch) => batch.writes.map(({ group }) => group))).toEqual([[2]]);
  expect(failed).toEqual([1]);
  expect(marks).toEqual(["ordinaryWriteRefused"]);
});
