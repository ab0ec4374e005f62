/** What is sealed: entries and snapshots, under which key, by whom, and who opens it. */
import type { Mutant } from "../../src/sim/search/mutants/mutant.js";

const rotating = ["rotation-cut-short", "rotation-past-laggard", "sealed"];

export const sealingMutants: readonly Mutant[] = [
  {
    id: "S0-seal-not-bound-to-its-index",
    about: "an entry that is moved to another index opens there",
    world: "sim",
    edits: [
      {
        file: "core/keys/sealing.ts",
        find: "    writer.u53(term);\n    writer.u53(index);\n    writer.u8(type);",
        replace: "    writer.u53(term);\n    writer.u53(0);\n    writer.u8(type);",
      },
    ],
    breaks: ["sealed-for-one-place"],
    source: "CONTRACTS 12",
    scenarios: ["sealed"],
  },
  {
    id: "S0-seal-not-bound-to-its-term",
    about: "an entry that a later leader has overwritten opens again in its old place",
    world: "sim",
    edits: [
      {
        file: "core/keys/sealing.ts",
        find: "    writer.u53(term);\n    writer.u53(index);\n    writer.u8(type);",
        replace: "    writer.u53(0);\n    writer.u53(index);\n    writer.u8(type);",
      },
    ],
    breaks: ["sealed-for-one-place"],
    source: "CONTRACTS 12",
    scenarios: ["sealed", "rotation-cut-short"],
  },
  {
    id: "S0-seal-not-bound-to-its-group",
    about: "an entry that is moved to another group opens there, if that has the key",
    world: "sim",
    edits: [
      {
        file: "core/keys/sealing.ts",
        find: "    writer.u8(kind);\n    writer.u32(this.#group);",
        replace: "    writer.u8(kind);\n    writer.u32(0);",
      },
    ],
    breaks: ["sealed-for-one-place"],
    source: "CONTRACTS 12",
    scenarios: ["sealed-on-the-move", "sealed"],
  },
  {
    id: "S1-chunks-of-snapshots-alike",
    about:
      "the chunks of one snapshot may take each other's place in another one of the same index",
    world: "sim",
    edits: [
      {
        file: "core/keys/sealing.ts",
        find: "    for (const part of id) writer.u53(part);\n    writer.u32(number);",
        replace: "    writer.u32(number);",
      },
    ],
    breaks: ["sealed-for-one-place"],
    source: "CONTRACTS 12",
    scenarios: ["sealed", ...rotating],
  },
  {
    id: "S2-nonces-alike-after-a-restart",
    about: "nonces begin anew with every boot of a node: the prefix is not drawn",
    world: "sim",
    edits: [
      {
        file: "sim/keys/sim-vault.ts",
        find: "    this.#prefix = this.#randomBytes(prefixLength);",
        replace: "    this.#prefix = new Uint8Array(prefixLength);",
      },
    ],
    breaks: ["nonce-once"],
    source: "SP 800-38D section 8",
    scenarios: ["sealed"],
  },
  {
    id: "S3-entry-appended-in-clear",
    about: "a leader appends in clear what it reads to be sealed",
    world: "sim",
    edits: [
      {
        file: "core/raft/log-writes.ts",
        find: "  const keyEpoch = isSealed(type) ? sealer.keyEpoch : 0;",
        replace: "  const keyEpoch: number = 0;",
      },
    ],
    breaks: ["no-plaintext"],
    source: "CONTRACTS 12",
    scenarios: ["sealed"],
  },
  {
    id: "S4-snapshot-in-clear",
    about: "the state in a snapshot stands there as it is",
    world: "sim",
    edits: [
      {
        file: "core/keys/sealed-state.ts",
        find: "    writer.varbytes(keys.epoch === 0 ? chunk : sealer.sealChunk(header, chunk));",
        replace: "    writer.varbytes(chunk);",
      },
    ],
    breaks: ["no-plaintext"],
    source: "CONTRACTS 12",
    scenarios: ["sealed"],
  },
  {
    id: "S6-leads-without-the-key",
    about: "a leader seals under the key in force without having it",
    world: "sim",
    edits: [
      {
        file: "core/keys/sealing.ts",
        find: '    return this.holds(this.keys.epoch) ? null : "keysUnavailable";',
        replace: "    return null;",
      },
      {
        file: "core/node/replica.ts",
        find: "      if (this.#keyless || !keys.mayOpen(this, keys.keys.epoch)) this.#loseKeys();",
        replace: "      keys.mayOpen(this, keys.keys.epoch);",
      },
    ],
    breaks: ["invariant"],
    source: "CONTRACTS 12",
    scenarios: ["rotation-cut-short", "sealed", "keys-away-at-start"],
  },
  {
    id: "S7-applies-without-the-key",
    about: "what is committed is opened whether its key is there or not",
    world: "sim",
    edits: [
      {
        file: "core/node/replica.ts",
        find: '    this.#context.marks.hit("applyWaitedForKey");\n    this.#loseKeys();\n    return false;',
        replace:
          '    this.#context.marks.hit("applyWaitedForKey");\n    this.#loseKeys();\n    return true;',
      },
    ],
    breaks: ["invariant"],
    source: "CONTRACTS 12",
    scenarios: ["keys-away-at-start", "sealed"],
  },
  {
    id: "S8-snapshot-put-in-the-place-of-itself",
    about:
      "a snapshot taken again at the same index is not taken note of, though sealed anew it is another one",
    world: "sim",
    edits: [
      {
        file: "core/raft/compaction.ts",
        find: "  if (state.snapshot !== null && snapshot.index < state.snapshot.index) return;",
        replace: "  if (state.snapshot !== null && snapshot.index <= state.snapshot.index) return;",
      },
    ],
    breaks: ["liveness", "erased-is-gone", "durable-quorum", "invariant"],
    source: "found while keys were built",
    scenarios: ["rotation-past-laggard", "sealed", "members-and-keys"],
  },
  {
    id: "S5-state-restored-without-its-keys",
    about: "a snapshot that is installed brings its state, and what was known of keys before stays",
    world: "sim",
    edits: [
      {
        file: "core/node/replica-keys.ts",
        find: "    this.sealer.keys = keys;\n",
        replace: "    if (this.keys.epoch === 0) this.sealer.keys = keys;\n",
      },
    ],
    breaks: ["liveness", "invariant", "state-machine-safety", "erased-is-gone"],
    source: "CONTRACTS 12",
    scenarios: ["rotation-past-laggard", "sealed"],
  },
];
