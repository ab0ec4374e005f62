/** Snapshots: taken, sent, installed, and what they stand for. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const withSnapshots = ["snapshot-to-fresh-replica", "client-retries", "swarm"];

export const snapshotMutants: readonly Mutant[] = [
  {
    id: "54-probe-from-below-the-base",
    about: "a follower that lacks just the newest compacted entry is probed instead of restored",
    world: "sim",
    edits: [
      {
        file: "core/raft/replication.ts",
        find: "  if (peer.next - 1 < log.base) {",
        replace: "  if (peer.next < log.base) {",
      },
    ],
    breaks: ["leader-sends-its-log", "liveness"],
    source: "willemt/raft #118.2",
    scenarios: withSnapshots,
  },
  {
    id: "56-snapshot-leaves-a-conflict",
    about: "an installed snapshot keeps what the log holds behind it, also when they do not agree",
    world: "sim",
    edits: [
      {
        file: "core/raft/log-writes.ts",
        find: "  const agrees = termAt(state.log, index) === snapshot.term;",
        replace: "  const agrees = termAt(state.log, index) >= 0;",
      },
    ],
    breaks: ["liveness", "state-machine-safety", "log-matching", "invariant", "durable-quorum"],
    source: "hashicorp/raft #697, #704",
    scenarios: ["snapshot-to-fresh-replica", "swarm", "client-retries"],
  },
  {
    id: "57-snapshot-from-behind",
    about: "a snapshot of less than is committed here is installed all the same",
    world: "sim",
    edits: [
      {
        file: "core/raft/snapshots-receive.ts",
        find: "  if (snapshot.index <= state.commit) {",
        replace: "  if (snapshot.index < 0) {",
      },
      {
        file: "core/raft/snapshots-receive.ts",
        find: "  if (receiving.snapshot.index <= state.commit) {",
        replace: "  if (receiving.snapshot.index < 0) {",
      },
    ],
    breaks: ["monotonic", "durable-quorum", "invariant", "state-machine-safety"],
    source: "camunda #6092",
    scenarios: withSnapshots,
  },
  {
    id: "60-snapshot-with-a-later-membership",
    about: "a snapshot carries the newest configuration, not the one in force at its index",
    world: "sim",
    edits: [
      {
        file: "core/raft/compaction.ts",
        find: "  const { configuration } = state.configurations[0]!;",
        replace: "  const { configuration } = state;",
      },
    ],
    breaks: ["configuration-agreement", "configuration-safety", "durable-quorum"],
    source: "pikiwidb-raft #385; matrixone #24966",
    scenarios: ["changes-cut-short"],
  },
  {
    id: "62-snapshot-must-name-its-receiver",
    about: "a snapshot is refused by a member that joined after it was taken",
    world: "sim",
    edits: [
      {
        file: "core/raft/snapshots-receive.ts",
        find: "  if (snapshotConfiguration(snapshot) === null) {",
        replace:
          "  const named = snapshotConfiguration(snapshot);\n" +
          "  const known = [...(named?.voters ?? []), ...(named?.learners ?? [])];\n" +
          "  if (!known.some((member) => member.replica === state.replica)) {",
      },
    ],
    breaks: ["liveness"],
    source: "raft-rs #472",
    scenarios: ["snapshot-to-fresh-replica", "swarm"],
  },
];
