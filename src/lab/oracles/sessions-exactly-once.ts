import type { Operation } from "../operation.js";
import type { OracleSpec } from "../oracle.js";

/**
 * Thesis section 6.3: a command that was asked again takes effect once. Every value is written by
 * one operation only, so a value that comes back after another was read in its place, with nobody
 * writing it in between, was written twice.
 */
export const sessionsExactlyOnce: OracleSpec = {
  id: "sessions-exactly-once",
  about: "a retried command takes effect once (Raft thesis section 6.3)",
  judges: "step",
  make(report) {
    return {
      finished(operations) {
        const reads = operations
          .filter(({ planned, outcome }) => planned.kind === "get" && outcome === "ok")
          .sort((a, b) => a.invokedUs - b.invokedUs);
        const returned = cameBack(reads, operations);
        if (returned === null) return;
        report({
          message: `${returned.planned.key}: a value that had been replaced was read again by operation ${returned.planned.id}, so its write took effect twice`,
          shape: "a replaced value came back",
          node: 0,
          group: returned.planned.group,
        });
      },
    };
  },
};

interface KeyReads {
  /** The newest read of each value that had ended, by value. */
  readonly endedUs: Map<string, number>;
  /** Values that a later, strictly following read has shown to be replaced: since when. */
  readonly replacedUs: Map<string, number>;
}

/** The first read of a value that, by reads that did not overlap, was there, gone, and is back. */
function cameBack(reads: readonly Operation[], operations: readonly Operation[]): Operation | null {
  const writers = new Map(
    operations
      .filter(({ planned }) => planned.value !== "")
      .map((each) => [each.planned.value, each]),
  );
  const keys = new Map<string, KeyReads>();
  for (const read of reads) {
    const value = valueOf(read);
    let key = keys.get(read.planned.key);
    if (key === undefined) {
      keys.set(read.planned.key, (key = { endedUs: new Map(), replacedUs: new Map() }));
    }
    const goneUs = value === null ? undefined : key.replacedUs.get(value);
    if (value !== null && goneUs !== undefined && goneUs < read.invokedUs && writers.has(value)) {
      return read;
    }
    for (const [other, endedUs] of key.endedUs) {
      if (other !== value && endedUs < read.invokedUs && !key.replacedUs.has(other)) {
        key.replacedUs.set(other, read.completedUs);
      }
    }
    if (value !== null && !key.replacedUs.has(value)) {
      key.endedUs.set(value, Math.min(key.endedUs.get(value) ?? Infinity, read.completedUs));
    }
  }
  return null;
}

function valueOf({ result }: Operation): string | null {
  return result?.kind === "value" ? result.value : null;
}
