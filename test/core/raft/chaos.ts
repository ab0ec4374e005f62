/** Random scripts against a small cluster: faults first, then all is healed and must converge. */
import fc from "fast-check";
import type { MemberChange } from "../../../src/core/consensus.js";
import type { NodeId, ReplicaId } from "../../../src/core/ids.js";
import { mix32 } from "../../../src/core/hash.js";
import { Raft } from "../../../src/core/raft/raft.js";
import { fitsRow } from "../../../src/core/raft/sleeping-row.js";
import { throughRow } from "./through-row.js";
import { Cluster, type TestNode } from "./cluster.js";

/** Nodes that a script may come to use. */
const nodesMax = 64;

export interface Act {
  readonly kind: (typeof kinds)[number];
  /** Chooses a node, a peer and other small things. */
  readonly a: number;
  readonly b: number;
  readonly ms: number;
}

const kinds = [
  "run",
  "propose",
  "proposeMany",
  "crash",
  "start",
  "isolate",
  "oneWay",
  "lossy",
  "heal",
  "read",
  "leaseRead",
  "transfer",
  "change",
  "full",
  "holdDisk",
  "damage",
  "permit",
  "unreachable",
] as const;

export const anyScript: fc.Arbitrary<{ seed: number; size: number; acts: Act[] }> = fc.record({
  seed: fc.nat(1_000_000),
  size: fc.constantFrom(1, 3, 3, 3, 4, 5),
  acts: fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      a: fc.nat(1_000),
      b: fc.nat(1_000),
      ms: fc.nat(700),
    }),
    { minLength: 10, maxLength: 60 },
  ),
});

export interface Script {
  readonly seed: number;
  readonly size: number;
  readonly acts: readonly Act[];
}

export interface ScriptOptions {
  /** Asked after each step of a replica: whether it is packed and unpacked. */
  readonly repacks?: () => boolean;
  /** Asked of each that sleeps, whether it becomes a row. */
  readonly becomesRow?: () => boolean;
  /** 0: nobody sleeps. */
  readonly sleepAfterUs?: number;
}

const never = (): boolean => false;

export function runScript(
  { seed, size, acts }: Script,
  { repacks = never, becomesRow = never, sleepAfterUs = 0 }: ScriptOptions = {},
): Cluster {
  const cluster = new Cluster({
    size,
    seed,
    raft: {
      snapshotEveryEntries: 12,
      trailingEntries: 3,
      snapshotChunkBytes: 7,
      cacheBytesMax: 200,
      appendBytesMax: 150,
      applyBatchBytesMax: 120,
      inflightMessagesMax: 3,
      sleepAfterUs,
    },
  });
  cluster.goesOnAs = (raft, config) => {
    if (repacks()) return new Raft({ ...config, packed: raft.pack() });
    return fitsRow(raft.state) && becomesRow() ? throughRow(raft, config) : raft;
  };
  let draws = 0;
  const draw = (): number => mix32(seed ^ Math.imul(++draws, 0x9e3779b1));
  // Reordered and doubled in delay, now and then by far.
  cluster.delay = () => (draw() % 20 === 0 ? draw() % 900_000 : draw() % 3_000);
  for (const act of acts) {
    perform(cluster, act, draw);
    cluster.run(act.ms * 1_000);
  }
  return cluster;
}

function perform(cluster: Cluster, { kind, a, b }: Act, draw: () => number): void {
  const nodes = [...cluster.nodes.values()];
  const node = nodes[a % nodes.length]!;
  const { leader } = cluster;
  switch (kind) {
    case "propose":
      (leader ?? node).propose(b & 255);
      return;
    case "proposeMany":
      for (let n = 0; n < 10 + (b % 30); n++) (leader ?? node).propose((b + n) & 255);
      return;
    case "crash":
      if (node.alive) node.crash(b % 3);
      return;
    case "start":
      if (!node.alive) node.start();
      return;
    case "isolate":
      cluster.isolate(node.node, ...(b % 2 ? [nodes[b % nodes.length]!.node] : []));
      return;
    case "oneWay":
      cluster.deliver = (from, to) => (b % 2 ? from !== node.node : to !== node.node);
      return;
    case "lossy":
      cluster.deliver = () => draw() % 100 >= b % 60;
      return;
    case "heal":
      cluster.heal();
      return;
    case "read":
      node.read("index");
      return;
    case "leaseRead":
      (leader ?? node).read("lease");
      return;
    case "transfer":
      leader?.transfer(nodes[b % nodes.length]!.replica);
      return;
    case "change":
      if (leader !== undefined) change(cluster, leader, b);
      return;
    case "full":
      node.full = b % 2 === 0;
      return;
    case "holdDisk":
      if (!node.alive) return;
      if (b % 2) node.finishWrites();
      else node.holdDisk = true;
      return;
    case "damage":
      if (b % 3 > 0) return;
      if (node.alive) node.crash();
      node.damage(node.disk.snapshot.index + 1 + (b % 10));
      return;
    case "permit": {
      const permissions = { mayLead: b % 2 > 0, mayApply: b % 3 > 0 };
      if (node.alive) node.input({ kind: "permitted", permissions });
      return;
    }
    case "unreachable":
      leader?.input({ kind: "unreachable", node: node.node as NodeId });
      return;
    case "run":
  }
}

function change(cluster: Cluster, leader: TestNode, b: number): void {
  const { configuration } = leader.raft.view;
  const all = [...configuration.voters, ...configuration.learners];
  const target = all[b % all.length]!.replica;
  const changes: MemberChange[] = [];
  const next = configuration.nextReplicaId;
  const fresh = cluster.nodes.size + 1;
  if (b % 2 && all.length < 6 && fresh < nodesMax) {
    const op = b % 4 === 1 ? "addVoter" : "addLearner";
    changes.push({ op, node: fresh as NodeId, disk: 1 });
  }
  if (b % 3 === 0 && all.length > 2) {
    changes.push({ op: (["remove", "demote", "promote"] as const)[(b % 7) % 3]!, replica: target });
  }
  if (b % 5 === 0 && all.length > 2) {
    const other = all[(b + 1) % all.length]!.replica as ReplicaId;
    if (other !== target) changes.push({ op: "remove", replica: other });
  }
  if (changes.length === 0) return;
  leader.change(...changes);
  if (leader.raft.view.configuration.nextReplicaId > next) cluster.add(fresh);
}

/** Everything works again; who was removed may stay so. */
export function healAll(cluster: Cluster): void {
  cluster.heal();
  cluster.delay = () => 0;
  for (const node of cluster.nodes.values()) {
    node.full = false;
    if (!node.alive) node.start();
    node.finishWrites();
    node.input({ kind: "permitted", permissions: { mayLead: true, mayApply: true } });
  }
}

/** Null when all members agree and a new entry is applied by each; else who waits for what. */
export function converges(cluster: Cluster): string | null {
  healAll(cluster);
  cluster.run(6_000_000);
  const { leader } = cluster;
  const members = [...cluster.nodes.values()].filter(({ replica }) => replica !== 0);
  const why = members.map(({ replica, raft }) => {
    const { role, term, commit, last } = raft.view;
    return `${replica} ${role} ${term} ${commit}/${last}: ${raft.view.waitsFor()}`;
  });
  if (leader === undefined) return `no leader\n${why.join("\n")}`;
  const request = leader.propose(99);
  const read = leader.read("index");
  cluster.run(3_000_000);
  if (leader.ended(request) !== "committed") return `${leader.ended(request)}\n${why.join("\n")}`;
  if (!leader.reads.has(read)) return `read ${leader.ended(read)}`;
  const { configuration, last } = leader.raft.view;
  for (const { replica, node: number } of [...configuration.voters, ...configuration.learners]) {
    const node = cluster.node(number);
    if (node.raft.view.applied === last && node.applied.join() === leader.applied.join()) continue;
    return `${replica} applied ${node.raft.view.applied} of ${last}: ${node.raft.view.waitsFor()}\n${why.join("\n")}`;
  }
  return null;
}
