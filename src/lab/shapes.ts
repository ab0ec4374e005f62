/** Ready-made pieces of scenarios, so that a scenario file says only what makes it different. */
import type { Draw } from "./draw.js";
import type { Fault, FaultKind } from "./fault.js";
import type { ClusterSpec, PhaseSpec, WorkloadSpec } from "./scenario.js";
import type { NodeId } from "../core/ids.js";

export const second = 1_000_000;
export const millisecond = 1_000;

/** Segments so small that a run fills, compacts and re-uses many of them. */
export const smallLog: ClusterSpec["wal"] = { segmentBytes: 65_536, batchBytesMax: 32_768 };

/** Three to five nodes, a few groups of three. */
export const smallCluster: ClusterSpec = {
  nodes: { min: 3, max: 5 },
  groups: { min: 1, max: 3 },
  replication: 3,
  raft: {},
  wal: smallLog,
};

/** Five nodes and a map; a few groups of three beside the map's own share few slots. */
export const mappedCluster: ClusterSpec = {
  nodes: 5,
  groups: { min: 2, max: 3 },
  replication: 3,
  map: { slotCount: 64, zones: 1 },
  raft: {},
  wal: smallLog,
};

/** A few clients that read and write a few keys, so that they meet. */
export const mixedWorkload: WorkloadSpec = {
  clients: { min: 3, max: 6 },
  thinkUs: { min: 100 * millisecond, max: 700 * millisecond },
  keys: { min: 6, max: 12 },
  mix: { get: 4, put: 4, cas: 2, delete: 1, range: 1 },
  valueBytes: { min: 8, max: 64 },
  followerReads: 150,
};

/** The same with values that are looked for where they must not be. */
export const secretWorkload: WorkloadSpec = {
  ...mixedWorkload,
  mix: { get: 4, put: 5, cas: 2, delete: 1, range: 1 },
  valueBytes: { min: 32, max: 64 },
  secrets: true,
};

/** What users write is sealed; snapshots are frequent. */
export const sealedCluster: ClusterSpec = {
  ...smallCluster,
  sealed: 1_000,
  raft: { snapshotEveryEntries: 64, trailingEntries: 16 },
};

/** What the HSM of a node may do. */
export const tokenTrouble: readonly FaultKind[] = [
  "tokenAway",
  "tokenSlow",
  "tokenSilent",
  "tokenLapse",
];

export const oneMinute: PhaseSpec = { attackUs: 60 * second };

/** Faults of the network that no run should be wholly without. */
export const networkNoise: readonly FaultKind[] = ["loss", "duplicate", "delay", "reorder"];

/** Times from `fromUs` to `toUs`, each a drawn gap after the one before. */
export function times(
  draw: Draw,
  span: { readonly fromUs: number; readonly toUs: number },
  gap: { readonly minUs: number; readonly maxUs: number },
): number[] {
  const found: number[] = [];
  let atUs = span.fromUs + draw.integer(0, gap.minUs);
  while (atUs < span.toUs) {
    found.push(atUs);
    atUs += draw.integer(gap.minUs, gap.maxUs);
  }
  return found;
}

/** A fault with what is usual left out: no peers, the first group, nothing to say in numbers. */
export function fault(
  of: Pick<Fault, "kind" | "atUs"> & Partial<Omit<Fault, "id" | "kind" | "atUs">>,
  ordinal: number,
): Fault {
  return {
    forUs: 0,
    nodes: [],
    peers: [],
    group: 0,
    amount: 0,
    ...of,
    id: `${of.kind}-${ordinal}`,
  };
}

/** Two parts of the nodes: the first has `size` of them. */
export function split(
  draw: Draw,
  nodes: readonly NodeId[],
  size: number,
): readonly [readonly NodeId[], readonly NodeId[]] {
  const first = draw.some(nodes, size);
  return [first, nodes.filter((node) => !first.includes(node))];
}

/** What stands at `ordinal`, going round. */
export function around<T>(list: readonly T[], ordinal: number): T {
  return list[ordinal % list.length] as T;
}
