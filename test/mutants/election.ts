/** Who may lead: votes, pre-votes, and what keeps a leader in office. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

export const electionMutants: readonly Mutant[] = [
  {
    id: "01-old-vote-counted",
    about: "a vote given in an older term counts in the present one",
    world: "sim",
    edits: [
      {
        file: "core/raft/election.ts",
        find: `  if (message.term !== state.term) return;
  if (state.role !== "candidate") return;
  if (message.request !== state.electionRequest) return;`,
        replace: `  if (state.role !== "candidate") return;`,
      },
      {
        file: "core/raft/message-in.ts",
        find: `    case "readIndexReply":
      return false;`,
        replace: `    case "readIndexReply":
    case "voteReply":
      return false;`,
      },
    ],
    breaks: ["election-safety", "leader-completeness", "state-machine-safety", "log-matching"],
    source: "Xraft #33 (SandTable)",
    scenarios: ["slow-votes"],
  },
  {
    id: "05-index-before-term",
    about: "of two logs the longer one is taken for the newer, whatever its last term",
    world: "sim",
    edits: [
      {
        file: "core/raft/election.ts",
        find: "  if (message.lastTerm !== term) return message.lastTerm > term;",
        replace:
          "  if (message.lastIndex !== lastIndex(state.log)) return message.lastIndex > lastIndex(state.log);\n" +
          "  if (message.lastTerm !== term) return message.lastTerm > term;",
      },
    ],
    breaks: ["leader-completeness", "state-machine-safety", "no-lost-write", "linearizability"],
    source: "openraft a48a3282",
    scenarios: ["leaders-in-turn"],
  },
  {
    id: "06-any-log-will-do",
    about: "a vote is given whether the candidate's log is up to date or not",
    world: "sim",
    edits: [
      {
        file: "core/raft/election.ts",
        find: "  if (message.lastTerm !== term) return message.lastTerm > term;",
        replace: "  if (term >= 0) return true;",
      },
    ],
    breaks: ["leader-completeness", "state-machine-safety", "no-lost-write", "linearizability"],
    source: "hydro pull request #3082",
    scenarios: ["majority-partition", "isolated-leader", "swarm"],
  },
  {
    id: "09-joint-quorum-of-the-union",
    about: "in a joint configuration a majority of all its voters together decides",
    world: "sim",
    edits: [
      {
        file: "core/quorum/joint.ts",
        find: "  return Math.min(majorityValue(voters, valueOf), majorityValue(outgoing, valueOf)) as Value;",
        replace:
          "  const all = new Map([...voters, ...outgoing].map((voter) => [voter.replica, voter]));\n" +
          "  return majorityValue([...all.values()], valueOf);",
      },
    ],
    breaks: ["durable-quorum", "election-safety", "leader-completeness", "state-machine-safety"],
    source: "CCF #3948",
    scenarios: ["membership-under-fire", "swarm"],
  },
  {
    id: "10-half-is-a-majority",
    about: "half of an even number of voters counts as a majority",
    world: "sim",
    edits: [
      {
        file: "core/quorum/majority.ts",
        find: "  return Math.floor(count / 2) + 1;",
        replace: "  return Math.floor((count + 1) / 2);",
      },
    ],
    breaks: ["durable-quorum", "election-safety", "leader-completeness", "linearizability"],
    source: "hashicorp/raft 163a55f; openraft d60f1e85",
    scenarios: ["membership-under-fire", "swarm"],
  },
  {
    id: "12-refusal-teaches-no-term",
    about: "who is refused a pre-vote does not learn the term of who refused it",
    world: "sim",
    edits: [
      {
        file: "core/raft/election.ts",
        find: "  if (!message.granted && message.term > state.term) {",
        replace: "  if (!message.granted && message.term < 0) {",
      },
    ],
    breaks: ["liveness"],
    source: "openraft #1796; canonical/raft #279; rabbitmq/ra #439",
    scenarios: ["half-won-election"],
  },
  {
    id: "16-round-outlives-its-win",
    about: "a leader's election timer goes on, and the pre-votes that it wins depose it",
    world: "sim",
    edits: [
      {
        file: "core/raft/raft.ts",
        find: "    onLeaderTimer(core);\n    return;",
        replace: "    onLeaderTimer(core);\n    if (now < state.electionDeadlineUs) return;",
      },
      noLeases(),
    ],
    breaks: ["liveness"],
    source: "openraft 511f33c7; redpanda #21345",
    scenarios: ["calm-cluster", "leader-crash-loop"],
  },
  {
    id: "19-no-pre-vote-no-stickiness",
    about: "whoever hears no leader campaigns at once, and everyone obeys the new term",
    world: "sim",
    edits: [
      {
        file: "core/raft/election.ts",
        find: '  beginRound(core, "preCandidate");',
        replace:
          '  campaign(core, false);\n  if (core.now >= 0) return;\n  beginRound(core, "preCandidate");',
      },
      {
        file: "core/raft/liveness.ts",
        find: '  if (state.role === "leader") return true;',
        replace: '  if (state.role === "leader") return false;',
      },
      notSticky(),
      noLeases(),
    ],
    breaks: ["liveness"],
    source: "Howard 2020; Cloudflare, the outage of November 2020",
    scenarios: ["bridge-topology", "ring-of-majorities", "one-way-links", "majority-partition"],
  },
  {
    id: "20-leader-without-quorum-beats-on",
    about: "a leader that no quorum answers goes on, and its beats bind those that still hear it",
    world: "sim",
    edits: [
      {
        file: "core/raft/leader.ts",
        find: "  if (!hasQuorum(core)) {",
        replace: "  if (!hasQuorum(core) && state.peers.length === 0) {",
      },
    ],
    breaks: ["liveness"],
    source: "openraft #2080",
    scenarios: ["even-group"],
  },
  {
    id: "22-outsider-raises-the-term",
    about: "a server that was cut off or removed campaigns though others have a leader",
    world: "sim",
    edits: [
      notSticky(),
      {
        file: "core/raft/election.ts",
        find: '    core.marks.hit("preVoteRefusedByLease");\n    return false;\n  }',
        replace:
          '    core.marks.hit("preVoteRefusedByLease");\n    return false;\n  }\n' +
          '  if (state.role !== "leader") return true;',
      },
      noLeases(),
    ],
    breaks: ["liveness"],
    source: "etcd ff14791; willemt/raft ab96a76",
    scenarios: [
      "bridge-topology",
      "ring-of-majorities",
      "membership-under-fire",
      "majority-partition",
    ],
  },
];

/** No vote is withheld because a leader may still count on it. */
function notSticky(): Mutant["edits"][number] {
  return {
    file: "core/raft/liveness.ts",
    find: "  return now < state.promisedUntilUs;",
    replace: "  return false;",
  };
}

/** Leases rest on stickiness: without it they would fail first, and that is another bug. */
function noLeases(): Mutant["edits"][number] {
  return {
    file: "core/raft/liveness.ts",
    find: '  if (state.role !== "leader" || !options.leaseReads) return 0;',
    replace: "  if (options.heartbeatUs > 0) return 0;",
  };
}
