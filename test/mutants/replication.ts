/** How the log is copied, and what of it counts as committed. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const afterPartition = ["isolated-leader", "majority-partition", "flapping-network", "swarm"];

export const replicationMutants: readonly Mutant[] = [
  {
    id: "24-old-term-committed-by-counting",
    about: "an entry of an older term is committed as soon as a majority holds it",
    world: "sim",
    edits: [
      {
        file: "core/raft/commit.ts",
        find: "  if (termAt(state.log, held) !== state.term) return false;",
        replace: "",
      },
    ],
    breaks: ["commit-in-own-term", "leader-completeness", "state-machine-safety"],
    source: "PySyncObj #169; async-raft #106",
    scenarios: ["leaders-in-turn"],
  },
  {
    id: "26-commit-set-not-raised",
    about: "a follower takes the commit index of whatever append came last",
    world: "sim",
    edits: [
      {
        file: "core/raft/follower.ts",
        find: "  state.commit = Math.max(state.commit, Math.min(message.commit, match));",
        replace: "  state.commit = Math.min(message.commit, match);",
      },
    ],
    breaks: ["monotonic"],
    source: "PySyncObj #166",
    scenarios: ["flapping-network", "swarm"],
  },
  {
    id: "28-beat-carries-raw-commit",
    about: "a heartbeat names a commit index that its receiver's log may not match yet",
    world: "sim",
    edits: [
      {
        file: "core/raft/peers.ts",
        find: "  const commit = Math.min(state.commit, peer.match) as Index;",
        replace: "  const commit = state.commit as Index;",
      },
    ],
    breaks: ["state-machine-safety", "leader-completeness", "invariant"],
    source: "etcd, the comment at sendHeartbeat; openraft 2bdfae5d",
    scenarios: afterPartition,
  },
  {
    id: "31-stale-append-cuts-a-good-suffix",
    about: "an append that holds nothing new still cuts what stands behind it",
    world: "sim",
    edits: [
      {
        file: "core/raft/follower.ts",
        find: "    if (termAt(state.log, index) !== term) break;",
        replace: "    if (termAt(state.log, index) !== term || index > state.log.base) break;",
      },
    ],
    breaks: [
      "liveness",
      "invariant",
      "durable-quorum",
      "durable-state",
      "leader-completeness",
      "state-machine-safety",
    ],
    source: "RaftOS #26; openraft 9540c904; CCF #6016",
    scenarios: ["flapping-network", "client-retries", "wiped-node-returns", "swarm"],
  },
  {
    id: "34-acknowledges-its-whole-log",
    about: "a follower acknowledges all that it holds, not what the append has proven equal",
    world: "sim",
    edits: [
      {
        file: "core/raft/follower.ts",
        find: "  replyAppend(core, message, { accepted: true, match, hintIndex: 0, hintTerm: 0 });",
        replace:
          "  const held = lastIndex(state.log);\n" +
          "  replyAppend(core, message, { accepted: true, match: held, hintIndex: 0, hintTerm: 0 });",
      },
    ],
    breaks: ["durable-state", "durable-quorum", "state-machine-safety", "leader-completeness"],
    source: "CCF #6016",
    scenarios: afterPartition,
  },
  {
    id: "35-refusal-taken-for-a-match",
    about: "the index at which a refusing follower's log may agree counts as one where it does",
    world: "sim",
    edits: [
      {
        file: "core/raft/replication.ts",
        find: "  if (peer.damaged && agree < peer.match) {",
        replace:
          "  peer.match = Math.max(peer.match, Math.min(message.hintIndex, lastIndex(log)));\n" +
          "  if (peer.damaged && agree < peer.match) {",
      },
    ],
    breaks: ["liveness", "durable-quorum", "state-machine-safety", "leader-completeness"],
    source: "CCF #5674, #6016",
    scenarios: afterPartition,
  },
  {
    id: "44-cache-keeps-a-cut-suffix",
    about: "a cut removes the terms of the log but leaves its entries in memory",
    world: "sim",
    edits: [
      {
        file: "core/raft/log.ts",
        find: "  shorten(log.entries, keptInMemory);",
        replace: "",
      },
    ],
    breaks: ["log-matching", "state-machine-safety", "invariant"],
    source: "CockroachDB #63302, #63473; openraft 8cd24ba0",
    scenarios: afterPartition,
  },
];
