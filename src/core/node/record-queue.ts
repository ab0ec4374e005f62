/** Records of a user's own machine that no batch has taken yet. */
import { type Token, noToken } from "../ids.js";
import { recordHeaderBytes } from "../wal/record.js";

/** Who hears what became of its records. */
export interface RecordWriter {
  persisted(token: Token): void;
  persistFailed(token: Token): void;
}

interface QueuedRecord {
  readonly token: Token;
  readonly record: Uint8Array;
}

export class RecordQueue {
  #queue: QueuedRecord[] = [];

  get size(): number {
    return this.#queue.length;
  }

  /** The oldest token that waits; 0 when none does. */
  get firstToken(): Token {
    return this.#queue[0]?.token ?? noToken;
  }

  add(token: Token, record: Uint8Array): void {
    this.#queue.push({ token, record });
  }

  /** The oldest records of at most so many bytes on disk. */
  take(bytesMax: number): readonly QueuedRecord[] {
    const queue = this.#queue;
    let bytes = 0;
    let count = 0;
    for (; count < queue.length; count++) {
      bytes += recordHeaderBytes + queue[count]!.record.length;
      if (bytes > bytesMax) break;
    }
    return queue.splice(0, count);
  }

  clear(): void {
    this.#queue = [];
  }
}
