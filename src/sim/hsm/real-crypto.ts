/**
 * The cryptography that tokens really have, made repeatable: IVs, seeds and salts come from the
 * token's generator, ECDSA follows RFC 6979, RSA keys are taken from a few that everybody knows.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Mechanism } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, ckr } from "../../core/hsm/cryptoki/constants.js";
import { type ObjectAttributes, numberOf } from "./attribute-bytes.js";
import type { CryptoAnswer, Random, TokenCrypto } from "./crypto.js";
import { aesDecrypt, aesEncrypt } from "./real-aes.js";
import { ecMaterialOfPkcs8, ecPair, ecPkcs8, ecSign, ecVerify } from "./real-ec.js";
import {
  rsaDecrypt,
  rsaEncrypt,
  rsaMaterial,
  rsaPair,
  rsaPkcs8,
  rsaSign,
  rsaVerify,
} from "./real-rsa.js";

export const realCrypto: TokenCrypto = {
  rsaPair,
  ecPair,
  encrypt,
  decrypt,
  sign(mechanism, key, data, random) {
    if (mechanism.type === ckm.sha256Hmac) return hmac(key, data);
    return mechanism.type === ckm.ecdsa ? ecSign(key, data) : rsaSign(mechanism, key, data, random);
  },
  verify(mechanism, key, data, signature) {
    if (mechanism.type === ckm.ecdsa) return ecVerify(key, data, signature);
    if (mechanism.type !== ckm.sha256Hmac) return rsaVerify(mechanism, key, data, signature);
    const right = hmac(key, data);
    if (right.length !== signature.length) return ckr.signatureLenRange;
    return timingSafeEqual(right, signature) ? ckr.ok : ckr.signatureInvalid;
  },
  wrap(mechanism, key, bytes, random) {
    const answer = encrypt(mechanism, key, bytes, random);
    return answer === ckr.dataLenRange && mechanism.type === ckm.aesCbc ? ckr.generalError : answer;
  },
  unwrap: decrypt,
  checkValue(isAes, secret) {
    const zeros = new Uint8Array(16);
    const block = isAes ? aesEncrypt({ type: ckm.aesEcb }, secret, zeros) : null;
    // SoftHSM hashes what is no key of AES, and shows nothing of one that has no length of AES.
    if (typeof block === "number") return new Uint8Array(0);
    return (block ?? new Uint8Array(createHash("sha1").update(secret).digest())).slice(0, 3);
  },
  privateBytes(key) {
    return numberOf(key, cka.keyType) === ckk.rsa ? rsaPkcs8(key) : ecPkcs8(key);
  },
  privateKeyOf(keyType, bytes) {
    const pair = keyType === ckk.rsa ? rsaMaterial(bytes) : ecMaterialOfPkcs8(bytes);
    return pair?.privateKey ?? null;
  },
};

function encrypt(
  mechanism: Mechanism,
  key: ObjectAttributes,
  data: Uint8Array,
  random: Random,
): CryptoAnswer {
  if (isRsa(mechanism)) return rsaEncrypt(mechanism, key, data, random);
  return aesEncrypt(mechanism, secretOf(key), data);
}

function decrypt(mechanism: Mechanism, key: ObjectAttributes, data: Uint8Array): CryptoAnswer {
  if (isRsa(mechanism)) return rsaDecrypt(mechanism, key, data);
  return aesDecrypt(mechanism, secretOf(key), data);
}

function isRsa({ type }: Mechanism): boolean {
  return type === ckm.rsaPkcs || type === ckm.rsaPkcsOaep;
}

function hmac(key: ObjectAttributes, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", secretOf(key)).update(data).digest());
}

function secretOf(key: ObjectAttributes): Uint8Array {
  return key.get(cka.value) ?? new Uint8Array(0);
}
