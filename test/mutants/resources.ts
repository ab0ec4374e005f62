/** Counters that must come back to zero, and flags that must not outlive their cause. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

export const resourceMutants: readonly Mutant[] = [
  {
    id: "41-bytes-in-flight-leak",
    about: "appends that are answered stay in the count of bytes in flight",
    world: "sim",
    edits: [
      {
        file: "core/raft/progress.ts",
        find: "    peer.inflightBytes -= inflight[head + 2]!;",
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "etcd e419ba5",
    scenarios: ["small-windows"],
  },
  {
    id: "42-uncommitted-bytes-leak",
    about: "what is committed stays in the count of uncommitted bytes",
    world: "sim",
    edits: [{ file: "core/raft/commit.ts", find: "  freeUncommitted(state, held);", replace: "" }],
    breaks: ["liveness"],
    source: "etcd a370b6f",
    scenarios: ["small-windows"],
  },
  {
    id: "78-transfer-outlives-leadership",
    about: "the flag of a transfer survives its leader's term, and refuses proposals in the next",
    world: "sim",
    edits: [
      {
        file: "core/raft/roles.ts",
        find: "  Object.assign(state, idleLeader());",
        replace: "  Object.assign(state, idleLeader(), { transfer });",
      },
      {
        file: "core/raft/transfer.ts",
        find: "  if (transfer === null || now < transfer.deadlineUs) return;",
        replace:
          "  if (transfer === null || transfer.timeoutNowSent || now < transfer.deadlineUs) return;",
      },
    ],
    breaks: ["liveness"],
    source: "hashicorp/raft #696",
    scenarios: ["client-retries", "membership-under-fire"],
  },
];
