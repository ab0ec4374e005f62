/**
 * Fixes of bugs that were our own, undone one at a time. With its fix undone a file of
 * `scenarios/regressions/` must fail as it once did, else it watches over nothing any more.
 */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";
import { groupMutants } from "./groups.js";
import { membershipMutants } from "./membership.js";

export interface Undone {
  /** A file of `scenarios/regressions/`. */
  readonly regression: string;
  readonly edits: Mutant["edits"];
}

/** Who has left was not told so when some of these were found; now that mends what they left behind. */
const leaversUntold: Mutant["edits"] = [
  {
    file: "core/node/multi-raft-node.ts",
    find: '    if (message.kind === "preVote") this.#removals.campaigns(from, message);\n',
    replace: "",
  },
  {
    file: "core/node/multi-raft-node.ts",
    find: "      if (replica.sibling !== null) this.#removals.endOlder(replica);\n",
    replace: "",
  },
];

export const undone: readonly Undone[] = [
  {
    regression: "leader-without-room.json",
    edits: [
      {
        file: "core/raft/transfer.ts",
        find: '  if (state.role !== "leader" || state.transfer !== null || now < state.passOnAtUs) return;',
        replace: "  if (now >= 0) return;",
      },
    ],
  },
  {
    regression: "full-log.json",
    edits: [
      {
        file: "core/raft/follower.ts",
        find: "  let end = Math.max(fresh, Math.min(room(), storable));",
        replace: "  let end = fresh;\n  if (end === fresh) return fresh;",
      },
      {
        file: "core/raft/compaction.ts",
        find: "  if (state.log.terms.length < options.logEntriesMax) return;",
        replace: "  if (options.logEntriesMax > 0) return;",
      },
    ],
  },
  {
    regression: "full-log-full-disk.json",
    edits: [
      {
        file: "core/raft/proposals.ts",
        find: '  return state.snapshotFailed ? "noSpace" : "overloaded";',
        replace: '  return "overloaded";',
      },
    ],
  },
  {
    regression: "uninvited-voters.json",
    edits: [
      {
        file: "core/node/lifecycle.ts",
        find: '  return view.role !== "follower" &&',
        replace: '  return view.role === "leader" &&',
      },
    ],
  },
  {
    regression: "late-acknowledgement.json",
    edits: [
      {
        file: "core/raft/replication.ts",
        find: '  if (!accepts || message.match < peer.match || peer.mode === "snapshot") {',
        replace: "  if (accepts || !accepts) {",
      },
    ],
  },
  {
    regression: "replica-id-of-a-lost-change.json",
    edits: membershipMutants.find(({ id }) => id === "36-replica-id-of-a-lost-change")!.edits,
  },
  {
    regression: "snapshots-outrun-the-log.json",
    edits: [
      {
        file: "core/raft/snapshots-receive.ts",
        find: "would be owed ever more.\n  if (writesFull(core)) return;",
        replace: "would be owed ever more.",
      },
    ],
  },
  {
    regression: "kept-suffix-written-again.json",
    edits: [
      {
        file: "core/raft/log-writes.ts",
        find: "  if (agrees && isWritten) compactInPlace(core, index);",
        replace:
          "  if (agrees && isWritten) {\n" +
          "    compactLog(state.log, index);\n" +
          "    const persist = openPersist(core);\n" +
          "    persist.installed = snapshot;\n" +
          "    persist.truncateFrom = (index + 1) as Index;\n" +
          "    const kept = sliceOf(state.log, index + 1, lastIndex(state.log) + 1, Infinity);\n" +
          "    persist.entries.push(...kept);\n" +
          "  }",
      },
      {
        file: "core/raft/log-writes.ts",
        find: "  pushEntry,\n",
        replace: "  pushEntry,\n  sliceOf,\n",
      },
    ],
  },
  {
    regression: "reads-that-lie.json",
    edits: [
      {
        file: "core/wal/recovery.ts",
        find: "    return !this.#careful || (this.#lastRead !== null && equalBytes(bytes, this.#lastRead));",
        replace: "    return bytes.length >= 0;",
      },
    ],
  },
  {
    regression: "invited-without-founding.json",
    edits: groupMutants.find(({ id }) => id === "G3-invited-without-founding")!.edits,
  },
  {
    regression: "two-replicas-on-a-node.json",
    edits: [
      ...leaversUntold,
      {
        file: "core/node/lifecycle.ts",
        find: "      .peekAll(group)\n",
        replace: "      .peekAll(group)\n      .slice(0, 1)\n",
      },
    ],
  },
  {
    regression: "ended-group-asked.json",
    edits: [
      ...leaversUntold,
      {
        file: "core/client/requests.ts",
        find: "  if (attempts.refusals % refusalsPerMap === 0) wantMap(core);",
        replace: "  if (attempts.refusals < 0) wantMap(core);",
      },
    ],
  },
  {
    regression: "last-member-swapped.json",
    edits: [
      {
        file: "core/steward/steward.ts",
        find: "    return [...members, ...entering];",
        replace: "    return entering.length >= 0 ? members : [];",
      },
    ],
  },
  {
    regression: "key-of-before-its-time.json",
    edits: [
      {
        file: "core/node/replica.ts",
        find: "this.#keyless ? withoutKeyInForce : withKeys",
        replace: "this.#keyless ? withoutKeys : withKeys",
      },
    ],
  },
  {
    regression: "erased-while-away.json",
    edits: [
      {
        file: "core/node/key-floors.ts",
        find: "!wal.holdsBelow(key, epoch)) return;",
        replace: "epoch > 0) return;",
      },
    ],
  },
  {
    regression: "leaver-still-speaks.json",
    edits: groupMutants.find(({ id }) => id === "G4-leaver-still-speaks")!.edits,
  },
];
