/** What clients ask for: a stream of operations for each client, drawn from the seed. */
import type { Draw } from "./draw.js";
import type { Operation } from "./operation.js";
import type { Count, WorkloadSpec } from "./scenario.js";
import type { PlannedOperation } from "./run-result.js";

/** What is asked of a group, whoever asks it and when. */
export type Asked = Pick<PlannedOperation, "group" | "kind" | "key" | "value" | "expected">;

/** What there is to ask of a state machine. */
export interface Vocabulary {
  /** The next of a client, drawn from its stream; `last` is its operation before that one. */
  next(draw: Draw, of: NextOf): Asked;
  /** What shows all that was done, for a look after healing. */
  lastReads(): readonly Asked[];
  /** A command and then a read that show whether a group serves; no other client notices. */
  probes(group: number): readonly Asked[];
}

export interface NextOf {
  readonly client: number;
  /** Of no other operation. */
  readonly id: string;
  readonly last: Operation | null;
}

export class Workload {
  readonly vocabulary: Vocabulary;
  readonly #spec: WorkloadSpec;
  readonly #draws: readonly Draw[];
  readonly #ordinals: number[];

  /** `draws[c]` is the stream of client `c`, so that one client's choices move no other's. */
  constructor(spec: WorkloadSpec, vocabulary: Vocabulary, draws: readonly Draw[]) {
    this.vocabulary = vocabulary;
    this.#spec = spec;
    this.#draws = draws;
    this.#ordinals = draws.map(() => 0);
  }

  next(client: number, last: Operation | null): PlannedOperation {
    const draw = this.#draws[client]!;
    const ordinal = this.#ordinals[client]!;
    this.#ordinals[client] = ordinal + 1;
    const id = `${client}.${ordinal}`;
    const { group, kind, key, value, expected } = this.vocabulary.next(draw, {
      client,
      id,
      last,
    });
    const thinkUs = resolve(this.#spec.thinkUs, draw);
    return { id, client, thinkUs, group, kind, key, value, expected, read: this.#readFrom(draw) };
  }

  #readFrom(draw: Draw): PlannedOperation["read"] {
    if (draw.chance(this.#spec.leaseReads ?? 0)) return "lease";
    return draw.chance(this.#spec.followerReads ?? 0) ? "follower" : "leader";
  }
}

/** The number that a seed makes of a count. */
export function resolve(count: Count, draw: Draw): number {
  return typeof count === "number" ? count : draw.integer(count.min, count.max);
}
