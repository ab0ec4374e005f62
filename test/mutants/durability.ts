/** What is said only once it is on disk, and what counts as being there. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

export const durabilityMutants: readonly Mutant[] = [
  {
    id: "03-vote-said-before-its-sync",
    about: "a vote leaves before the disk has it",
    world: "sim",
    edits: [
      {
        file: "core/raft/core.ts",
        find: "  return state.hardToken > state.durableToken ? (state.hardToken as Token) : noToken;",
        replace: "  return state.hardToken < 0 ? (state.hardToken as Token) : noToken;",
      },
    ],
    breaks: ["durable-state"],
    source: "openraft ee460f37",
    scenarios: ["leader-crash-loop"],
  },
  {
    id: "03-append-said-before-its-sync",
    about: "a follower acknowledges entries before its disk has them",
    world: "sim",
    edits: [
      {
        file: "core/raft/core.ts",
        find: "  if (match <= state.durable) return afterHardState(core);",
        replace: "  if (match >= 0) return afterHardState(core);",
      },
    ],
    breaks: ["durable-state", "durable-quorum"],
    source: "openraft ee460f37",
    scenarios: ["calm-cluster"],
  },
  {
    id: "03-host-holds-nothing-back",
    about: "the host lets out at once what names a token that is not durable",
    world: "sim",
    edits: [
      {
        file: "core/node/held.ts",
        find: "    return effect.after > this.durable;",
        replace: "    return effect.after < 0;",
      },
    ],
    breaks: ["durable-state"],
    source: "openraft ee460f37",
    scenarios: ["calm-cluster"],
  },
  {
    id: "45-leader-counts-its-memory",
    about: "a leader counts itself for entries that its own disk does not have yet",
    world: "sim",
    edits: [
      {
        file: "core/raft/commit.ts",
        find: "  if (replica === counting!.replica) return counting!.durable;",
        replace: "  if (replica === counting!.replica) return lastIndex(counting!.log);",
      },
    ],
    breaks: ["durable-quorum"],
    source: "etcd #14370; Jepsen, NATS 2.12.1",
    scenarios: ["torn-logs", "full-disk", "rolling-restart", "swarm"],
  },
  {
    id: "46-blank-counts-unflushed",
    about: "a new leader takes its first entry for durable when it appends it",
    world: "sim",
    edits: [
      {
        file: "core/raft/leader.ts",
        find: "  state.leaderNode = state.node;",
        replace: "  state.leaderNode = state.node;\n  state.durable = state.termStart;",
      },
    ],
    breaks: ["durable-quorum"],
    source: "openraft a9f696a9",
    scenarios: ["torn-logs", "full-disk", "rolling-restart", "swarm"],
  },
  {
    id: "47-late-token-revives-a-cut",
    about: "a write that ends after a cut vouches for the entries that took the place of its own",
    world: "sim",
    edits: [
      {
        file: "core/raft/log-writes.ts",
        find: "    write.last = from - 1;",
        replace: "    write.last = Math.max(write.last, from - 1);",
      },
    ],
    breaks: ["durable-quorum", "durable-state", "invariant"],
    source: "etcd, newStorageAppendRespMsg and its append_aba_race test",
    scenarios: ["overwritten-in-flight"],
  },
  {
    id: "49-vote-without-entries-not-written",
    about: "term and vote go to disk only together with entries",
    world: "sim",
    edits: [
      {
        file: "core/raft/core.ts",
        find: "  if (core.hardChanged || hint >= state.commitSaved + commitHintEvery) {",
        replace:
          "  const due = core.hardChanged || hint >= state.commitSaved + commitHintEvery;\n" +
          "  if (due && persist.entries.length > 0) {",
      },
    ],
    breaks: ["durable-state", "election-safety"],
    source: "etcd 0675f3d; raft-rs 2f5d963",
    scenarios: ["leader-crash-loop"],
  },
  {
    id: "51-hole-taken-for-a-short-log",
    about: "entries that were durable and are damaged count as never written",
    world: "sim",
    edits: [
      {
        file: "core/wal/replay.ts",
        find: "  if (last < log.last) damaged = Math.max(damaged, log.last);",
        replace: "",
      },
    ],
    breaks: ["durable-state", "leader-completeness"],
    source: "NATS #7587, #5939; Jepsen, NATS 2.12.1",
    scenarios: ["bit-rot", "swarm"],
  },
  {
    id: "51-torn-tail-taken-for-damage",
    about: "a batch that was torn before its sync counts as one that was durable and is damaged",
    world: "sim",
    edits: [
      {
        file: "core/wal/analysis.ts",
        find: "    cut = newest.header.lsn > proven.lsn;",
        replace: "    cut = newest.header.lsn < proven.lsn;",
      },
    ],
    breaks: ["durable-state"],
    source: "Alagappan et al. 2018, Protocol-Aware Recovery: a crash taken for corruption",
    scenarios: ["torn-logs"],
  },
  {
    id: "51-damaged-replica-takes-part",
    about: "a replica that knows of the damage to its log votes, leads and counts all the same",
    world: "sim",
    edits: [
      {
        file: "core/raft/recovery.ts",
        find: "  state.damagedThrough = recovered.damagedThrough;",
        replace: "  state.damagedThrough = 0 * recovered.damagedThrough;",
      },
    ],
    breaks: ["liveness", "leader-completeness", "durable-quorum", "state-machine-safety"],
    source: "NATS #7587, #5939; Jepsen, NATS 2.12.1",
    scenarios: ["rot-without-witness"],
  },
  {
    id: "89-votes-unsaved-and-changes-early",
    about: "votes leave before their sync, and members change before the leader's first commit",
    world: "sim",
    edits: [
      {
        file: "core/raft/core.ts",
        find: "  return state.hardToken > state.durableToken ? (state.hardToken as Token) : noToken;",
        replace: "  return state.hardToken < 0 ? (state.hardToken as Token) : noToken;",
      },
      {
        file: "core/raft/membership.ts",
        find: '  if (state.commit < state.termStart) return "notReady";',
        replace: "",
      },
    ],
    breaks: ["durable-state", "configuration-safety"],
    source: "RedisRaft #14, #17, #28, #44, #52 (Jepsen)",
    scenarios: ["membership-under-fire"],
  },
];
