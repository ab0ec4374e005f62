/** What a log must hold: the plainest possible account of the same writes. */
import type { Entry, HardState, SnapshotMeta } from "../../../src/core/entry.js";
import type { LoadedSnapshot } from "../../../src/core/wal/analysis.js";
import type {
  RecoveredNode,
  RecoveredWalReplica,
  WalWrite,
} from "../../../src/core/wal/log-store.js";
import { entry, founding, key, snapshotAt, state, write } from "./rig.js";

export interface ModelReplica {
  readonly group: number;
  hardState: HardState;
  snapshot: SnapshotMeta;
  entries: Entry[];
  removed: boolean;
}

export type Model = Map<number, ModelReplica>;

export function copyModel(model: Model): Model {
  return new Map(
    [...model].map(([at, replica]) => [at, { ...replica, entries: [...replica.entries] }]),
  );
}

export function lastIn(replica: ModelReplica): number {
  return replica.entries.at(-1)?.index ?? replica.snapshot.index;
}

/** The snapshot files that stand beside the log. */
export function snapshotsOf(model: Model): LoadedSnapshot[] {
  return [...model.values()]
    .filter(({ snapshot }) => snapshot.index > 0)
    .map(({ group, snapshot }) => ({ ...key(group), snapshot }));
}

/**
 * What is durable when a batch is lost: of it nothing, but the snapshots that it would have
 * installed stand there already.
 */
export function withoutBatch(model: Model, after: Model): Model {
  const left = copyModel(model);
  for (const replica of left.values()) {
    const { snapshot } = after.get(replica.group)!;
    if (snapshot.index <= lastIn(replica)) continue;
    replica.snapshot = snapshot;
    replica.entries = [];
  }
  return left;
}

/** Draws one write for `group` and does it to the model; null when there is nothing to write. */
export function drawWrite(
  model: Model,
  group: number,
  draw: (n: number) => number,
): WalWrite | null {
  const replica = model.get(group);
  if (replica === undefined) {
    const hardState = state(1 + draw(3), draw(3));
    const entries = draw(2) === 0 ? [] : [entry(1, 1, draw(100))];
    model.set(group, {
      group,
      hardState,
      snapshot: founding,
      entries: [...entries],
      removed: false,
    });
    return write(group, { created: true, state: hardState, entries });
  }
  if (replica.removed) return null;
  const kind = draw(20);
  if (kind === 0 && group > 2) {
    replica.removed = true;
    return write(group, { removed: true });
  }
  if (kind < 4) {
    replica.hardState = state(replica.hardState.term + draw(2), draw(5), replica.hardState.commit);
    return write(group, { state: replica.hardState });
  }
  if (kind === 4) return drawInstall(replica, draw);
  let truncateFrom = 0;
  const { commit } = replica.hardState;
  const least = Math.max(commit, replica.snapshot.index) + 1;
  if (kind < 8 && lastIn(replica) > least) {
    truncateFrom = least + draw(lastIn(replica) - least + 1);
    replica.entries = replica.entries.filter(({ index }) => index < truncateFrom);
  }
  const entries: Entry[] = [];
  const first = lastIn(replica) + 1;
  const count = draw(4);
  for (let at = first; at < first + count; at++) {
    entries.push(entry(at, replica.hardState.term, draw(4) === 0 ? draw(700) : draw(60)));
  }
  replica.entries.push(...entries);
  let hardState: HardState | undefined;
  if (draw(2) === 0) {
    const top = lastIn(replica);
    hardState = state(
      replica.hardState.term,
      replica.hardState.vote,
      commit + draw(Math.max(1, top - commit + 1)),
    );
    replica.hardState = hardState;
  }
  return write(group, {
    truncateFrom,
    entries,
    ...(hardState === undefined ? {} : { state: hardState }),
  });
}

function drawInstall(replica: ModelReplica, draw: (n: number) => number): WalWrite {
  const through = lastIn(replica) + 1 + draw(5);
  const term = replica.hardState.term;
  replica.snapshot = snapshotAt(through, term);
  replica.entries = [];
  replica.hardState = state(term, replica.hardState.vote, through);
  return write(replica.group, { installed: replica.snapshot, state: replica.hardState });
}

/** A snapshot of a committed prefix is durable; returns its index or 0. */
export function drawCompaction(replica: ModelReplica, draw: (n: number) => number): number {
  const { commit } = replica.hardState;
  const above = replica.snapshot.index;
  if (replica.removed || commit <= above) return 0;
  const through = above + 1 + draw(commit - above);
  const at = replica.entries.find(({ index }) => index === through);
  if (at === undefined) return 0;
  replica.snapshot = snapshotAt(through, at.term);
  replica.entries = replica.entries.filter(({ index }) => index > through);
  return through;
}

/** How a recovered node differs from the model; null when it does not. */
export function differenceFrom(model: Model, node: RecoveredNode): string | null {
  const removed = [...model.values()].filter((replica) => replica.removed).length;
  if (node.removed.length !== removed) return `${node.removed.length} removed, not ${removed}`;
  if (node.replicas.length !== model.size - removed) return `${node.replicas.length} replicas`;
  if (node.forgotten) return "forgotten";
  for (const found of node.replicas) {
    const expected = model.get(found.group);
    if (expected === undefined || expected.removed) return `replica of group ${found.group}`;
    const words = replicaDifference(expected, found);
    if (words !== null) return `group ${found.group}: ${words}`;
  }
  return null;
}

export function replicaDifference(
  expected: ModelReplica,
  found: RecoveredWalReplica,
): string | null {
  if (found.lost) return "lost";
  const { recovered } = found;
  if (recovered.damagedThrough !== 0) return `damaged through ${recovered.damagedThrough}`;
  const hard = hardStateDifference(expected, found);
  if (hard !== null) return hard;
  if (recovered.snapshot?.index !== expected.snapshot.index) return "snapshot";
  if (recovered.entries.length !== expected.entries.length) {
    return `${recovered.entries.length} entries, not ${expected.entries.length}`;
  }
  return prefixDifference(expected.entries, recovered.entries);
}

export function hardStateDifference(
  expected: ModelReplica,
  found: RecoveredWalReplica,
): string | null {
  const { term, vote } = found.recovered.hardState;
  const { hardState } = expected;
  if (term === hardState.term && vote === hardState.vote) return null;
  return `term ${term} vote ${vote}, not ${hardState.term} ${hardState.vote}`;
}

/** Null when `found` begins as `expected` does. */
export function prefixDifference(
  expected: readonly Entry[],
  found: readonly Entry[],
): string | null {
  for (const [at, one] of found.entries()) {
    const other = expected[at];
    const same =
      other !== undefined &&
      one.index === other.index &&
      one.term === other.term &&
      one.type === other.type &&
      one.keyEpoch === other.keyEpoch &&
      one.payload.length === other.payload.length &&
      one.payload.every((byte, n) => byte === other.payload[n]);
    if (!same) return `entry ${one.index} differs`;
  }
  return null;
}
