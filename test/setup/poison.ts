/**
 * The third purity fence: in the tests of core, lab and simulator, every clock, every source of
 * chance and every way to run later throws. The machines get time, chance and wake-ups as data, so
 * nothing they do can reach these. vitest keeps its own references, taken before this file runs.
 *
 * It is an alarm and not a mechanism: nothing in src/ may rely on it.
 */
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import fc from "fast-check";
// seedrandom fills an entropy pool from Math.random when it is loaded, and never reads that pool
// again for a seeded generator; load it while it still can.
import "seedrandom";

/** Thrown by everything that this file replaces; `source` names what was reached for. */
export class PurityError extends Error {
  override readonly name = "PurityError";
  readonly source: string;

  constructor(source: string) {
    super(`${source} was used in code that must be a function of its inputs`);
    this.source = source;
  }
}

const timers = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "requestIdleCallback",
] as const;
const hostCrypto = ["getRandomValues", "randomUUID"] as const;
const nodeCrypto = [
  "randomBytes",
  "randomFillSync",
  "randomFill",
  "randomInt",
  "randomUUID",
] as const;

poison(Math, "random", "Math.random");
poison(performance, "now", "performance.now");
poison(process.hrtime, "bigint", "process.hrtime.bigint");
for (const name of timers) if (name in globalThis) poison(globalThis, name, name);
for (const name of hostCrypto) poison(globalThis.crypto, name, `crypto.${name}`);
for (const name of nodeCrypto) poison(crypto, name, `node:crypto ${name}`);
syncBuiltinESMExports();
globalThis.Date = poisonedDate(Date);

// Without a seed of its own fast-check would ask the clock for one.
fc.configureGlobal({ seed: 20_261_123 });

function poison(owner: object, property: string, source: string): void {
  const thrower = (): never => {
    throw new PurityError(source);
  };
  Object.defineProperty(owner, property, { value: thrower, configurable: true, writable: true });
}

/** Dates made from given numbers are harmless (diffs print them); asking for now is not. */
function poisonedDate(RealDate: DateConstructor): DateConstructor {
  const throwIfNow = (args: readonly unknown[]): void => {
    if (args.length === 0) throw new PurityError("new Date()");
  };
  const poisoned = new Proxy(RealDate, {
    apply: () => {
      throw new PurityError("Date()");
    },
    construct: (target, args, newTarget) => {
      throwIfNow(args);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  poison(poisoned, "now", "Date.now");
  return poisoned;
}
