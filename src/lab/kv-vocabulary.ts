/** What clients ask of the key-value store: reads and writes of a few keys, so that they meet. */
import type { Draw } from "./draw.js";
import type { OperationKind, WorkloadSpec } from "./scenario.js";
import { type Asked, type NextOf, type Vocabulary, resolve } from "./workload.js";

/** Keys that share a prefix share a slot, so that a range within one prefix is atomic. */
const keysPerPrefix = 3;
/** They share a prefix, and so a slot. */
const hotKeysMax = 2;
/** How many of a key's newest planned values a compare-and-set may expect. */
const expectedValuesMax = 4;
const secretChars = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789".split("");

export class KvVocabulary implements Vocabulary {
  readonly #spec: WorkloadSpec;
  readonly #groups: number;
  readonly #keys: number;
  readonly #kinds: readonly OperationKind[];
  readonly #planned = new Map<string, string[]>();

  constructor(spec: WorkloadSpec, groups: number, options: Draw) {
    this.#spec = spec;
    this.#groups = groups;
    this.#keys = resolve(spec.keys, options);
    this.#kinds = weighted(spec.mix);
  }

  next(draw: Draw, { id }: NextOf): Asked {
    const kind = draw.pick(this.#kinds);
    const key = keyName(draw.integer(0, this.#keysOfNext(draw) - 1));
    const writes = kind === "put" || kind === "cas";
    const value = writes ? this.#value(id, draw) : "";
    const expected = kind === "cas" ? this.#expected(key, draw) : null;
    if (writes) this.#remember(key, value);
    const group = groupOf(key, this.#groups);
    return { group, kind, key: kind === "range" ? prefixOf(key) : key, value, expected };
  }

  lastReads(): readonly Asked[] {
    return Array.from({ length: this.#keys }, (_, n) => {
      const key = keyName(n);
      return { group: groupOf(key, this.#groups), kind: "get", key, value: "", expected: null };
    });
  }

  probes(group: number): readonly Asked[] {
    const of = { group, key: `probe${group}/last`, expected: null };
    return [
      { ...of, kind: "put", value: `probe-${group}` },
      { ...of, kind: "get", value: "" },
    ];
  }

  /** Unique for each operation, so that the checker can tell every write from every other. */
  #value(id: string, draw: Draw): string {
    const bytes = resolve(this.#spec.valueBytes, draw);
    if (this.#spec.secrets === undefined) return id.padEnd(bytes, ".");
    const left = Math.max(0, bytes - id.length);
    return id + Array.from({ length: left }, () => draw.pick(secretChars)).join("");
  }

  #keysOfNext(draw: Draw): number {
    const { hotKeys = 0 } = this.#spec;
    return hotKeys > 0 && draw.chance(hotKeys) ? Math.min(hotKeysMax, this.#keys) : this.#keys;
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
}

/** All keys of one prefix live in one group. */
function groupOf(key: string, groups: number): number {
  return Number(prefixOf(key).slice(1, -1)) % groups;
}

function keyName(n: number): string {
  return `p${Math.floor(n / keysPerPrefix)}/k${n}`;
}

/** Up to and including the first slash. */
function prefixOf(key: string): string {
  return key.slice(0, key.indexOf("/") + 1);
}

function weighted(mix: WorkloadSpec["mix"]): readonly OperationKind[] {
  const order: readonly OperationKind[] = ["get", "put", "delete", "cas", "range"];
  return order.flatMap((kind) => Array.from({ length: mix[kind] ?? 0 }, () => kind));
}
