/** Rendezvous hashing with weights as a scheme; `contest.ts` says how. A lookup asks every target. */
import { Contest } from "./contest.js";
import type { HashScheme } from "./scheme.js";

export const rendezvous: HashScheme = {
  name: "rendezvous",
  build(targets) {
    const contest = new Contest(targets);
    const all = new Uint8Array(targets.length).fill(1);
    return { locate: (keyHash) => contest.targets[contest.winner(keyHash, all)]!.id };
  },
};
