/** Slots on the move: what the groups that give and take them owe each other, and what clients do. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const store = "core/store/moving-slots.ts";
const client = "core/client/operations.ts";
const moves = ["slots-on-the-move"];
const both = ["slots-on-the-move", "groups-come-and-go"];
const patient = ["patient-clients"];

/** What a command that is lost, or applied twice, may show as. */
const once = ["linearizability", "sessions-exactly-once", "no-lost-write"];

export const movingMutants: readonly Mutant[] = [
  {
    id: "M1-served-at-any-epoch",
    about: "a group serves a slot that it owns whatever the epoch that is asked for",
    world: "sim",
    edits: [
      {
        file: store,
        find: '    if (span.state === "owned" && span.epoch === epoch) return null;',
        replace: '    if (span.state === "owned") return null;',
      },
    ],
    breaks: ["slot-ownership", ...once],
    source: "own",
    scenarios: both,
  },
  {
    id: "M1-release-goes-on-serving",
    about: "a group hands out the state of its slots and goes on serving them",
    world: "sim",
    edits: [
      {
        file: store,
        find: 'const table = this.table.changed(slots, { state: "released", epoch });',
        replace: "const table = this.table.changed(slots, {});",
      },
    ],
    breaks: ["slot-ownership", "liveness", "invariant", ...once],
    source: "own",
    scenarios: both,
  },
  {
    id: "M1-reads-where-it-was",
    about: "reads are answered by whatever the replica holds of the slot, served there or not",
    world: "sim",
    edits: [
      {
        file: "core/store/replicated-store.ts",
        find:
          "    const elsewhere = this.#moving.elsewhere(slot, epoch);\n" +
          "    if (elsewhere !== null) return encodeClientAnswer(elsewhere);\n" +
          "    return encodeClientAnswer({ kind",
        replace: "    return encodeClientAnswer({ kind",
      },
    ],
    breaks: ["slot-ownership", "linearizability"],
    source: "own",
    scenarios: both,
  },
  {
    id: "M2-taken-back-before-the-release",
    about: "slots that were not released when their move is taken back keep their epoch",
    world: "sim",
    edits: [
      {
        file: store,
        find: '    const table = this.table.changed(slots, { state: "owned", epoch: next });',
        replace:
          "    if (!kept) return done();\n" +
          '    const table = this.table.changed(slots, { state: "owned", epoch: next });',
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: both,
  },
  {
    id: "M2-taken-back-at-its-epoch",
    about: "slots that are taken back are served at the epoch of the move that was given up",
    world: "sim",
    edits: [
      {
        file: store,
        find: '    const table = this.table.changed(slots, { state: "owned", epoch: next });',
        replace: '    const table = this.table.changed(slots, { state: "owned", epoch });',
      },
    ],
    breaks: ["liveness", "slot-ownership"],
    source: "own",
    scenarios: both,
  },
  {
    id: "M3-abandoned-without-a-fence",
    about: "what comes late of a move that was given up is staged again, in the way of all others",
    world: "sim",
    edits: [
      {
        file: store,
        find: "    const table = this.table.changed(slots, { epoch });",
        replace: "    const table = this.table.changed(slots, {});",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: moves,
  },
  {
    id: "87-answers-stay-with-the-old-owner",
    about: "sessions come with their slots, and what was applied for them does not",
    world: "sim",
    edits: [
      {
        file: store,
        find: "    sessions.adopt(records, index, table.spans);",
        replace:
          "    const bare = records.map((record) => ({ ...record, answers: [] }));\n" +
          "    sessions.adopt(bare, index, table.spans);",
      },
    ],
    breaks: once,
    source: "Ongaro's thesis, section 6.3",
    scenarios: patient,
  },
  {
    id: "M4-staged-state-not-in-the-snapshot",
    about: "a replica restored from a snapshot lacks the state of slots that was staged before it",
    world: "sim",
    edits: [
      {
        file: "core/store/moving-state.ts",
        find: "  to.u8(staging === null ? 0 : 1);\n  staging?.write(to);",
        replace: "  to.u8(0);",
      },
    ],
    breaks: ["state-machine-safety", "liveness", "invariant"],
    source: "own",
    scenarios: both,
  },
  {
    id: "M5-steps-of-a-move-out-of-order",
    about: "the new owner is to accept before the state has come to it",
    world: "sim",
    edits: [
      {
        file: "core/map/steps.ts",
        find: '["release", "stage", "accept", "drop"]',
        replace: '["release", "accept", "stage", "drop"]',
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: both,
  },
  {
    id: "M5-first-piece-taken-for-the-whole",
    about: "the steward reports the state as staged when its first piece is",
    world: "sim",
    edits: [
      {
        file: "core/steward/staging-errand.ts",
        find: "        return offset >= total ? done : on;",
        replace: "        return offset > 0 ? done : on;",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: both,
  },
  {
    id: "M6-taken-back-without-abandon",
    about: "a move is taken back, and what was staged of it stays at the one who was to accept it",
    world: "sim",
    edits: [
      {
        file: "core/map/undo.ts",
        find: '    { kind: "abandon", move },\n',
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: both,
  },
  {
    id: "M6-taken-back-and-not-in-the-map",
    about: "the map keeps the old epoch of slots that their owner serves again at a new one",
    world: "sim",
    edits: [
      {
        file: "core/map/steps.ts",
        find: "      map.owners = withOwner(map.owners, slots, from, step.next);",
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: both,
  },
  {
    id: "P1-jobs-at-odds",
    about: "two jobs are at work on the same groups at once",
    world: "sim",
    edits: [
      {
        file: "core/map/plan.ts",
        find: '    if (meets) return refused("busy", job.id);',
        replace: '    if (meets && job.id < 0) return refused("busy", job.id);',
      },
    ],
    breaks: ["liveness", "slot-ownership", "invariant", ...once],
    source: "own",
    scenarios: both,
  },
  {
    id: "P2-epoch-given-twice",
    about: "two moves in a row have the same epoch",
    world: "sim",
    edits: [{ file: "core/map/cluster-map.ts", find: "    map.epoch += epochs;", replace: "" }],
    breaks: ["liveness", "slot-ownership", ...once],
    source: "own",
    scenarios: moves,
  },
  {
    id: "P3-late-report-counts",
    about: "a step that is reported twice counts as two",
    world: "sim",
    edits: [
      {
        file: "core/map/cluster-map.ts",
        find: "step === undefined || job.turn !== turn) {",
        replace: "step === undefined) {",
      },
    ],
    breaks: ["liveness", "slot-ownership", "invariant", ...once],
    source: "own",
    scenarios: both,
  },
  {
    id: "87-new-serial-at-the-new-owner",
    about: "a command that is sent elsewhere gets a serial of its own there",
    world: "sim",
    edits: [
      {
        file: client,
        find: '      operation.reason = "moved";',
        replace: '      operation.reason = "moved";\n      operation.session = 0;',
      },
    ],
    breaks: once,
    source: "Ongaro's thesis, section 6.3",
    scenarios: patient,
  },
  {
    id: "C1-failed-in-place-of-unknown",
    about: "a client says that a command took no effect when it only got no answer",
    world: "sim",
    edits: [
      {
        file: client,
        find: '  finish(core, operation, doubtful ? { kind: "unknown" } : { kind: "failed", reason });',
        replace:
          '  finish(core, operation, { kind: "failed", reason: doubtful ? "deadline" : reason });',
      },
    ],
    breaks: once,
    source: "own",
    scenarios: moves,
  },
];
