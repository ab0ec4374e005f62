/** The log on disk. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

export const walMutants: readonly Mutant[] = [
  {
    id: "45-write-taken-for-a-sync",
    about: "a batch counts as durable when it is written, before its sync",
    world: "sim",
    edits: [
      {
        file: "core/wal/wal.ts",
        find: "      else if (op === batch.syncOp) this.#durable(batch, out);",
        replace: "      else this.#durable(batch, out);",
      },
    ],
    breaks: ["durable-state", "durable-quorum"],
    source: "etcd #14370; Jepsen, NATS 2.12.1",
    scenarios: ["calm-cluster"],
  },
  {
    id: "53-snapshot-sets-the-term",
    about: "a start takes the term of its snapshot, be it lower than the term that it had reached",
    world: "sim",
    edits: [
      {
        file: "core/wal/replay.ts",
        find: "  if (snapshot !== null && snapshot.term > log.term) {",
        replace: "  if (snapshot !== null && snapshot.term !== log.term) {",
      },
    ],
    breaks: ["durable-state", "monotonic"],
    source: "willemt/raft #118.4",
    scenarios: ["client-retries", "snapshot-to-fresh-replica", "swarm"],
  },
  {
    id: "L2-checksum-not-checked",
    about: "a record is taken for intact whatever its checksum says",
    world: "sim",
    edits: [
      {
        file: "core/wal/record.ts",
        find: "  return crc === getU32(bytes, at + recordField.crc) ? end : 0;",
        replace: "  return crc >= 0 ? end : 0;",
      },
    ],
    breaks: [
      "log-matching",
      "state-machine-safety",
      "durable-state",
      "invariant",
      "linearizability",
    ],
    source: "NATS #7587; Alagappan et al., Protocol-Aware Recovery, FAST 2018",
    scenarios: ["bit-rot", "torn-logs", "swarm"],
  },
];
