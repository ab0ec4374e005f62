/** A second hash, over the states of the stepping node at every step, for `check-determinism`. */
import { RollingHash } from "../core/hash.js";
import { digestOf } from "../core/plain.js";
import type { Cluster } from "./cluster.js";

/** Where both hashes stand after a step. */
export interface StepDigests {
  /** The node that stepped. */
  readonly node: number;
  /** World time. */
  readonly atUs: number;
  /** Over all inputs and effects so far. */
  readonly run: readonly [number, number];
  /** Over the states of all steps so far. */
  readonly states: readonly [number, number];
}

export class StateDigest {
  readonly #hash = new RollingHash();

  constructor(cluster: Cluster, watch?: (digests: StepDigests) => void) {
    const onStep = cluster.recorder.onStep;
    cluster.recorder.onStep = (node) => {
      onStep?.(node);
      for (const state of cluster.processes[node - 1]!.program?.states() ?? []) {
        const [a, b] = digestOf(state);
        this.#hash.word(a);
        this.#hash.word(b);
      }
      watch?.({
        node,
        atUs: cluster.scheduler.nowUs,
        run: cluster.recorder.hash.digest(),
        states: this.#hash.digest(),
      });
    };
  }

  hex(): string {
    return this.#hash.hex();
  }
}
