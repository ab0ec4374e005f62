/** Data keys of groups: who has them, when they change, when they go. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const rotating = ["rotation-cut-short", "rotation-past-laggard", "sealed"];
const joining = ["members-and-keys", "sealed-on-the-move"];

export const keyMutants: readonly Mutant[] = [
  {
    id: "K0-key-kept-after-its-erasure",
    about: "an erased data key stays in the memory of those who had it",
    world: "sim",
    edits: [
      {
        file: "core/node/replica-keys.ts",
        find: "    for (const id of gone) this.#parts.keyring.erase(id);\n",
        replace: "",
      },
    ],
    breaks: ["erased-is-gone"],
    source: "CONTRACTS 12",
    scenarios: rotating,
  },
  {
    id: "K1-erased-while-one-is-not-clean",
    about: "a data key is erased when all members but one are rid of what is sealed under it",
    world: "sim",
    edits: [
      {
        file: "core/keys/key-duty.ts",
        find: '  return nodes.length > 0 ? { kind: "clear", below, nodes } : { kind: "erase", below };',
        replace:
          '  return nodes.length > 1 ? { kind: "clear", below, nodes } : { kind: "erase", below };',
      },
    ],
    breaks: ["erased-is-gone", "liveness", "invariant"],
    source: "CONTRACTS 12",
    scenarios: ["rotation-past-laggard", "rotation-cut-short"],
  },
  {
    id: "K2-erased-before-the-snapshot-is-gone",
    about: "a member says that it is rid of an old key while its snapshots are sealed under it",
    world: "sim",
    edits: [
      {
        file: "core/node/key-floors.ts",
        find: "    if (!wal.holdsBelow(key, epoch) && snapshots.onlyFrom(key, since as Index)) return true;",
        replace: "    if (!wal.holdsBelow(key, epoch)) return true;",
      },
      {
        file: "core/node/key-floors.ts",
        find: "    snapshots.dropOlder(key);\n",
        replace: "",
      },
    ],
    breaks: ["erased-is-gone", "liveness", "invariant"],
    source: "CONTRACTS 12",
    scenarios: rotating,
  },
  {
    id: "K3-erased-before-the-log-is-vacated",
    about: "a member says that it is rid of an old key while its log holds records sealed under it",
    world: "sim",
    edits: [
      {
        file: "core/node/key-floors.ts",
        find: "    if (!wal.holdsBelow(key, epoch) && snapshots.onlyFrom(key, since as Index)) return true;",
        replace: "    if (snapshots.onlyFrom(key, since as Index)) return true;",
      },
    ],
    breaks: ["erased-is-gone", "liveness", "invariant"],
    source: "CONTRACTS 12",
    scenarios: rotating,
  },
  {
    id: "K4-leaver-knows-the-key-in-force",
    about: "no new key is made when a member has left",
    world: "sim",
    edits: [
      {
        file: "core/keys/key-duty.ts",
        find: "  const left = stable && [...keys.holders.keys()].some((node) => !nodes.includes(node));",
        replace: "  const left = stable && nodes.length === 0;",
      },
    ],
    breaks: ["liveness"],
    source: "CONTRACTS 12",
    scenarios: joining,
  },
  {
    id: "K5-key-wrapped-for-who-has-left",
    about: "a new key is wrapped for all who held the one before, also for those who have left",
    world: "sim",
    edits: [
      {
        file: "core/keys/key-duty.ts",
        find: '  return { kind: "rotate", nodes };',
        replace:
          '  return { kind: "rotate", nodes: [...new Set([...nodes, ...keys.holders.keys()])] };',
      },
    ],
    breaks: ["liveness"],
    source: "CONTRACTS 12",
    scenarios: joining,
  },
  {
    id: "K6-joins-before-it-has-the-keys",
    about: "a node becomes a member first and is given the keys of its group later",
    world: "sim",
    edits: [
      {
        file: "core/node/service.ts",
        find: "    if (office === null) return true;",
        replace: "    if (office !== undefined) return true;",
      },
    ],
    breaks: ["liveness", "invariant"],
    source: "CONTRACTS 12",
    scenarios: joining,
  },
  {
    id: "K7-keys-of-older-entries-not-foreseen",
    about:
      "a node that was given the keys after what is sealed under them does not look for them ahead of it",
    world: "sim",
    edits: [
      {
        file: "core/node/replica-keys.ts",
        find: "    const foreseen = this.#foreseen.get(key.id);",
        replace: "    const foreseen = undefined as Foreseen | undefined;",
      },
    ],
    breaks: ["liveness"],
    source: "CONTRACTS 12",
    scenarios: joining,
  },
  {
    id: "K8-clean-under-another-key",
    about: "who was rid of what an earlier key sealed counts as rid of what the next one did",
    world: "sim",
    edits: [
      {
        file: "core/node/key-office.ts",
        find: "      found.clean.clear();\n",
        replace: "",
      },
    ],
    breaks: ["erased-is-gone", "liveness", "invariant"],
    source: "CONTRACTS 12",
    scenarios: rotating,
  },
  {
    id: "K9-lost-answer-never-asked-again",
    about: "a data key for which the HSM did not answer in time is not asked for again",
    world: "sim",
    edits: [
      {
        file: "core/node/keyring.ts",
        find: "        this.#again(asked.purpose.id);\n",
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "hsm reference: calls that never return",
    scenarios: ["keys-away-at-start", "sealed", "rotation-cut-short"],
  },
  {
    id: "Y0-new-key-asked-for-when-needed",
    about:
      "the key of a new epoch is asked for only when something sealed under it is to be applied",
    world: "sim",
    edits: [
      {
        file: "core/node/replica.ts",
        find: "      if (this.#keyless || !keys.mayOpen(this, keys.keys.epoch)) this.#loseKeys();\n",
        replace: "",
      },
    ],
    breaks: ["liveness", "invariant"],
    source: "CONTRACTS 12",
    scenarios: ["rotation-cut-short", "sealed"],
  },
  {
    id: "Y2-token-away-for-good",
    about: "a data key that the HSM could not open for want of its device is given up",
    world: "sim",
    edits: [
      {
        file: "core/node/keyring.ts",
        find: '      this.#parts.marks.hit("hsmAway");\n      this.#again(id);\n',
        replace: '      this.#parts.marks.hit("hsmAway");\n',
      },
    ],
    breaks: ["liveness"],
    source: "hsm reference: devices that are away",
    scenarios: ["keys-away-at-start", "sealed"],
  },
  {
    id: "Y3-key-comes-to-nobody",
    about: "entries that waited for a key are not applied when it comes",
    world: "sim",
    edits: [
      {
        file: "core/node/replica.ts",
        find: "    this.settleKeys();\n    this.#goOn();\n",
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "CONTRACTS 12",
    scenarios: ["keys-away-at-start", "sealed"],
  },
  {
    id: "Y5-erasure-missed-in-a-snapshot",
    about: "who hears of an erasure by a snapshot that covers it keeps the key",
    world: "sim",
    edits: [
      {
        file: "core/node/replica-keys.ts",
        find: "    this.version++;\n    this.#erased(before);\n    return state;",
        replace: "    this.version++;\n    return state;",
      },
    ],
    breaks: ["erased-is-gone"],
    source: "found by sealed-on-the-move",
    scenarios: ["rotation-past-laggard", ...joining],
  },
  {
    id: "Y6-new-token-unheard-of",
    about: "a leader that is told that a member's HSM has another key does nothing about it",
    world: "sim",
    edits: [
      {
        file: "core/node/key-office.ts",
        find: "    this.#cases.get(replica.group)!.claims.set(node, publicKey);\n",
        replace: "",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: ["tokens-replaced"],
  },
  {
    id: "Y7-snapshot-for-the-old-token-awaited",
    about: "a node whose HSM was replaced waits for the key of a snapshot that was for the old one",
    world: "sim",
    edits: [
      {
        file: "core/node/replica-keys.ts",
        find: "    if (!this.#isForeign(keys)) return true;\n",
        replace: "    if (keys.epoch >= 0) return true;\n",
      },
      { file: "core/node/key-claims.ts", find: "    replica.refuseClosed();\n", replace: "" },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: ["tokens-replaced"],
  },
  {
    id: "Y8-new-token-and-old-wrapping",
    about:
      "what stands in the log for the new HSM of a node is not preferred to what is known for the old one",
    world: "sim",
    edits: [
      {
        file: "core/node/replica-keys.ts",
        find: "equalBytes(own, foreseen.publicKey) ? foreseen.blob : known;",
        replace: "equalBytes(own, foreseen.publicKey) ? known : known;",
      },
    ],
    breaks: ["liveness"],
    source: "own",
    scenarios: ["tokens-replaced"],
  },
];
