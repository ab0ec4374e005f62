/** What clients were promised: each command once, each answer their own. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

export const sessionMutants: readonly Mutant[] = [
  {
    id: "86-proposals-outlive-their-leader",
    about: "what waits for a commit is kept in a step down, and answered in a later term",
    world: "sim",
    edits: [
      {
        file: "core/raft/roles.ts",
        find: "  Object.assign(state, idleLeader());",
        replace: "  Object.assign(state, idleLeader(), { proposals, proposalsHead });",
      },
      {
        file: "core/raft/roles.ts",
        find: "  for (let at = proposalsHead; at < proposals.length; at += 2) unknown(core, proposals[at + 1]!);",
        replace: "",
      },
    ],
    breaks: [
      "linearizability",
      "no-lost-write",
      "sessions-exactly-once",
      "state-machine-safety",
      "invariant",
      "bounded",
      "liveness",
    ],
    source: "openraft 43dd8b6f, 13df5b32",
    scenarios: ["leadership-returns"],
  },
  {
    id: "87-retry-applied-again",
    about: "a command that was applied is applied once more when its client asks again",
    world: "sim",
    edits: [
      {
        file: "core/store/sessions.ts",
        find: "    if (answer !== undefined) {",
        replace: "    if (answer !== undefined && serial < 0) {",
      },
    ],
    breaks: ["linearizability", "sessions-exactly-once", "no-lost-write"],
    source: "Ongaro's thesis, section 6.3",
    scenarios: ["client-retries", "swarm"],
  },
  {
    id: "87-answers-not-in-the-snapshot",
    about: "a replica restored from a snapshot has forgotten which commands were applied",
    world: "sim",
    edits: [
      {
        file: "core/store/sessions.ts",
        find: "    for (const record of records) this.#add(record);",
        replace: "    for (const record of records) this.#add({ ...record, answers: [] });",
      },
    ],
    breaks: ["state-machine-safety", "linearizability", "sessions-exactly-once"],
    source: "Ongaro's thesis, section 6.3",
    scenarios: ["snapshot-to-fresh-replica", "client-retries"],
  },
];
