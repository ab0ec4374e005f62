/** Wycheproof through the calls of a simulated token with real cryptography: every vector, no exception but three. */
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import type {
  Handle,
  Mechanism,
  Template,
  TokenCall,
  TokenValues,
} from "../../src/core/hsm/cryptoki/calls.js";
import { ckg, cka, ckk, ckm, cko, ckr } from "../../src/core/hsm/cryptoki/constants.js";
import { curveOfBits, sha256DigestInfo } from "../../src/core/hsm/der.js";
import { vendorProfile } from "../../src/core/hsm/profiles/index.js";
import { SimToken, tokenSlot } from "../../src/sim/hsm/module.js";
import { realCrypto } from "../../src/sim/hsm/real-crypto.js";
import { DurableToken } from "../../src/sim/hsm/token.js";
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

class Client {
  readonly #module: SimToken;
  readonly session: Handle;

  constructor() {
    const token = new DurableToken({ label: "t", serial: "s", pin: "1234", seed: [1, 2, 3, 4] });
    this.#module = new SimToken({
      token,
      profile: vendorProfile("generic"),
      crypto: realCrypto,
      pin: () => "1234",
      rejectedPins: new Set(),
    });
    this.value({ fn: "initialize" });
    this.session = this.value({ fn: "openSession", slot: tokenSlot });
    this.value({ fn: "login", session: this.session });
  }

  rv(call: TokenCall): number {
    return this.#module.call(0, call).rv;
  }

  /** Null: refused. */
  tried<C extends TokenCall>(call: C): TokenValues[C["fn"]] | null {
    return this.#module.call(0, call).value as TokenValues[C["fn"]] | null;
  }

  value<C extends TokenCall>(call: C): TokenValues[C["fn"]] {
    const { rv, value } = this.#module.call(0, call);
    if (rv !== 0) throw new Error(`${call.fn} gave ${rv}`);
    return value as TokenValues[C["fn"]];
  }

  import(objectClass: number, keyType: number, more: Template): Handle {
    const template = [
      { type: cka.class, value: objectClass },
      { type: cka.keyType, value: keyType },
      ...more,
    ];
    return this.value({ fn: "createObject", session: this.session, template });
  }
}

const bytesOf = (text: string | undefined): Uint8Array =>
  new Uint8Array(Buffer.from(text ?? "", "base64url"));

function privateRsa(client: Client, pkcs8: Uint8Array): Handle {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  const jwk = key.export({ format: "jwk" });
  return client.import(cko.privateKey, ckk.rsa, [
    { type: cka.modulus, value: bytesOf(jwk.n) },
    { type: cka.publicExponent, value: bytesOf(jwk.e) },
    { type: cka.privateExponent, value: bytesOf(jwk.d) },
    { type: cka.prime1, value: bytesOf(jwk.p) },
    { type: cka.prime2, value: bytesOf(jwk.q) },
    { type: cka.exponent1, value: bytesOf(jwk.dp) },
    { type: cka.exponent2, value: bytesOf(jwk.dq) },
    { type: cka.coefficient, value: bytesOf(jwk.qi) },
  ]);
}

function publicKey(client: Client, { publicKey: spki, spec }: Verifying): Handle {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const jwk = key.export({ format: "jwk" });
  if (spec.algorithm === "rsa") {
    return client.import(cko.publicKey, ckk.rsa, [
      { type: cka.modulus, value: bytesOf(jwk.n) },
      { type: cka.publicExponent, value: bytesOf(jwk.e) },
    ]);
  }
  const point = Uint8Array.of(4, ...bytesOf(jwk.x), ...bytesOf(jwk.y));
  return client.import(cko.publicKey, ckk.ec, [
    { type: cka.ecParams, value: curveOfBits(spec.bits)!.parameters },
    { type: cka.ecPoint, value: Uint8Array.of(4, point.length, ...point) },
  ]);
}

function mechanismOf({ mechanism, iv, associatedData, label }: Opening): Mechanism {
  switch (mechanism) {
    case "aes-gcm":
      return { type: ckm.aesGcm, parameter: { kind: "gcm", iv, associatedData, tagBits: 128 } };
    case "aes-kwp":
      return { type: ckm.aesKeyWrapKwp };
    case "aes-cbc-pad":
      return { type: ckm.aesCbcPad, parameter: { kind: "bytes", bytes: iv } };
    case "rsa-oaep-sha1":
    case "rsa-oaep-sha256": {
      const isSha1 = mechanism === "rsa-oaep-sha1";
      const hash = isSha1 ? ckm.sha1 : ckm.sha256;
      const mgf = isSha1 ? ckg.mgf1Sha1 : ckg.mgf1Sha256;
      return { type: ckm.rsaPkcsOaep, parameter: { kind: "oaep", hash, mgf, label } };
    }
  }
}

/** By C_Decrypt, and by C_UnwrapKey what cannot be decrypted. Null: refused. */
function opened(client: Client, each: Opening): Uint8Array | null {
  const { session } = client;
  const isRsa = each.spec.algorithm === "rsa";
  const key = isRsa
    ? privateRsa(client, each.key)
    : client.import(cko.secretKey, ckk.aes, [{ type: cka.value, value: each.key }]);
  const mechanism = mechanismOf(each);
  const { ciphertext: data } = each;
  if (each.mechanism !== "aes-kwp") {
    return client.tried({ fn: "decrypt", session, mechanism, key, data });
  }
  const template = [
    { type: cka.class, value: cko.secretKey },
    { type: cka.keyType, value: ckk.genericSecret },
    { type: cka.extractable, value: true },
  ];
  const call = { session, mechanism, unwrappingKey: key, wrapped: data, template } as const;
  const object = client.tried({ fn: "unwrapKey", ...call });
  if (object === null) return null;
  return client.value({ fn: "attributes", session, object, types: [cka.value] })[0]!;
}

function isValid(client: Client, each: Verifying): boolean {
  const digest = (name: string): Uint8Array =>
    new Uint8Array(createHash(name).update(each.message).digest());
  const pss = { kind: "pss", hash: ckm.sha256, mgf: ckg.mgf1Sha256, saltBytes: 32 } as const;
  const [mechanism, data]: [Mechanism, Uint8Array] =
    each.algorithm === "rsa-pkcs1-sha256"
      ? [{ type: ckm.rsaPkcs }, sha256DigestInfo(digest("sha256"))]
      : each.algorithm === "rsa-pss-sha256"
        ? [{ type: ckm.rsaPkcsPss, parameter: pss }, digest("sha256")]
        : [{ type: ckm.ecdsa }, digest(each.spec.bits === 256 ? "sha256" : "sha384")];
  const key = publicKey(client, each);
  const { session } = client;
  const { signature } = each;
  return client.rv({ fn: "verify", session, mechanism, key, data, signature }) === ckr.ok;
}

const expected: Readonly<Record<string, Omit<Tally, "refused">>> = {
  // OpenSSL takes no IV longer than 128 bytes.
  "aes-gcm": { valid: 226, invalid: 87, acceptable: 0, wrong: [268, 272, 276] },
  "aes-kwp": { valid: 77, invalid: 177, acceptable: 0, wrong: [] },
  "aes-cbc-pad": { valid: 72, invalid: 144, acceptable: 0, wrong: [] },
  "rsa-oaep-sha1": { valid: 17, invalid: 19, acceptable: 0, wrong: [] },
  "rsa-oaep-sha256": { valid: 18, invalid: 19, acceptable: 0, wrong: [] },
  "rsa-pkcs1-sha256": { valid: 9, invalid: 249, acceptable: 1, wrong: [] },
  "rsa-pss-sha256": { valid: 63, invalid: 45, acceptable: 0, wrong: [] },
  "ecdsa-p256-sha256": { valid: 173, invalid: 89, acceptable: 0, wrong: [] },
  "ecdsa-p384-sha384": { valid: 193, invalid: 87, acceptable: 0, wrong: [] },
};

describe.skipIf(wycheproof === null)("wycheproof: a simulated token with real cryptography", () => {
  test.each(openings)("$name", ({ name, cases }) => {
    const client = new Client();
    const tally = newTally();
    for (const each of cases(wycheproof!)) {
      const plaintext = opened(client, each);
      const isRight = plaintext !== null && Buffer.from(plaintext).equals(each.plaintext);
      count(tally, each, isRight ? "right" : "rejected");
      // A wrong result is no rejection.
      if (plaintext !== null && !isRight) tally.wrong.push(each.tcId);
    }
    expect(tally).toEqual({ ...expected[name], refused: {} });
  });

  test.each(verifyings)("$name", ({ name, cases }) => {
    const client = new Client();
    const tally = newTally();
    for (const each of cases(wycheproof!)) {
      count(tally, each, isValid(client, each) ? "right" : "rejected");
    }
    expect(tally).toEqual({ ...expected[name], refused: {} });
  });
});
