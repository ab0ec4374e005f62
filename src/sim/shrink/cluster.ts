/**
 * A smaller cluster: one group, fewer voters, fewer nodes, fewer clients. What refers to something
 * that is gone goes with it; the rest is numbered again without gaps, since options hold only counts.
 */
import { nodeId, type NodeId } from "../../core/ids.js";
import { errandKinds } from "../../lab/fault.js";
import type { Decisions } from "../../lab/run-result.js";
import type { Attempts, Trying } from "./attempts.js";
import { keepOperations } from "./operations.js";
import { numberOption, withOption } from "./size.js";

export function* shrinkCluster(attempts: Attempts): Trying {
  yield* fewerGroups(attempts);
  yield* fewerVoters(attempts);
  yield* fewerNodes(attempts);
  yield* fewerClients(attempts);
}

/**
 * One group, or as many as there were: a violation belongs to one group, and with any other number
 * the same keys would belong to other groups.
 */
function* fewerGroups(attempts: Attempts): Trying {
  const groups = numberOption(attempts.best, "groups") ?? 1;
  for (let only = 0; groups > 1 && only < groups; only++) {
    if (yield* attempts.accept(onlyGroup(attempts, only))) return;
  }
}

/**
 * The group becomes the first. Founders of group `g` begin at node `g + 1`, so the nodes are turned
 * round with it: faults meet the same founders as before.
 */
function onlyGroup(attempts: Attempts, only: number): Decisions {
  const nodes = numberOption(attempts.best, "nodes") ?? 1;
  const kept = keepOperations(attempts, ({ group }) => group === only);
  const operations = kept.operations.map((operation) => ({ ...operation, group: 0 }));
  const faults = kept.faults
    // What people do to one group means nothing without it; others only use it to find a leader.
    .filter(({ group, kind }) => group === only || !errandKinds.includes(kind))
    .map((fault) => ({
      ...fault,
      group: 0,
      nodes: turned(fault.nodes, only, nodes),
      peers: turned(fault.peers, only, nodes),
    }));
  return withOption({ ...kept, operations, faults }, "groups", 1);
}

function turned(ids: readonly NodeId[], by: number, nodes: number): readonly NodeId[] {
  return ids.map((id) => nodeId(((id - 1 - by + nodes * (by + 1)) % nodes) + 1));
}

function* fewerVoters(attempts: Attempts): Trying {
  const replication = numberOption(attempts.best, "replication") ?? 1;
  for (let fewer = 1; fewer < replication; fewer++) {
    if (yield* attempts.accept(withOption(attempts.best, "replication", fewer))) return;
  }
}

/** As few nodes as hold the voters, by leaving out the last; else one by one, any of them. */
function* fewerNodes(attempts: Attempts): Trying {
  const nodes = numberOption(attempts.best, "nodes") ?? 1;
  const least = Math.max(1, numberOption(attempts.best, "replication") ?? 1);
  if (nodes <= least) return;
  let fewest = attempts.best;
  for (let gone = nodes; gone > least; gone--) fewest = withoutNode(fewest, gone, gone);
  if (yield* attempts.accept(fewest)) return;
  for (let gone = nodes; gone > 0; gone--) {
    const left = numberOption(attempts.best, "nodes") ?? 1;
    if (left > least) yield* attempts.accept(withoutNode(attempts.best, gone, left));
  }
}

function withoutNode(decisions: Decisions, gone: number, nodes: number): Decisions {
  const without = (ids: readonly NodeId[]): readonly NodeId[] =>
    ids.filter((id) => id !== gone).map((id) => (id > gone ? nodeId(id - 1) : id));
  const faults = decisions.faults
    .map((fault) => ({ ...fault, nodes: without(fault.nodes), peers: without(fault.peers) }))
    .filter((fault, at) => {
      const before = decisions.faults[at]!;
      // An empty list means something else than a list whose last node left.
      const emptied = before.nodes.length > 0 && fault.nodes.length === 0;
      return !emptied && !(before.peers.length > 0 && fault.peers.length === 0);
    });
  return withOption({ ...decisions, faults }, "nodes", nodes - 1);
}

/** Clients keep their numbers, so only those above the last that does anything can go. */
function* fewerClients(attempts: Attempts): Trying {
  const clients = numberOption(attempts.best, "clients") ?? 0;
  const used = attempts.best.operations.map(({ client }) => client + 1);
  // Clients read every key in the end, and somebody must.
  const fewer = Math.max(1, ...used);
  if (fewer < clients) yield* attempts.accept(withOption(attempts.best, "clients", fewer));
}
