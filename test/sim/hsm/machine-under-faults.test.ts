/** The machine gets over what goes wrong with its token, and nothing comes out wrong meanwhile. */
import { describe, expect, it } from "vitest";
import { ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { type RandomState, below, seededRandom } from "../../../src/core/random.js";
import type {
  TokenFaultEffect,
  TokenFaultKind,
  TokenFaultRule,
} from "../../../src/sim/hsm/faults.js";
import { tokenRig } from "./token-rig.js";

/** What the machine gets over by itself once it stops. */
const passing: readonly TokenFaultEffect[] = [
  { kind: "sessionsLost" },
  { kind: "loginLost" },
  { kind: "initLost", failures: 2 },
  { kind: "deviceError" },
  { kind: "tokenAway", forUs: 3_000_000, silent: false },
  { kind: "tokenAway", forUs: 3_000_000, silent: true },
  { kind: "tokenSwapped", forUs: 3_000_000 },
  { kind: "throttled" },
  { kind: "hang" },
  { kind: "slow", delayUs: 2_000_000 },
  { kind: "full" },
  { kind: "readOnly" },
  { kind: "keyHidden" },
  { kind: "handlesMoved" },
  { kind: "attributesIgnored" },
  { kind: "answerLost", rv: ckr.deviceError },
  { kind: "operationLeft" },
  { kind: "bytesCorrupted" },
];

describe("the machine under faults of the token", () => {
  it("answers everything, uses no wrong key, and serves again once they are over", () => {
    const effective = new Map<TokenFaultKind, number>();
    for (let seed = 1; seed <= 60; seed++) underFaults(seed, effective);
    for (const { kind } of passing) expect(effective.get(kind) ?? 0, kind).toBeGreaterThan(0);
  }, 60_000);
});

const forUs = 40_000_000;
const data = (n: number): Uint8Array => new Uint8Array(24).fill(n);

function underFaults(seed: number, effective: Map<TokenFaultKind, number>): void {
  const random = seededRandom([seed, 3, 1, 4]);
  const rules = drawRules(random);
  const { rig, faults, token } = tokenRig({
    seed,
    faults: rules,
    options: { verifyEachUse: true },
  });
  rig.value("done", { kind: "open" });
  const none = new Uint8Array(0);
  const spec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false } as const;
  const make = (label: string) =>
    ({ kind: "generate", name: { label, version: 1 }, spec, ifMissing: true }) as const;
  const keys = ["a", "b", "c"].map((label) => rig.value("key", make(label)).key.reference);
  const sealed = keys.map((key, at) =>
    rig.value("bytes", { kind: "encrypt", key, associatedData: none, bytes: data(at) }),
  );
  const opens = (at: number) =>
    ({
      kind: "decrypt",
      key: keys[at]!,
      associatedData: none,
      bytes: sealed[at]!.bytes,
    }) as const;
  rig.now = Math.max(rig.now, startUs);
  while (rig.now < startUs + forUs) {
    const at = below(random, keys.length);
    const answered = rig.ask(below(random, 4) === 0 ? make(`n${below(random, 9)}`) : opens(at));
    if (answered.ok && answered.value.kind === "bytes") {
      expect(answered.value.bytes, `seed ${seed}`).toEqual(data(at));
    }
    rig.run(below(random, 1_000_000));
  }
  faults.heal();
  rig.run(60_000_000);
  for (const at of keys.keys()) {
    expect(rig.ask(opens(at)), `seed ${seed}`).toEqual({
      ok: true,
      value: { kind: "bytes", bytes: data(at) },
    });
  }
  for (const [op, given] of rig.answers) expect(given, `seed ${seed}, op ${op}`).toHaveLength(1);
  expect(token.locked).toBe(false);
  for (const { id, effect } of rules) {
    const count = faults.counts.get(id)!.effective;
    effective.set(effect.kind, (effective.get(effect.kind) ?? 0) + count);
  }
}

/** Where they tell, and of what is rare. What alters a ciphertext on its way out nobody can notice. */
const rareCalls: Partial<Record<TokenFaultKind, TokenFaultRule["fn"]>> = {
  full: ["generateKey", "createObject"],
  readOnly: ["generateKey", "setAttributes"],
  attributesIgnored: "generateKey",
  bytesCorrupted: "generateRandom",
  keyHidden: "find",
};

/** The opening and the first keys are not what this is about. */
const startUs = 30_000_000;

function drawRules(random: RandomState): TokenFaultRule[] {
  return Array.from({ length: 4 }, (_, id) => {
    const effect = passing[below(random, passing.length)]!;
    const fromUs = startUs + below(random, forUs);
    const seldom = 20 + below(random, 100);
    const fn = rareCalls[effect.kind];
    const chance = fn === undefined ? seldom : 5 * seldom;
    return { id, chance, fromUs, toUs: fromUs + 10_000_000, effect, ...(fn && { fn }) };
  });
}
