/** Changes of membership. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

export const membershipMutants: readonly Mutant[] = [
  {
    id: "36-replica-id-given-twice",
    about: "a member that is added gets the id of the one removed just before",
    world: "sim",
    edits: [
      {
        file: "core/raft/configuration-change.ts",
        find: "  drop(draft.learnersNext, replica);",
        replace:
          "  drop(draft.learnersNext, replica);\n" +
          "  if (replica + 1 === draft.nextReplicaId) draft.nextReplicaId = replica;",
      },
    ],
    breaks: ["configuration-safety", "election-safety", "durable-quorum", "state-machine-safety"],
    source: "etcd-io/raft #349 and eight other libraries (raft-rejoin-bug)",
    scenarios: ["wiped-node-returns", "membership-under-fire", "snapshot-to-fresh-replica"],
  },
  {
    id: "36-replica-id-of-a-lost-change",
    about:
      "a new leader gives out the ids that a change before its time, never committed, had named",
    world: "sim",
    edits: [
      {
        file: "core/raft/configuration-change.ts",
        find: "  let next = Math.max(config.nextReplicaId, Math.min(term * idsPerTerm, end));",
        replace: "  let next: number = config.nextReplicaId;",
      },
    ],
    breaks: ["configuration-safety", "election-safety", "durable-quorum"],
    source: "our own: membership-under-fire 2535918876",
    scenarios: ["unheard-changes"],
  },
  {
    id: "61-joint-lost-in-a-restart",
    about: "a start takes a joint configuration for its incoming half alone",
    world: "sim",
    edits: [
      {
        file: "core/raft/recovery.ts",
        find: "    state.configurations.push({ index: entry.index, configuration: decoded.ok });",
        replace:
          "    const { voters, learners, nextReplicaId } = decoded.ok;\n" +
          "    const half = { ...emptyConfiguration, voters, learners, nextReplicaId };\n" +
          "    state.configurations.push({ index: entry.index, configuration: half });",
      },
    ],
    breaks: ["configuration-agreement", "election-safety", "durable-quorum"],
    source: "etcd e515a67; openraft 6c0ccaf3; raft-rs #101",
    scenarios: ["changes-cut-short"],
  },
  {
    id: "66-change-before-own-commit",
    about: "a new leader changes members before it has committed an entry of its own term",
    world: "sim",
    edits: [
      {
        file: "core/raft/membership.ts",
        find: '  if (state.commit < state.termStart) return "notReady";',
        replace: "",
      },
    ],
    breaks: ["configuration-safety", "election-safety"],
    source: "Ongaro, raft-dev 2015",
    scenarios: ["changes-cut-short"],
  },
  {
    id: "67-two-changes-in-flight",
    about: "a change begins before the one before it is committed",
    world: "sim",
    edits: [
      {
        file: "core/raft/membership.ts",
        find: '  if (state.configurationIndex > state.commit) return "changePending";',
        replace: "",
      },
    ],
    breaks: ["configuration-safety", "election-safety"],
    source: "Ongaro's thesis, section 4.1; etcd #7625",
    scenarios: ["membership-under-fire", "swarm"],
  },
  {
    id: "69-voter-that-knows-itself-a-learner",
    about: "a replica refuses its vote while its own log does not name it a voter",
    world: "sim",
    edits: [
      {
        file: "core/raft/election.ts",
        find: "  if (message.term <= state.term) {",
        replace:
          "  const voters = [...state.configuration.voters, ...state.configuration.outgoing];\n" +
          "  if (message.term <= state.term || !voters.some((v) => v.replica === state.replica)) {",
      },
    ],
    breaks: ["liveness"],
    source: "etcd #12359",
    scenarios: ["changes-cut-short"],
  },
  {
    id: "70-joint-left-too-early",
    about: "a joint configuration is left before it is committed, at any commit",
    world: "sim",
    edits: [
      {
        file: "core/raft/membership.ts",
        find: "  if (state.configurationIndex > state.commit || state.commit < state.termStart) return;",
        replace: "  if (state.commit < state.termStart) return;",
      },
    ],
    breaks: ["configuration-safety", "durable-quorum"],
    source: "etcd bd3c759",
    scenarios: ["membership-under-fire", "swarm"],
  },
  {
    id: "72-removed-leader-quits-too-early",
    about:
      "a leader that removes itself retires when it appends that, and stands for election no more",
    world: "sim",
    edits: [
      {
        file: "core/raft/membership.ts",
        find: "  syncPeers(core);",
        replace:
          "  syncPeers(core);\n" +
          "  if (!isVoter(configuration, core.state.replica)) {\n" +
          "    becomeFollower(core, core.state.term, noReplica);\n" +
          "  }",
      },
      {
        file: "core/raft/roles.ts",
        find: "  return isVoter(configurations.at(-2)!.configuration, replica);",
        replace: "  return false;",
      },
    ],
    breaks: ["liveness"],
    source: "CCF #5973; etcd-io/raft #83",
    scenarios: ["changes-cut-short"],
  },
  {
    id: "G9-who-left-is-not-told",
    about: "a voter that missed its removal is told of it by nobody when it would campaign",
    world: "sim",
    edits: [
      {
        file: "core/node/multi-raft-node.ts",
        find: '    if (message.kind === "preVote") this.#removals.campaigns(from, message);\n',
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "found by members-and-keys",
    scenarios: ["membership-under-fire", "members-and-keys", "snapshot-to-fresh-replica"],
  },
];
