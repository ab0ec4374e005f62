/**
 * Faults in abstract words. A fault is plain data, the same in both worlds; each world has one
 * executor that knows what it means there.
 */
import type { NodeId } from "../core/ids.js";

/** Every kind with one sentence on what it does. `list` prints them. */
export const faultKinds = {
  // network
  loss: "messages between nodes vanish at a rate",
  duplicate: "messages arrive twice at a rate",
  delay: "messages are held back far beyond the usual at a rate",
  reorder: "messages overtake each other at a rate",
  cut: "links from `nodes` to `peers` carry nothing, in both directions",
  cutOneWay: "links from `nodes` to `peers` carry nothing; the way back works",
  flap: "links between `nodes` and `peers` go down and up again and again",
  slowLink: "links between `nodes` and `peers` take `amount` times as long",
  fullQueue: "the queue from `nodes` to `peers` holds almost nothing",
  corrupt: "bytes between `nodes` and `peers` are damaged below the decoder, which closes the link",
  halfOpen: "one side of a link believes it is up while the other has lost it",
  // clock
  drift: "the clocks of `nodes` run `amount` millionths fast (or slow, if negative)",
  wallStep: "the wall clocks of `nodes` jump by `amount` microseconds",
  // process
  kill: "`nodes` lose their process and start again after the duration",
  killInStart: "`nodes` are killed, and killed again while they recover",
  pause: "`nodes` do nothing for the duration and then go on as if no time had passed",
  slowNode: "turns of `nodes` take `amount` times as long",
  slowMachine: "each command costs the state machine of `group` on `nodes` `amount` microseconds",
  wipe: "`nodes` lose disk and process, and rejoin as new replicas",
  rollingRestart: "all nodes restart, one after another",
  // disk
  tornWrite: "a crash of `nodes` leaves the unsynced writes in part, torn at sectors, in any order",
  failSync: "the next sync on `nodes` fails",
  rot: "synced bytes of `nodes` change at rest",
  rotGroup: "synced entries of `group` on `nodes` change at rest, `amount` of them",
  misdirectRead: "a read on `nodes` answers with bytes from elsewhere",
  misdirectWrite: "a write on `nodes` lands elsewhere",
  fullDisk: "`nodes` have no room left",
  slowDisk: "the disk of `nodes` takes `amount` times as long",
  failRead: "a read on `nodes` fails",
  lyingSync: "syncs on `nodes` answer at once and do nothing; a crash follows",
  vanishTail: "the newest synced bytes of `nodes` are gone without a trace after a crash",
  // HSM
  tokenAway:
    "the HSMs of `nodes` cannot be reached; if `amount` is odd, sessions look sound meanwhile",
  tokenSlow: "the HSMs of `nodes` take `amount` milliseconds longer for each call",
  tokenSilent:
    "of the calls of the HSMs of `nodes` `amount` in a thousand are done and reported as failed",
  tokenLapse:
    "one call of the HSMs of `nodes` meets a loss of sessions, login, library or handles, a hang, or the like: `amount` says which",
  newToken: "the HSMs of `nodes` are replaced by new, empty ones, and the nodes start anew",
  // people
  rotateKeys: "a group takes a new data key into use",
  transferLeader: "leadership of a group is moved to another member",
  addLearner: "a node joins a group as a learner",
  promote: "a learner becomes a voter",
  removeMember: "a member leaves its group",
  removeLeader: "the leader of a group is removed from it",
  replaceMembers: "several members of a group change at once, through a joint configuration",
  // people, in a cluster with a map
  moveSlots: "some slots move to another group",
  splitGroup: "a new group takes over a part of a group's slots",
  mergeGroups: "all slots of a group move to another, and it ends",
  createGroup: "a group is made, at times under the number of one that has ended",
  destroyGroup: "a group without slots ends",
  spreadSlots: "slots move until they lie over the groups as consistent hashing has it",
  moveReplica: "a replica of a group moves to a node that has none",
  drainNode: "all replicas of a node move away, and it leaves",
  joinNode: "a node that had left is there again",
  loseNode: "a node that is down is given up: it is drained without its help, and leaves",
  cancelJob: "a job that is under way is taken back",
  moveLeader: "a member of a group is to lead it",
  balanceLeaders: "leaders are spread over the nodes",
} as const;

export type FaultKind = keyof typeof faultKinds;

/** Kinds that silently lose synced data: no protocol of this sort survives them (CONTRACTS 6). */
export const silentLossKinds: readonly FaultKind[] = ["lyingSync", "vanishTail"];

/**
 * Kinds that no swarm draws: what they do to one group shows only beside others that work, as a plan
 * has it.
 */
export const plannedKinds: readonly FaultKind[] = ["slowMachine", "rotGroup"];

/** What people do in a cluster with a map. In others nobody can. */
export const jobKinds: readonly FaultKind[] = [
  "moveSlots",
  "splitGroup",
  "mergeGroups",
  "createGroup",
  "destroyGroup",
  "spreadSlots",
  "moveReplica",
  "drainNode",
  "joinNode",
  "loseNode",
  "cancelJob",
  "moveLeader",
  "balanceLeaders",
];

/** Of a cluster whose data is sealed. In others there is nothing to strike. */
export const keyKinds: readonly FaultKind[] = [
  "tokenAway",
  "tokenSlow",
  "tokenSilent",
  "tokenLapse",
  "newToken",
  "rotateKeys",
];

/** What people do: nothing breaks, and no node is struck. */
export const errandKinds: readonly FaultKind[] = [
  "transferLeader",
  "addLearner",
  "promote",
  "removeMember",
  "removeLeader",
  "replaceMembers",
  "rotateKeys",
  ...jobKinds,
];

export interface Fault {
  /** Unique in its plan; how decisions, traces and shrinking name it, e.g. `kill-3`. */
  readonly id: string;
  readonly kind: FaultKind;
  /** World time from the start of the attack, microseconds. */
  readonly atUs: number;
  /** 0 for what happens at once and needs no undoing. */
  readonly forUs: number;
  /** Empty, for faults of one node: whoever leads `group` at that moment. */
  readonly nodes: readonly NodeId[];
  /** The other ends, for faults of links; empty otherwise. */
  readonly peers: readonly NodeId[];
  /** Index into the scenario's groups, for what people do and faults of one group; 0 otherwise. */
  readonly group: number;
  /**
   * What `faultKinds` says; a rate is in thousandths. Of a job of a cluster with a map: what it is about
   * is chosen by this number from what there is then; 0: it is drawn.
   */
  readonly amount: number;
}
