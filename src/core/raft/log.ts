/**
 * The log as a replica holds it in memory: the term of every position, and the entries themselves
 * from some position on. Older entries, committed and durable, are only on disk.
 */
import { shorten } from "../arrays.js";
import { assert } from "../assert.js";
import type { Entry } from "../entry.js";
import { RollingHash } from "../hash.js";

/**
 * 1. `terms[i]` is the term at `base + 1 + i`.
 * 2. `digests[i]` stands for the type, key epoch and payload of the entry there.
 * 3. `entries` are the newest ones; `evicted` older ones have left memory.
 * 4. `digests.length === terms.length` and `evicted + entries.length === terms.length`.
 */
export interface LogState {
  /** The position before the first: a snapshot covers it and all before. */
  base: number;
  baseTerm: number;
  terms: number[];
  digests: number[];
  evicted: number;
  entries: Entry[];
  /** What `entries` weigh. */
  cacheBytes: number;
}

/** What an entry weighs beyond its payload, in memory and in messages. */
export const entryOverheadBytes = 32;

export function emptyLog(base: number, baseTerm: number): LogState {
  return { base, baseTerm, terms: [], digests: [], evicted: 0, entries: [], cacheBytes: 0 };
}

export function lastIndex(log: LogState): number {
  return log.base + log.terms.length;
}

export function lastTerm(log: LogState): number {
  const count = log.terms.length;
  return count === 0 ? log.baseTerm : log.terms[count - 1]!;
}

/** The term at `at`, the base's own included; -1 outside. */
export function termAt(log: LogState, at: number): number {
  if (at === log.base) return log.baseTerm;
  const offset = at - log.base - 1;
  return offset >= 0 && offset < log.terms.length ? log.terms[offset]! : -1;
}

/** The first position whose entry is in memory. */
export function cachedFrom(log: LogState): number {
  return log.base + log.evicted + 1;
}

/** The entry at `at`, or undefined when it is not in memory. */
export function entryAt(log: LogState, at: number): Entry | undefined {
  return log.entries[at - cachedFrom(log)];
}

export function entryBytes(entry: Entry): number {
  return entry.payload.length + entryOverheadBytes;
}

export function pushEntry(log: LogState, entry: Entry): void {
  log.terms.push(entry.term);
  log.digests.push(digestOfEntry(entry));
  log.entries.push(entry);
  log.cacheBytes += entryBytes(entry);
}

/** Entries in memory from `from` to `to` (exclusive) up to `bytesMax`, but at least one. */
export function sliceOf(log: LogState, from: number, to: number, bytesMax: number): Entry[] {
  const first = from - cachedFrom(log);
  const count = to - from;
  const slice: Entry[] = [];
  let bytes = 0;
  for (let at = 0; at < count; at++) {
    const entry = log.entries[first + at]!;
    bytes += entryBytes(entry);
    if (at > 0 && bytes > bytesMax) break;
    slice.push(entry);
  }
  return slice;
}

/** Drops `from` and all after it, from memory too (a cache that kept them would serve them). */
export function truncateLog(log: LogState, from: number): void {
  const kept = from - log.base - 1;
  const keptInMemory = from - cachedFrom(log);
  assert(keptInMemory >= 0, "entries that left memory are committed and never cut", { from });
  for (let at = keptInMemory; at < log.entries.length; at++) {
    log.cacheBytes -= entryBytes(log.entries[at]!);
  }
  shorten(log.terms, kept);
  shorten(log.digests, kept);
  shorten(log.entries, keptInMemory);
}

/** Forgets positions up to `through`, which becomes the base. */
export function compactLog(log: LogState, through: number): void {
  const count = through - log.base;
  assert(count >= 0 && count <= log.terms.length, "a log is compacted within itself", { through });
  if (count === 0) return;
  log.baseTerm = log.terms[count - 1]!;
  log.base = through;
  const evicted = Math.min(count, log.evicted);
  dropEntries(log, count - evicted);
  log.evicted -= evicted;
  log.digests.splice(0, count);
  log.terms.splice(0, count);
}

/** Lets entries up to `through` leave memory, oldest first, until `bytesMax` would be met. */
export function evictLog(log: LogState, through: number, bytesMax: number): void {
  if (log.cacheBytes <= bytesMax) return;
  // A quarter more than needed, so that the arrays move once for many entries.
  const target = bytesMax - Math.floor(bytesMax / 4);
  const countMax = through - cachedFrom(log) + 1;
  let count = 0;
  let left = log.cacheBytes;
  for (; count < countMax && left > target; count++) {
    left -= entryBytes(log.entries[count]!);
  }
  dropEntries(log, count);
  log.evicted += count;
}

/** 32 bits over type, key epoch and payload of the entry at `at`; -1 outside the log. */
export function digestAt(log: LogState, at: number): number {
  return log.digests[at - log.base - 1] ?? -1;
}

function digestOfEntry(entry: Entry): number {
  const hash = new RollingHash();
  hash.word(entry.type);
  hash.word(entry.keyEpoch);
  hash.bytes(entry.payload);
  return hash.digest()[0];
}

function dropEntries(log: LogState, count: number): void {
  for (let at = 0; at < count; at++) log.cacheBytes -= entryBytes(log.entries[at]!);
  log.entries.splice(0, count);
}
