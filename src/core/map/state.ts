/** The map as it stands, and its bytes: the state of the meta group. */
import { digestOf, pack, unpack } from "../plain.js";
import { type Shape, fields, list, whole } from "../shape.js";
import { slotCountMax } from "../store/slots.js";
import { type Owners, areOwners } from "./owners.js";
import { groupShape, jobShape, nodeShape, ownershipShape, settingShape } from "./shapes.js";
import { Table } from "./table.js";
import {
  type Job,
  type MapGroup,
  type MapNode,
  type Ownership,
  type Setting,
  mapLimits,
} from "./types.js";

export interface MapState {
  /** 0 until the map is made. */
  slotCount: number;
  /** The index of the entry that changed it last. */
  version: number;
  /** The newest epoch given to a move; groups and jobs are numbered in the same way. */
  epoch: number;
  newestGroup: number;
  newestIncarnation: number;
  newestJob: number;
  owners: Owners;
  /** By name. */
  settings: readonly Setting[];
  readonly nodes: Table<MapNode>;
  readonly groups: Table<MapGroup>;
  /** Those that run. */
  readonly jobs: Table<Job>;
  /** Those that are over; the oldest make room for newer ones. */
  readonly ended: Table<Job>;
}

export function emptyMap(): MapState {
  return {
    slotCount: 0,
    version: 0,
    epoch: 0,
    newestGroup: 0,
    newestIncarnation: 0,
    newestJob: 0,
    owners: [],
    settings: [],
    nodes: new Table(),
    groups: new Table(),
    jobs: new Table(),
    ended: new Table(),
  };
}

/** Two 32-bit words, equal for equal maps. */
export function mapDigest(map: MapState): [number, number] {
  const { nodes, groups, jobs, ended, ...rest } = map;
  const sums = [nodes.sums, groups.sums, jobs.sums, ended.sums];
  return digestOf({ ...rest, sums });
}

interface Snapshot extends Omit<MapState, "nodes" | "groups" | "jobs" | "ended"> {
  readonly nodes: readonly MapNode[];
  readonly groups: readonly MapGroup[];
  readonly jobs: readonly Job[];
  readonly ended: readonly Job[];
}

const number = whole();

const snapshotShape: Shape<Snapshot> = fields<Snapshot>({
  slotCount: whole(0, slotCountMax),
  version: number,
  epoch: number,
  newestGroup: number,
  newestIncarnation: number,
  newestJob: number,
  owners: list<Ownership>(ownershipShape, slotCountMax),
  settings: list(settingShape, mapLimits.settingsMax),
  nodes: list(nodeShape, mapLimits.nodesMax),
  groups: list(groupShape, mapLimits.groupsMax),
  jobs: list(jobShape, mapLimits.jobsMax),
  ended: list(jobShape, mapLimits.endedJobsMax),
});

export function encodeMap(map: MapState): Uint8Array {
  const snapshot: Snapshot = {
    ...map,
    nodes: map.nodes.all(),
    groups: map.groups.all(),
    jobs: map.jobs.all(),
    ended: map.ended.all(),
  };
  return pack(snapshot);
}

/** Null when the bytes are no map. */
export function decodeMap(bytes: Uint8Array): MapState | null {
  const unpacked = unpack(bytes);
  if ("error" in unpacked) return null;
  const found: unknown = unpacked.ok;
  if (!snapshotShape(found) || !areOwners(found.owners, found.slotCount)) return null;
  const tables = {
    nodes: new Table<MapNode>(),
    groups: new Table<MapGroup>(),
    jobs: new Table<Job>(),
    ended: new Table<Job>(),
  };
  const map: MapState = { ...found, ...tables };
  for (const node of found.nodes) map.nodes.set(node.node, node);
  for (const group of found.groups) map.groups.set(group.group, group);
  for (const job of found.jobs) map.jobs.set(job.id, job);
  for (const job of found.ended) map.ended.set(job.id, job);
  return map;
}
