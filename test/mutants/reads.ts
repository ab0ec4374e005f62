/** Reads: who may answer, from which index, and how long a lease lasts. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const staleReads = ["isolated-leader", "paused-leader", "one-way-links", "swarm"];

export const readMutants: readonly Mutant[] = [
  {
    id: "73-local-read-of-a-deposed-leader",
    about: "a leader answers a read without asking whether it still leads",
    world: "sim",
    edits: [
      {
        file: "core/raft/reads.ts",
        find: "  while (served < state.reads.length && state.reads[served]!.start <= confirmed) {",
        replace: "  while (served < state.reads.length) {",
      },
    ],
    breaks: ["linearizability"],
    source: "etcd #741; d-engine #381; nebula #5352",
    scenarios: staleReads,
  },
  {
    id: "74-read-before-own-commit",
    about: "a new leader answers reads before it knows what earlier leaders committed",
    world: "sim",
    edits: [
      {
        file: "core/raft/reads.ts",
        find: "  if (state.commit < state.termStart) return;",
        replace: "",
      },
    ],
    breaks: ["linearizability"],
    source: "etcd 3189a66 (#12680); raft-rs 8c95a3f",
    scenarios: ["client-retries", "leader-crash-loop", "isolated-leader", "swarm"],
  },
  {
    id: "75-answer-to-an-older-question",
    about: "a round of beats that was sent before a read came confirms it",
    world: "sim",
    edits: [
      {
        file: "core/raft/reads.ts",
        find: "    state.reads[at]!.start = state.nextRequest;",
        replace: "    state.reads[at]!.start = state.readRound;",
      },
    ],
    breaks: ["linearizability"],
    source: "etcd #20418, etcd-io/raft #397",
    scenarios: staleReads,
  },
  {
    id: "76-lease-from-the-answer",
    about: "a lease counts from when a beat was answered, not from when it was sent",
    world: "sim",
    edits: [
      {
        file: "core/raft/progress.ts",
        find: "  peer.liveness.ackedSentUs = Math.max(peer.liveness.ackedSentUs, sentUs);",
        replace: "  peer.liveness.ackedSentUs = nowUs;",
      },
    ],
    breaks: ["lease-safety", "linearizability"],
    source: "openraft, leader-lease.md; etcd, the comment at Config",
    scenarios: ["clock-skew-lease-reads", "paused-leader", "isolated-leader", "swarm"],
  },
  {
    id: "R1-promise-forgotten-in-a-restart",
    about: "a voter that has restarted votes though a leader still counts on its promise",
    world: "sim",
    edits: [
      {
        file: "core/raft/recovery.ts",
        find: "state.promisedUntilUs = now + options.electionTimeoutMinUs;",
        replace: "state.promisedUntilUs = 0;",
      },
    ],
    breaks: ["lease-safety", "linearizability"],
    source: "Ongaro's thesis, section 6.4.1",
    scenarios: ["leases-at-risk"],
  },
  {
    id: "R2-lease-survives-a-transfer",
    about: "a leader goes on reading by its lease after it has told another to campaign",
    world: "sim",
    edits: [
      {
        file: "core/raft/liveness.ts",
        find: "  if (state.transfer !== null || state.leaseRevoked) return 0;",
        replace: "",
      },
    ],
    breaks: ["lease-safety", "linearizability"],
    source: "Ongaro's thesis, section 6.4.1; etcd, the comment at ReadOnlyLeaseBased",
    scenarios: ["leases-at-risk"],
  },
  {
    id: "R3-read-before-its-index-is-applied",
    about: "a confirmed read is answered though its index is not applied yet",
    world: "sim",
    edits: [
      {
        file: "core/node/awaited.ts",
        find: "    if (read.index <= this.#at.applied) this.#serve(read.request);\n    else this.#wait(read);",
        replace: "    this.#serve(read.request);",
      },
    ],
    breaks: ["linearizability"],
    source: "Ongaro's thesis, section 6.4, step 4",
    scenarios: ["flapping-network", "one-way-links", "swarm"],
  },
];
