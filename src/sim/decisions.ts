/**
 * What came out unusual, by name. A run records the names; a replay by decisions gives every draw
 * that is not listed its usual outcome, and tells which listed ones matched nothing.
 *
 * A name is the draw's kind, its key, its bucket of world time and its ordinal there, so it means
 * the same draw after harmless changes of code. The value that goes with an unusual outcome (how
 * long a delay, which sectors) comes from the same key: the name alone brings it back.
 */
import { KeyedStream } from "./streams.js";

/** So many unusual draws are recorded at most; a run beyond it replays by its seed alone, and says so. */
const drawsMax = 1 << 20;

export interface ReplayDraws {
  /** Names of the draws that are to come out unusual; null: draw as the seed says. */
  readonly listed: readonly string[] | null;
}

export class Decisions {
  readonly #seed: number;
  readonly #listed: Set<string> | null;
  readonly #matched = new Set<string>();
  readonly #taken: string[] = [];
  #beyond = 0;

  constructor(seed: number, replay: ReplayDraws) {
    this.#seed = seed;
    this.#listed = replay.listed === null ? null : new Set(replay.listed);
  }

  gate(kind: string): Gate {
    return new Gate(kind, new KeyedStream(this.#seed, kind), this.#listed, (name) => {
      if (this.#listed !== null) this.#matched.add(name);
      if (this.#taken.length < drawsMax) this.#taken.push(name);
      else this.#beyond++;
    });
  }

  /** Unusual draws so far, in the order in which they happened. */
  get taken(): readonly string[] {
    return this.#taken;
  }

  /** Unusual draws beyond those that are recorded. */
  get beyond(): number {
    return this.#beyond;
  }

  /** Listed draws that no draw of the run answered to. */
  unmatched(): string[] {
    if (this.#listed === null) return [];
    return [...this.#listed].filter((name) => !this.#matched.has(name));
  }
}

/** Draws of one kind that have a usual and an unusual outcome. */
export class Gate {
  readonly #kind: string;
  readonly #stream: KeyedStream;
  readonly #listed: ReadonlySet<string> | null;
  readonly #take: (name: string) => void;
  #word = 0;

  constructor(
    kind: string,
    stream: KeyedStream,
    listed: ReadonlySet<string> | null,
    take: (name: string) => void,
  ) {
    this.#kind = kind;
    this.#stream = stream;
    this.#listed = listed;
    this.#take = take;
  }

  /** True when this draw comes out unusual, which it does `thousandths` times in 1,000. */
  unusual(thousandths: number, nowUs: number, k0: number, k1 = 0, k2 = 0): boolean {
    const word = this.#stream.word(nowUs, k0, k1, k2);
    this.#word = word;
    if (this.#listed === null) {
      if (word % 1_000 >= thousandths) return false;
      this.#take(this.#name(k0, k1, k2));
      return true;
    }
    const name = this.#name(k0, k1, k2);
    if (!this.#listed.has(name)) return false;
    this.#take(name);
    return true;
  }

  /** Further words of the last draw, for what goes with an unusual outcome. */
  word(n: number): number {
    return this.#stream.again(this.#word, n);
  }

  #name(k0: number, k1: number, k2: number): string {
    return `${this.#kind}:${k0}:${k1}:${k2}@${this.#stream.bucket}#${this.#stream.ordinal}`;
  }
}
