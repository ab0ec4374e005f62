/** A second hash, over the state of the stepping machine at every step, for `check-determinism`. */
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
    cluster.recorder.onStep = (node, view) => {
      onStep?.(node, view);
      // Without a view it was the host that stepped, and no machine.
      if (view !== null) {
        const state = cluster.processes[node - 1]!.program?.stateOf(view.group) ?? null;
        const [a, b] = digestOf(state);
        this.#hash.word(a);
        this.#hash.word(b);
      }
      watch?.({
        node,
        atUs: cluster.scheduler.nowUs,
        run: cluster.recorder.digest.hash.digest(),
        states: this.#hash.digest(),
      });
    };
  }

  hex(): string {
    return this.#hash.hex();
  }
}
