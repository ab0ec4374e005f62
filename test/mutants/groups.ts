/** The life of groups: how they are made, given other members, and removed for good. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const lifecycle = "core/node/lifecycle.ts";
const groups = ["groups-come-and-go"];
const haste = ["groups-in-haste"];

export const groupMutants: readonly Mutant[] = [
  {
    id: "84-incarnations-not-told-apart",
    about: "a replica of a group that was made again is taken for one of its earlier life",
    world: "sim",
    edits: [
      {
        file: "core/node/logic.ts",
        find: "a.group === b.group && a.incarnation === b.incarnation && a.replica",
        replace: "a.group === b.group && a.replica",
      },
    ],
    breaks: ["liveness", "removed-is-dead", "state-machine-safety", "invariant"],
    source: "CockroachDB #77335",
    scenarios: ["group-reborn"],
  },
  {
    id: "84-made-again-as-it-was",
    about: "a group that is made again has the incarnation of the one that was destroyed",
    world: "sim",
    edits: [
      {
        file: "core/map/plan.ts",
        find: "  const incarnation = (map.newestIncarnation + 1) as Incarnation;",
        replace: "  const incarnation = map.newestIncarnation as Incarnation;",
      },
    ],
    breaks: ["liveness", "removed-is-dead", "sessions-exactly-once", "linearizability"],
    source: "CockroachDB #77335",
    scenarios: groups,
  },
  {
    id: "G1-made-again-after-its-end",
    about: "a late request makes a replica whose removal was durable",
    world: "sim",
    edits: [
      {
        file: lifecycle,
        find: '    if (!this.#mayMake(key)) return "refused";',
        replace: "",
      },
    ],
    breaks: ["removed-is-dead", "invariant", "liveness"],
    source: "own",
    scenarios: groups,
  },
  {
    id: "G1-removal-forgotten",
    about: "a node does not note that the replica it has removed is dead",
    world: "sim",
    edits: [
      {
        file: lifecycle,
        find: "    this.#dead.add(nameOf(replica.key));",
        replace: "",
      },
    ],
    breaks: ["removed-is-dead", "invariant", "liveness"],
    source: "own",
    scenarios: groups,
  },
  {
    id: "G1-removal-forgotten-in-a-restart",
    about: "a start forgets which replicas were removed from its disk",
    world: "sim",
    edits: [
      {
        file: lifecycle,
        find: "    for (const key of node.removed) this.#dead.add(nameOf(key));",
        replace: "",
      },
    ],
    breaks: ["removed-is-dead", "invariant", "liveness"],
    source: "own",
    scenarios: groups,
  },
  {
    id: "G2-erased-but-for-one",
    about: "the first member of a group that is destroyed is never told",
    world: "sim",
    edits: [
      {
        file: "core/steward/replica-errands.ts",
        find: "return eachOf(marks, members, isThere, ({ replica }) => ({",
        replace: "return eachOf(marks, members.slice(1), isThere, ({ replica }) => ({",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: groups,
  },
  {
    id: "G2-never-buried",
    about: "who left a group is not removed from its node",
    world: "sim",
    edits: [
      {
        file: "core/map/plan.ts",
        find: '    { kind: "bury", group: id, node: leave, replica: old.replica },\n',
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: groups,
  },
  {
    id: "G3-invited-without-founding",
    about: "who is invited to a new group is not told whom it was founded with",
    world: "sim",
    edits: [
      {
        file: lifecycle,
        find: "const founding = configurationIndex === 0 ? encodeConfiguration(configuration) : emptyBytes;",
        replace:
          "const founding = configurationIndex < 0 ? encodeConfiguration(configuration) : emptyBytes;",
      },
    ],
    breaks: ["liveness"],
    source: "our own: slots-on-the-move 19",
    scenarios: haste,
  },
  {
    id: "G4-leaver-still-speaks",
    about: "acknowledgements that wait for the disk leave the node after their replica's removal",
    world: "sim",
    edits: [
      {
        file: "core/node/replica.ts",
        find: '    this.#held.dropIf(({ kind }) => kind === "send");',
        replace: "",
      },
    ],
    breaks: ["removed-is-dead"],
    source: "our own: slots-on-the-move 1",
    scenarios: groups,
  },
  {
    id: "G5-members-not-in-the-map",
    about: "the map keeps the members that a group had before one was replaced",
    world: "sim",
    edits: [
      {
        file: "core/map/steps.ts",
        find: '      if (fact.kind === "members") changeGroup(map, step.group, { members: fact.members });\n',
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: groups,
  },
  {
    id: "G5-jobs-not-in-the-snapshot",
    about: "a replica of the map that is restored from a snapshot knows of no jobs",
    world: "sim",
    edits: [
      {
        file: "core/map/state.ts",
        find: "  for (const job of found.jobs) map.jobs.set(job.id, job);\n",
        replace: "",
      },
    ],
    breaks: ["state-machine-safety", "liveness"],
    source: "own",
    scenarios: groups,
  },
];
