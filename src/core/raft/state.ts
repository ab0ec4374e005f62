/** Everything a replica knows: plain data, mutated in `step` alone. */
import type { Permissions } from "../consensus.js";
import type { SnapshotMeta } from "../entry.js";
import type { GroupId, Incarnation, NodeId, ReplicaId, Term } from "../ids.js";
import { type RandomState, seededRandom } from "../random.js";
import { type Configuration, emptyConfiguration } from "./configuration.js";
import { type LogState, emptyLog } from "./log.js";
import type { Peer } from "./progress.js";
import type { RaftRole } from "./view.js";

export interface RaftIdentity {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly node: NodeId;
  /** The node's start: request ids of different starts never meet. */
  readonly boot: number;
}

/** A persist effect that the host has not answered. */
export interface Write {
  readonly token: number;
  /** The first position that it wrote or cut; 0 when it touches no entry. */
  readonly first: number;
  /** When it is durable, so is the log up to here. A later truncation lowers it. */
  last: number;
  readonly hard: boolean;
  readonly installed: boolean;
  readonly repaired: boolean;
  /** True when a truncation voided a part of what it wrote. */
  cut: boolean;
}

export interface ConfigurationAt {
  readonly index: number;
  readonly configuration: Configuration;
}

/** A read that waits for a quorum to confirm that this replica still leads. */
export interface PendingRead {
  readonly request: number;
  /** Who asked: 0 for this node's own clients. */
  readonly from: ReplicaId;
  readonly node: NodeId;
  /** Where it may be answered; -1 until the leader has committed an entry of its own term. */
  index: number;
  /** A quorum must have answered requests from this one on. */
  start: number;
}

export interface Transfer {
  readonly request: number;
  readonly to: ReplicaId;
  readonly deadlineUs: number;
  timeoutNowSent: boolean;
}

/** A snapshot that is being received. */
export interface SnapshotReceive {
  readonly snapshot: SnapshotMeta;
  session: number;
  from: ReplicaId;
  node: NodeId;
  /** The newest chunk's message: the answer names it. */
  messageRequest: number;
  offset: number;
  /** Open `writeChunk`, or 0; its bytes. */
  writeRequest: number;
  writeBytes: number;
  /** All is written; the restore waits until it may begin, or is open. */
  whole: boolean;
  /** Open `restore`, or 0. Its answer is awaited whatever happens meanwhile. */
  restoreRequest: number;
}

export interface RaftState {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly node: NodeId;
  readonly random: RandomState;
  started: boolean;
  permissions: Permissions;

  role: RaftRole;
  term: Term;
  vote: ReplicaId;
  leader: ReplicaId;
  /** Where `leader` was last heard from; null when there is none. */
  leaderNode: NodeId | null;

  log: LogState;
  commit: number;
  applied: number;
  /** The log is durable up to here. */
  durable: number;
  /** The newest snapshot on disk. */
  snapshot: SnapshotMeta | null;
  /** The base's configuration and those in the log above it, oldest first. */
  configurations: ConfigurationAt[];
  configuration: Configuration;
  configurationIndex: number;
  /** A committed configuration without this replica was seen. */
  removed: boolean;

  token: number;
  durableToken: number;
  /** The newest token that carries term and vote. */
  hardToken: number;
  commitSaved: number;
  writes: Write[];
  /** Entries from here on could not be written for lack of room; 0 when all are on their way. */
  unwrittenFrom: number;
  /** Out of room until this token is durable; 0 while there is room. */
  noSpaceToken: number;
  retryAtUs: number;

  wakeAtUs: number;
  electionDeadlineUs: number;
  /** Until then no vote is given to another: a leader counts on it (thesis sections 4.2.3, 6.4.1). */
  promisedUntilUs: number;

  /** No deadline: whatever concerns the group wakes it. */
  asleep: boolean;
  /** The start of the leader's node under which a follower sleeps; 0 under no leader. */
  leaderBoot: number;

  /** Counts requests of this start that a term or the host's answer confines. */
  nextRequest: number;
  /** Counts rounds of election and forwarded reads, apart from those of other starts. */
  nextBootRequest: number;
  /** Counts sessions with peers; each belongs to a term that this start leads. */
  nextSession: number;

  /** The open round of (pre-)votes, or 0. */
  electionRequest: number;
  granted: ReplicaId[];
  refused: ReplicaId[];

  peers: Peer[];
  /** The first entry of this leader's term. */
  termStart: number;
  uncommittedBytes: number;
  /** Pairs of index and request, oldest first, from `proposalsHead` on. */
  proposals: number[];
  proposalsHead: number;
  /** The change that a joint configuration is to complete, or 0. */
  changeRequest: number;
  transfer: Transfer | null;
  /** When the group last had something to do. */
  busyUs: number;
  /** Since when the peers are asked to sleep, and the first request that asked; 0: they are not. */
  askedUs: number;
  askedFrom: number;
  /** A leader without room may pass leadership on from then; to whom it tried last. */
  passOnAtUs: number;
  passedOnTo: ReplicaId;
  /** A leadership that was handed over, until it is known who leads. */
  handedOver: Transfer | null;
  /** A `timeoutNow` of this term may still arrive: no lease any more. */
  leaseRevoked: boolean;
  reads: PendingRead[];
  /** The first request of the newest round of heartbeats for reads, or 0; when it was sent. */
  readRound: number;
  readRoundSentUs: number;

  /** Reads that wait to be forwarded to the leader. */
  forwardWaiting: number[];
  /** The forwarded ones, the id under which they went, and when. */
  forwarded: number[];
  forwardRequest: number;
  forwardSentUs: number;

  /** Handed to the state machine and not yet answered, or 0. */
  applyingTo: number;
  /** Open reading of the log on disk in order to apply it, or 0. */
  applyRead: number;
  /** No such reading before this: one has failed. */
  applyReadAtUs: number;
  unknownTypeAt: number;

  /** Open `takeSnapshot`, or 0. */
  takeRequest: number;
  /** Where the newest taking of a snapshot stood, and bytes applied since. */
  takenAt: number;
  appliedBytes: number;
  /** The newest taking of a snapshot failed: its disk may have no room. */
  snapshotFailed: boolean;
  /** The log is to be compacted up to here, with nothing kept for others; 0: as usual. */
  compactTo: number;
  receiving: SnapshotReceive | null;

  /** What a damaged log must reach; 0 when it is whole. */
  damagedThrough: number;
  /** The term that stood when the damage was found. */
  damagedTerm: number;
  /** The log is known to equal that of the leader of this term up to here. */
  verified: number;
}

/** Ids of different starts lie so far apart. */
const requestsPerBoot = 0x1_0000_0000;
const bootsApart = 0x20_0000;

export function initialState(
  { group, incarnation, replica, node, boot }: RaftIdentity,
  seed: readonly [number, number, number, number],
): RaftState {
  return {
    group,
    incarnation,
    replica,
    node,
    random: seededRandom(seed),
    started: false,
    permissions: { mayLead: true, mayApply: true },
    role: "follower",
    term: 0 as Term,
    vote: 0 as ReplicaId,
    leader: 0 as ReplicaId,
    leaderNode: null,
    log: emptyLog(0, 0),
    commit: 0,
    applied: 0,
    durable: 0,
    snapshot: null,
    configurations: [],
    configuration: emptyConfiguration,
    configurationIndex: 0,
    removed: false,
    token: 0,
    durableToken: 0,
    hardToken: 0,
    commitSaved: 0,
    writes: [],
    unwrittenFrom: 0,
    noSpaceToken: 0,
    retryAtUs: Infinity,
    wakeAtUs: Infinity,
    electionDeadlineUs: Infinity,
    promisedUntilUs: 0,
    asleep: false,
    leaderBoot: 0,
    nextRequest: 1,
    nextBootRequest: (boot % bootsApart) * requestsPerBoot + 1,
    nextSession: 1,
    electionRequest: 0,
    granted: [],
    refused: [],
    ...idleLeader(),
    forwardWaiting: [],
    forwarded: [],
    forwardRequest: 0,
    forwardSentUs: 0,
    handedOver: null,
    applyingTo: 0,
    applyRead: 0,
    applyReadAtUs: 0,
    unknownTypeAt: 0,
    takeRequest: 0,
    takenAt: 0,
    appliedBytes: 0,
    snapshotFailed: false,
    compactTo: 0,
    receiving: null,
    damagedThrough: 0,
    damagedTerm: 0,
    verified: 0,
  };
}

type LeaderState = Pick<
  RaftState,
  | "peers"
  | "termStart"
  | "uncommittedBytes"
  | "proposals"
  | "proposalsHead"
  | "changeRequest"
  | "transfer"
  | "busyUs"
  | "askedUs"
  | "askedFrom"
  | "passOnAtUs"
  | "passedOnTo"
  | "leaseRevoked"
  | "reads"
  | "readRound"
  | "readRoundSentUs"
>;

/** What a replica has that does not lead; also what a leader keeps nothing of when it steps down. */
export function idleLeader(): LeaderState {
  return {
    peers: [],
    termStart: 0,
    uncommittedBytes: 0,
    proposals: [],
    proposalsHead: 0,
    changeRequest: 0,
    transfer: null,
    busyUs: 0,
    askedUs: 0,
    askedFrom: 0,
    passOnAtUs: 0,
    passedOnTo: 0 as ReplicaId,
    leaseRevoked: false,
    reads: [],
    readRound: 0,
    readRoundSentUs: 0,
  };
}
