/** What clients ask for: a stream of operations for each client, drawn from the seed. */
import type { Draw } from "./draw.js";
import type { Count, OperationKind, WorkloadSpec } from "./scenario.js";
import type { PlannedOperation } from "./run-result.js";

/** Keys that share a prefix share a slot, so that a range within one prefix is atomic. */
const keysPerPrefix = 3;
/** How many of a key's newest planned values a compare-and-set may expect. */
const expectedValuesMax = 4;

export class Workload {
  readonly #spec: WorkloadSpec;
  readonly #groups: number;
  readonly #keys: number;
  readonly #kinds: readonly OperationKind[];
  readonly #draws: readonly Draw[];
  readonly #ordinals: number[];
  readonly #planned = new Map<string, string[]>();

  /** `draws[c]` is the stream of client `c`, so that one client's choices move no other's. */
  constructor(spec: WorkloadSpec, groups: number, draws: readonly Draw[], options: Draw) {
    this.#spec = spec;
    this.#groups = groups;
    this.#keys = resolve(spec.keys, options);
    this.#kinds = weighted(spec.mix);
    this.#draws = draws;
    this.#ordinals = draws.map(() => 0);
  }

  next(client: number): PlannedOperation {
    const draw = this.#draws[client]!;
    const ordinal = this.#ordinals[client]!;
    this.#ordinals[client] = ordinal + 1;
    const kind = draw.pick(this.#kinds);
    const key = keyName(draw.integer(0, this.#keys - 1));
    const id = `${client}.${ordinal}`;
    const writes = kind === "put" || kind === "cas";
    const value = writes ? padded(id, resolve(this.#spec.valueBytes, draw)) : "";
    const expected = kind === "cas" ? this.#expected(key, draw) : null;
    if (writes) this.#remember(key, value);
    return {
      id,
      client,
      thinkUs: resolve(this.#spec.thinkUs, draw),
      group: groupOf(key, this.#groups),
      kind,
      key: kind === "range" ? prefixOf(key) : key,
      value,
      expected,
      read: this.#readFrom(draw),
    };
  }

  /** Every key there is, for the reads after healing. */
  keys(): readonly string[] {
    return Array.from({ length: this.#keys }, (_, n) => keyName(n));
  }

  #expected(key: string, draw: Draw): string | null {
    const values = this.#planned.get(key);
    if (values === undefined || draw.chance(200)) return null;
    return draw.pick(values);
  }

  #remember(key: string, value: string): void {
    const values = this.#planned.get(key);
    if (values === undefined) this.#planned.set(key, [value]);
    else if (values.push(value) > expectedValuesMax) values.shift();
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

/** All keys of one prefix live in one group. */
export function groupOf(key: string, groups: number): number {
  return Number(prefixOf(key).slice(1, -1)) % groups;
}

function keyName(n: number): string {
  return `p${Math.floor(n / keysPerPrefix)}/k${n}`;
}

/** Up to and including the first slash. */
function prefixOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1);
}

/** Unique for each operation, so that the checker can tell every write from every other. */
function padded(id: string, bytes: number): string {
  return id.padEnd(bytes, ".");
}

function weighted(mix: WorkloadSpec["mix"]): readonly OperationKind[] {
  const order: readonly OperationKind[] = ["get", "put", "delete", "cas", "range"];
  return order.flatMap((kind) => Array.from({ length: mix[kind] ?? 0 }, () => kind));
}
