/** What a run was, in one word that any two runs of the same seed share. */
import { getU32 } from "../core/bytes.js";
import { RollingHash } from "../core/hash.js";
import type { NodeId } from "../core/ids.js";
import type { PersistRecord } from "../core/node/observer.js";

export class RunDigest {
  readonly hash: RollingHash = new RollingHash();
  readonly #kinds = new Map<string, number>();

  step(node: NodeId, kind: string, word: number, nowUs: number): void {
    const { hash } = this;
    hash.word((this.#kindNumber(kind) << 8) | node);
    hash.word(word);
    hash.word(nowUs);
  }

  /** A frame enters by its checksum, which ends it. */
  frame(node: NodeId, to: NodeId, frame: Uint8Array): void {
    this.hash.word((103 << 16) | (node << 8) | to);
    this.hash.word(frame.length >= 4 ? getU32(frame, frame.length - 4) : 0);
  }

  fold(kind: number, node: number, a: number, b: number): void {
    this.hash.word((kind << 8) | node);
    this.hash.word(a);
    this.hash.word(b);
  }

  persist(persist: PersistRecord): void {
    const { group, token, hardState, truncateFrom, entries, installed } = persist;
    const { hash } = this;
    hash.word(group);
    hash.word(token);
    hash.word(hardState === null ? -1 : hardState.term ^ (hardState.vote << 20));
    hash.word(hardState?.commit ?? 0);
    hash.word(truncateFrom ^ (entries.length << 16));
    if (installed !== null) {
      hash.word(installed.index);
      hash.word(installed.term);
      hash.word(installed.checksum);
    }
    for (const { term, index, type, keyEpoch, payload } of entries) {
      hash.word(term);
      hash.word(index);
      hash.word(type | (keyEpoch << 8));
      hash.bytes(payload);
    }
  }

  #kindNumber(kind: string): number {
    let number = this.#kinds.get(kind);
    if (number === undefined) this.#kinds.set(kind, (number = this.#kinds.size));
    return number;
  }
}
