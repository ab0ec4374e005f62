/** The replicas of a node that sleep, each under a number that is its own while it does. */
import type { Replica } from "./replica.js";

export class Sleepers {
  readonly #replicas: (Replica | null)[] = [];
  readonly #free: number[] = [];

  add(replica: Replica): void {
    const sleeper = this.#free.pop() ?? this.#replicas.length;
    this.#replicas[sleeper] = replica;
    replica.sleeper = sleeper;
  }

  get(sleeper: number): Replica {
    return this.#replicas[sleeper]!;
  }

  remove(replica: Replica): void {
    this.#replicas[replica.sleeper] = null;
    this.#free.push(replica.sleeper);
    replica.sleeper = -1;
  }
}
