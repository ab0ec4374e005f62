/** The vectors of Wycheproof, as cases: what is asked, what must come of it, and which policy may refuse. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KeySpec, SignatureAlgorithm } from "../../src/core/hsm/keys.js";
import { sharedData } from "./shared-data.js";

export type Verdict = "valid" | "invalid" | "acceptable";

interface Tested {
  readonly tcId: number;
  readonly result: Verdict;
}

export interface Opening extends Tested {
  readonly mechanism: "aes-gcm" | "aes-kwp" | "aes-cbc-pad" | "rsa-oaep-sha1" | "rsa-oaep-sha256";
  readonly spec: KeySpec;
  /** AES: the key; RSA: PKCS#8. */
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly associatedData: Uint8Array;
  /** Of OAEP. */
  readonly label: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface Verifying extends Tested {
  readonly algorithm: SignatureAlgorithm;
  readonly spec: KeySpec;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Family<Case> {
  readonly name: string;
  readonly file: string;
  readonly cases: (directory: string) => readonly Case[];
}

type Fields = Readonly<Record<string, string | number | undefined>>;
type Group = Fields & { readonly tests: readonly (Fields & Tested)[] };

export const wycheproof: string | null = sharedData("wycheproof");

const hex = (text: string | number | undefined): Uint8Array =>
  new Uint8Array(Buffer.from(String(text ?? ""), "hex"));

function casesOf<Case>(
  file: string,
  toCase: (test: Fields & Tested, group: Group) => Case,
): Family<Case>["cases"] {
  return (directory) => {
    const text = readFileSync(join(directory, file), "utf8");
    const { testGroups } = JSON.parse(text) as { testGroups: readonly Group[] };
    return testGroups.flatMap((group) => group.tests.map((test) => toCase(test, group)));
  };
}

const nothing = new Uint8Array(0);
const rsa = (purpose: "sign" | "wrap"): KeySpec => ({
  algorithm: "rsa",
  bits: 2048,
  purpose,
  exportable: false,
});
const ec = (bits: number): KeySpec => ({
  algorithm: "ec",
  bits,
  purpose: "sign",
  exportable: false,
});

function aes(
  name: string,
  file: string,
  mechanism: "aes-gcm" | "aes-kwp" | "aes-cbc-pad",
): Family<Opening> {
  const purpose = mechanism === "aes-gcm" ? "encrypt" : "wrap";
  const cases = casesOf(file, ({ tcId, result, key, iv, aad, ct, tag, msg }, { keySize }) => ({
    tcId,
    result,
    mechanism,
    spec: { algorithm: "aes" as const, bits: Number(keySize), purpose, exportable: false } as const,
    key: hex(key),
    iv: hex(iv),
    associatedData: hex(aad),
    label: nothing,
    ciphertext: new Uint8Array([...hex(ct), ...hex(tag)]),
    plaintext: hex(msg),
  }));
  return { name, file, cases };
}

function oaep(mechanism: "rsa-oaep-sha1" | "rsa-oaep-sha256", file: string): Family<Opening> {
  const cases = casesOf(file, ({ tcId, result, ct, msg, label }, { privateKeyPkcs8 }) => ({
    tcId,
    result,
    mechanism,
    spec: rsa("wrap"),
    key: hex(privateKeyPkcs8),
    iv: nothing,
    associatedData: nothing,
    label: hex(label),
    ciphertext: hex(ct),
    plaintext: hex(msg),
  }));
  return { name: mechanism, file, cases };
}

function signatures(algorithm: SignatureAlgorithm, spec: KeySpec, file: string): Family<Verifying> {
  const cases = casesOf(file, ({ tcId, result, msg, sig }, { publicKeyDer }) => ({
    tcId,
    result,
    algorithm,
    spec,
    publicKey: hex(publicKeyDer),
    message: hex(msg),
    signature: hex(sig),
  }));
  return { name: algorithm, file, cases };
}

export const openings: readonly Family<Opening>[] = [
  aes("aes-gcm", "aes_gcm_test.json", "aes-gcm"),
  aes("aes-kwp", "aes_kwp_test.json", "aes-kwp"),
  aes("aes-cbc-pad", "aes_cbc_pkcs5_test.json", "aes-cbc-pad"),
  oaep("rsa-oaep-sha1", "rsa_oaep_2048_sha1_mgf1sha1_test.json"),
  oaep("rsa-oaep-sha256", "rsa_oaep_2048_sha256_mgf1sha256_test.json"),
];

export const verifyings: readonly Family<Verifying>[] = [
  signatures("rsa-pkcs1-sha256", rsa("sign"), "rsa_signature_2048_sha256_test.json"),
  signatures("rsa-pss-sha256", rsa("sign"), "rsa_pss_2048_sha256_mgf1_32_test.json"),
  signatures("ecdsa-p256-sha256", ec(256), "ecdsa_secp256r1_sha256_p1363_test.json"),
  signatures("ecdsa-p384-sha384", ec(384), "ecdsa_secp384r1_sha384_p1363_test.json"),
];

/** What came of all cases of a family. Valid and invalid ones are counted apart. */
export interface Tally {
  valid: number;
  invalid: number;
  /** Either way is right. */
  acceptable: number;
  /** Refused under a policy that the case falls under, by the policy. */
  readonly refused: Record<string, number>;
  /** By tcId. */
  readonly wrong: number[];
}

export function newTally(): Tally {
  return { valid: 0, invalid: 0, acceptable: 0, refused: {}, wrong: [] };
}

/**
 * `outcome`: taken for genuine with the right result, not taken, or the policy under which it was refused.
 * `policy`: the one that the case falls under; then, and only then, it must be refused under it.
 */
export function count(
  tally: Tally,
  { tcId, result }: Tested,
  outcome: "right" | "rejected" | `policy ${string}`,
  policy: string | null = null,
): void {
  if (policy !== null) {
    if (outcome === `policy ${policy}`) tally.refused[policy] = (tally.refused[policy] ?? 0) + 1;
    else tally.wrong.push(tcId);
  } else if (result === "acceptable" && !outcome.startsWith("policy")) tally.acceptable++;
  else if (result === "valid" && outcome === "right") tally.valid++;
  else if (result === "invalid" && outcome === "rejected") tally.invalid++;
  else tally.wrong.push(tcId);
}
