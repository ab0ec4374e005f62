/** Groups that sleep: who may, what wakes them, and who watches meanwhile. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const sleeping = ["groups-asleep", "wake-up-storm"];

export const sleepMutants: readonly Mutant[] = [
  {
    id: "80-wake-up-dropped",
    about: "a replica that its node wakes, because its leader's node is gone, sleeps on",
    world: "sim",
    edits: [
      {
        file: "core/raft/sleep.ts",
        find: '    case "noRoom":\n    case "wake":',
        replace: '    case "noRoom":',
      },
    ],
    breaks: ["liveness"],
    source: "TiKV #16429, #16368, #18916, #9022",
    scenarios: sleeping,
  },
  {
    id: "81-asleep-over-a-lagging-follower",
    about: "a group falls asleep though a follower lacks entries, which nobody sends it any more",
    world: "sim",
    edits: [
      {
        file: "core/raft/sleep.ts",
        find: "    state.peers.every((peer) => holdsAll(state, peer))",
        replace: "    state.peers.every((peer) => peer.match >= 0)",
      },
      {
        file: "core/raft/sleep.ts",
        find: "  if (!endsAlike(state, message) || !isSettled(state)) {",
        replace: "  if (state.damagedThrough > 0) {",
      },
    ],
    breaks: ["sleep-agreed", "liveness"],
    source: "CockroachDB #9446, #26911",
    scenarios: sleeping,
  },
  {
    id: "82-all-are-woken-at-once",
    about: "everybody who slept under a node that fell silent is woken in one interval",
    world: "sim",
    edits: [
      {
        file: "core/node/beats.ts",
        find: "    for (; woken < wakesMax && !this.#links.isEmpty(list); woken++) {",
        replace: "    for (; !this.#links.isEmpty(list); woken++) {",
      },
    ],
    breaks: ["bounded"],
    source: "CockroachDB #51894",
    scenarios: ["wake-up-storm"],
  },
  {
    id: "83-beat-hides-a-dead-leader",
    about: "a beat of any node is taken as a word of every node under which somebody sleeps",
    world: "sim",
    edits: [
      {
        file: "core/node/beats.ts",
        find: "    this.started(from, boot);\n    peer.lastHeardUs = this.#context.nowUs;",
        replace:
          "    this.started(from, boot);\n    for (const each of this.#peers.values()) each.lastHeardUs = this.#context.nowUs;",
      },
    ],
    breaks: ["liveness"],
    source: "CockroachDB #280, #315",
    scenarios: sleeping,
  },
  {
    id: "Z1-lease-out-of-sleep",
    about:
      "a leader that wakes believes that its peers have just answered it, and reads by its lease",
    world: "sim",
    edits: [
      {
        file: "core/raft/sleep.ts",
        find: "    for (const peer of state.peers) peer.liveness.lastHeardUs = core.now;",
        replace:
          "    for (const { liveness } of state.peers) liveness.ackedSentUs = liveness.lastHeardUs = core.now;",
      },
    ],
    breaks: ["lease-safety", "linearizability"],
    source: "docs/decisions/0005; TiKV, hibernate regions and leases",
    scenarios: sleeping,
  },
  {
    id: "Z2-asleep-before-it-has-applied",
    about: "a follower agrees to sleep with entries that it has yet to write or to apply",
    world: "sim",
    edits: [
      {
        file: "core/raft/sleep.ts",
        find: "  if (!endsAlike(state, message) || !isSettled(state)) {",
        replace: "  if (!endsAlike(state, message)) {",
      },
    ],
    breaks: ["sleep-agreed", "liveness"],
    source: "docs/decisions/0005",
    scenarios: sleeping,
  },
  {
    id: "Z3-sleeps-on-after-a-start",
    about: "replicas of a node that has started wait for somebody to ask them",
    world: "sim",
    edits: [
      {
        file: "core/node/beats.ts",
        find: "      replica.links = this.#links.add(this.#due, replica.sleeper, replica.links);\n    }\n    this.#arm();",
        replace: "    }\n    this.#arm();",
      },
    ],
    breaks: ["liveness"],
    source: "TiKV #16368",
    scenarios: sleeping,
  },
  {
    id: "Z4-row-loses-the-vote",
    about: "a replica that slept in a row does not know any more for whom it voted",
    world: "sim",
    edits: [
      {
        file: "core/raft/sleeping-row.ts",
        find: "  writeCount(writer, state.vote);",
        replace: "  writeCount(writer, 0);",
      },
    ],
    breaks: ["monotonic", "election-safety", "durable-state"],
    source: "docs/decisions/0005; etcd 0675f3d",
    scenarios: sleeping,
  },
];
