/**
 * Wycheproof through `KeyStore`, policies and all. A vector may be refused only under the policy that it falls
 * under: P9, an AES key of fewer than 256 bits; P5, an IV that has not 96 bits; P7, CBC that nothing
 * authenticates; P16, OAEP with SHA-1 where it is not asked for. No blob has a label of OAEP: those vectors
 * cannot be asked at all, and are counted as that.
 */
import { createHash, createPublicKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blobHead, encodeBlob, encodeHead, ivBytesOf } from "../../src/core/hsm/blob.js";
import type { KeyReference, KeySpec, WrapMechanism } from "../../src/core/hsm/keys.js";
import { specProblem } from "../../src/real/keys/key-names.js";
import { keyStoreOf } from "../../src/real/keys/key-store-of.js";
import { KeyStoreError, type EnvelopeKeyStore } from "../../src/real/keys/key-store.js";
import {
  describeKey,
  keyOfMaterial,
  newKeyId,
  type HeldKey,
} from "../../src/real/keys/software/held-key.js";
import { gcmSeal } from "../../src/real/keys/software/primitives.js";
import type { KeyRing } from "../../src/real/keys/software/key-ring.js";
import { ringOf, SoftwareHsm } from "../../src/real/keys/software/software-hsm.js";
import { softwareHsm, type MadeHsm } from "./hsm-subjects.js";
import {
  count,
  newTally,
  openings,
  verifyings,
  wycheproof,
  type Opening,
  type Tally,
  type Verifying,
} from "./wycheproof.js";

type Outcome = Parameters<typeof count>[2];

interface Subject {
  readonly store: EnvelopeKeyStore;
  readonly ring: KeyRing;
}

/** By a check of the product's own: null, and why, where no such key is held. */
function imported(ring: KeyRing, spec: KeySpec, material: Uint8Array): HeldKey | Outcome {
  const problem = specProblem(spec);
  if (problem !== null) return problem.policy === null ? "rejected" : `policy ${problem.policy}`;
  const name = { label: "imported", version: 1 };
  const origin = { id: newKeyId(), name, spec, createdMs: 0, permanent: false, local: false };
  const key = keyOfMaterial(origin, material);
  if (key === null) return "rejected";
  ring.holdForSession(key);
  return key;
}

/** With a public half only: it verifies, and cannot sign. */
function importedPublic(ring: KeyRing, spec: KeySpec, spki: Uint8Array): HeldKey {
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const key: HeldKey = {
    reference: { label: "imported", version: 1, id: newKeyId(), spec, publicDigest: null },
    createdMs: 0,
    permanent: false,
    local: false,
    material: new Uint8Array(0),
    pair: { privateKey: publicKey, publicKey },
    publicKey: spki,
  };
  ring.holdForSession(key);
  return key;
}

async function outcomeOf(act: () => Promise<boolean>): Promise<Outcome | "wrong"> {
  try {
    return (await act()) ? "right" : "wrong";
  } catch (error) {
    const { code, policy } = error as KeyStoreError;
    if (!(error instanceof KeyStoreError)) throw error;
    if (code === "authenticationFailed") return "rejected";
    return code === "refusedByPolicy" ? `policy ${policy ?? ""}` : "wrong";
  }
}

async function open({ store, ring }: Subject, each: Opening): Promise<Outcome | "wrong"> {
  const key = imported(ring, each.spec, each.key);
  if (typeof key === "string") return key;
  const { reference } = describeKey(key);
  const blob = blobOf(reference, each);
  const outcome = await outcomeOf(async () => {
    const plaintext =
      each.mechanism === "aes-gcm"
        ? await store.decrypt(reference, blob, each.associatedData)
        : await store.unwrapToBytes(reference, blob);
    return Buffer.from(plaintext).equals(each.plaintext);
  });
  ring.dropFromSession(key);
  // The format of blobs has IVs of 96 bits alone: others are refused before anything is decrypted.
  const isShort = each.mechanism === "aes-gcm" && each.iv.length !== ivBytesOf("encrypt-aes-gcm");
  return isShort && outcome === "rejected" ? "policy P5" : outcome;
}

/**
 * The ciphertext of a vector in a blob. Of AES-GCM the tag covers the head of the blob instead of the
 * vector's associated data: it is made anew, and what the vector changed in its own tag is changed in it.
 */
function blobOf(key: KeyReference, each: Opening): Uint8Array {
  const isData = each.mechanism === "aes-gcm";
  const mechanism = isData
    ? "encrypt-aes-gcm"
    : each.mechanism === "aes-cbc-pad"
      ? "aes-cbc-pad-hmac"
      : each.mechanism;
  const associated = createHash("sha256").update(each.associatedData).digest();
  const head = blobHead(mechanism, isData ? "data" : "secret", key, associated);
  const { iv, ciphertext } = each;
  if (!isData || iv.length !== ivBytesOf(mechanism)) {
    return encodeBlob({ ...head, iv, body: ciphertext });
  }
  const genuine = gcmSeal(each.key, iv, each.associatedData, each.plaintext);
  const body = gcmSeal(each.key, iv, encodeHead(head), each.plaintext).map(
    (byte, at) => byte ^ genuine[at]! ^ (ciphertext[at] ?? 0),
  );
  return encodeBlob({ ...head, iv, body });
}

async function check({ store, ring }: Subject, each: Verifying): Promise<Outcome | "wrong"> {
  const key = importedPublic(ring, each.spec, each.publicKey);
  const { algorithm, message, signature } = each;
  const outcome = await outcomeOf(() =>
    store.verify(key.reference, algorithm, message, signature, "raw"),
  );
  ring.dropFromSession(key);
  // Here `false` is an answer, and the one that an invalid vector must have.
  return outcome === "wrong" ? "rejected" : outcome;
}

/** The policy that a vector falls under, told from the vector alone. */
function policyFor(each: Opening, wraps: readonly WrapMechanism[]): string | null {
  if (each.spec.algorithm === "aes" && each.spec.bits < 256) return "P9";
  if (each.mechanism === "aes-gcm" && each.iv.length !== 12) return "P5";
  if (each.mechanism === "aes-cbc-pad") return "P7";
  if (each.mechanism === "rsa-oaep-sha1" && !wraps.includes("rsa-oaep-sha1")) return "P16";
  return null;
}

type Tallied = Tally & { readonly notAsked: number };

async function openAll(
  subject: Subject,
  cases: readonly Opening[],
  wraps: readonly WrapMechanism[],
): Promise<Tallied> {
  const tally = newTally();
  let notAsked = 0;
  for (const each of cases) {
    if (each.label.length > 0) notAsked++;
    else add(tally, each, await open(subject, each), policyFor(each, wraps));
  }
  return { ...tally, notAsked };
}

async function verifyAll(subject: Subject, cases: readonly Verifying[]): Promise<Tally> {
  const tally = newTally();
  for (const each of cases) add(tally, each, await check(subject, each), null);
  return tally;
}

function add(
  tally: Tally,
  each: Opening | Verifying,
  outcome: Outcome | "wrong",
  policy: string | null,
): void {
  if (outcome === "wrong") tally.wrong.push(each.tcId);
  else count(tally, each, outcome, policy);
}

const strict: readonly WrapMechanism[] = ["aes-kwp", "rsa-oaep-sha256"];
const legacy: readonly WrapMechanism[] = [...strict, "rsa-oaep-sha1"];
const expectedOpenings: Readonly<Record<string, Omit<Tallied, "acceptable" | "wrong">>> = {
  "aes-gcm": { valid: 39, invalid: 27, refused: { P5: 39, P9: 211 }, notAsked: 0 },
  "aes-kwp": { valid: 25, invalid: 69, refused: { P9: 160 }, notAsked: 0 },
  "aes-cbc-pad": { valid: 0, invalid: 0, refused: { P7: 72, P9: 144 }, notAsked: 0 },
  "rsa-oaep-sha1": { valid: 10, invalid: 19, refused: {}, notAsked: 7 },
  "rsa-oaep-sha256": { valid: 10, invalid: 19, refused: {}, notAsked: 8 },
};
const expectedVerifyings: Readonly<Record<string, Omit<Tally, "wrong">>> = {
  "rsa-pkcs1-sha256": { valid: 9, invalid: 249, acceptable: 1, refused: {} },
  "rsa-pss-sha256": { valid: 63, invalid: 45, acceptable: 0, refused: {} },
  "ecdsa-p256-sha256": { valid: 173, invalid: 89, acceptable: 0, refused: {} },
  "ecdsa-p384-sha384": { valid: 193, invalid: 87, acceptable: 0, refused: {} },
};

async function subjectWith(wraps: readonly WrapMechanism[]): Promise<Subject & { made: MadeHsm }> {
  const made = await softwareHsm({ wraps });
  let hsm: SoftwareHsm;
  const store = keyStoreOf((events) => (hsm = made.connect(events) as SoftwareHsm));
  return { store, ring: ringOf(hsm!), made };
}

describe.skipIf(wycheproof === null)("wycheproof: through KeyStore", () => {
  let subject: Awaited<ReturnType<typeof subjectWith>>;
  beforeAll(async () => {
    subject = await subjectWith(legacy);
  });
  afterAll(async () => {
    await subject.store.close();
    subject.made.clean();
  });

  test.each(openings)("$name", async ({ name, cases }) => {
    const tally = await openAll(subject, cases(wycheproof!), legacy);
    expect(tally).toEqual({ ...expectedOpenings[name], acceptable: 0, wrong: [] });
  });

  test.each(verifyings)("$name", async ({ name, cases }) => {
    const tally = await verifyAll(subject, cases(wycheproof!));
    expect(tally).toEqual({ ...expectedVerifyings[name], wrong: [] });
  });

  test("OAEP with SHA-1 where it is not asked for: all refused under P16", async () => {
    const one = await subjectWith(strict);
    const cases = openings.find(({ name }) => name === "rsa-oaep-sha1")!.cases(wycheproof!);
    const tally = await openAll(one, cases, strict);
    const expected = { valid: 0, invalid: 0, acceptable: 0, refused: { P16: 29 }, notAsked: 7 };
    expect(tally).toEqual({ ...expected, wrong: [] });
    await one.store.close();
    one.made.clean();
  });

  describe("stores that are bad on purpose fail every family", () => {
    const policies = ["P5", "P7", "P9", "P16"];
    const bad = (answer: () => Promise<never>, says: Uint8Array | boolean | null): Subject => {
      const give = <T>(): Promise<T> => (says === null ? answer() : Promise.resolve(says as T));
      const store = {
        decrypt: give,
        unwrapToBytes: give,
        verify: give,
      } as Partial<EnvelopeKeyStore>;
      return { store: store as EnvelopeKeyStore, ring: subject.ring };
    };
    const refusing = (policy: string | null) => () =>
      Promise.reject(
        new KeyStoreError({
          code: policy === null ? "authenticationFailed" : "refusedByPolicy",
          rv: 0,
          policy,
          during: "all of it",
        }),
      );
    test.each([...policies.map((policy) => `refuses under ${policy}`), "rejects", "accepts"])(
      "one that %s everything",
      async (how) => {
        const policy = how.startsWith("refuses") ? how.split(" ").at(-1)! : null;
        for (const { name, cases } of openings) {
          // All of CBC is refused under P7, as it should be.
          if (name === "aes-cbc-pad" && policy === "P7") continue;
          const store = bad(refusing(policy), how === "accepts" ? new Uint8Array(32) : null);
          const { wrong } = await openAll(store, cases(wycheproof!), legacy);
          expect(wrong.length, name).toBeGreaterThan(0);
        }
        for (const { name, cases } of verifyings) {
          const store = bad(refusing(policy), how === "accepts" ? true : null);
          const { wrong } = await verifyAll(store, cases(wycheproof!));
          expect(wrong.length, name).toBeGreaterThan(0);
        }
      },
    );
  });
});
