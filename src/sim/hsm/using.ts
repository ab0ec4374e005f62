/** C_Encrypt, C_Decrypt, C_Sign, C_Verify and C_WrapKey. */
import type { Mechanism, TokenAnswer, TokenCall } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckm, cko, ckr } from "../../core/hsm/cryptoki/constants.js";
import { concat } from "../../core/hsm/der.js";
import type { VendorProfile } from "../../core/hsm/profile.js";
import { isSet, numberOf, numbersIn } from "./attribute-bytes.js";
import { type ModuleContext, ok, refused } from "./context.js";
import type { CryptoAnswer } from "./crypto.js";
import { serves, standardMechanism } from "./mechanisms.js";
import {
  fitsMechanism,
  gcmIvBytes,
  makesIv,
  parameterFault,
  signedDataFault,
} from "./parameters.js";
import {
  softhsmDecryptRv,
  softhsmFault,
  softhsmIv,
  softhsmPadded,
  softhsmWrapRv,
} from "./softhsm-order.js";
import type { TokenObject } from "./token.js";

type Crypt = TokenCall & { readonly fn: "encrypt" | "decrypt" | "sign" };

const useAttribute = {
  encrypt: cka.encrypt,
  decrypt: cka.decrypt,
  sign: cka.sign,
  verify: cka.verify,
  wrap: cka.wrap,
  unwrap: cka.unwrap,
} as const;

export function crypt(context: ModuleContext, call: Crypt): TokenAnswer {
  const { mechanism, fn } = call;
  const key = keyFor(context, call, fn);
  if (typeof key === "number") return refused(key);
  const { crypto, profile } = context;
  const { attributes } = key;
  if (call.data.length > (profile.dataBytesMax ?? Infinity)) return refused(ckr.dataLenRange);
  if (fn === "sign") {
    const fault = signedDataFault(mechanism, attributes, call.data.length);
    if (fault !== ckr.ok) return refused(isSoftHsm(profile) ? ckr.generalError : fault);
    const by = standardMechanism(mechanism);
    return told(unlessSoftHsm(profile, crypto.sign(by, attributes, call.data, drawn(context))));
  }
  if (fn === "encrypt") {
    const made = sealed(context, mechanism, (by) =>
      crypto.encrypt(by, attributes, call.data, drawn(context)),
    );
    const isRsa = numberOf(attributes, cka.class) === cko.publicKey;
    return told(isRsa ? unlessSoftHsm(profile, made) : made);
  }
  const { by, body } = opened(context, mechanism, call.data);
  const opening = crypto.decrypt(by, attributes, body);
  if (typeof opening !== "number" || !isSoftHsm(profile)) return told(opening);
  return refused(softhsmDecryptRv(mechanism, opening, call.data.length));
}

export function verify(
  context: ModuleContext,
  call: TokenCall & { readonly fn: "verify" },
): TokenAnswer<"verify"> {
  const { mechanism, data, signature } = call;
  const key = keyFor(context, call, "verify");
  if (typeof key === "number") {
    // A key of another kind has signatures of no bytes, and this is one of those.
    const isNone = key === ckr.signatureLenRange && signature.length === 0;
    return refused(isNone ? ckr.signatureInvalid : key);
  }
  const fault = signedDataFault(mechanism, key.attributes, data.length);
  const isLate = fault !== ckr.ok && isSoftHsm(context.profile);
  if (fault !== ckr.ok && !isLate) return refused(fault);
  if (isLate) {
    const fits = signature.length === key.attributes.get(cka.modulus)?.length;
    return refused(fits ? ckr.signatureInvalid : ckr.signatureLenRange);
  }
  const by = standardMechanism(mechanism);
  const rv = context.crypto.verify(by, key.attributes, data, signature);
  return rv === ckr.ok ? ok<"verify">(null) : refused(rv);
}

export function wrapKey(
  context: ModuleContext,
  call: TokenCall & { readonly fn: "wrapKey" },
): TokenAnswer {
  const { mechanism } = call;
  const kek = wrappingKey(context, mechanism, call.wrappingKey, "wrap");
  if (typeof kek === "number") return refused(kek);
  const key = context.objects.at(context.token, call.key);
  if (key === null) return refused(ckr.keyHandleInvalid);
  const bytes = bytesToWrap(context, kek, key, mechanism);
  if (typeof bytes === "number") return refused(bytes);
  if (bytes.length === 0) return refused(ckr.keyNotWrappable);
  const softhsm = isSoftHsm(context.profile);
  const made = sealed(context, mechanism, (by) => {
    const whole = softhsm ? softhsmPadded(bytes, by) : bytes;
    return context.crypto.wrap(by, kek.attributes, whole, drawn(context));
  });
  if (typeof made !== "number" || !softhsm) return told(made);
  return refused(softhsmWrapRv(kek.attributes, mechanism, made, bytes.length));
}

/** The key that wraps or unwraps, or why not. */
export function wrappingKey(
  context: ModuleContext,
  mechanism: Mechanism,
  handle: string,
  use: "wrap" | "unwrap",
  wrappedBytes: number | null = null,
): TokenObject | number {
  const { profile, objects, token } = context;
  if (!serves(profile.vendor, use, mechanism.type)) return ckr.mechanismInvalid;
  if (wrappedBytes !== null && !isWrappedLength(mechanism, wrappedBytes)) {
    return ckr.wrappedKeyLenRange;
  }
  const fault = parameterFault(profile, mechanism, use === "wrap");
  if (fault !== ckr.ok) return fault;
  const kek = objects.at(token, handle);
  const isWrap = use === "wrap";
  if (kek === null) return isWrap ? ckr.wrappingKeyHandleInvalid : ckr.unwrappingKeyHandleInvalid;
  if (!fitsMechanism(kek.attributes, mechanism.type) || !isHalf(kek, isWrap)) {
    return isWrap ? ckr.wrappingKeyTypeInconsistent : ckr.unwrappingKeyTypeInconsistent;
  }
  return permissionFault(context, kek, mechanism.type, useAttribute[use]) || kek;
}

/** RFC 3394 and RFC 5649: whole blocks of eight bytes, and a smallest number of them. */
function isWrappedLength(mechanism: Mechanism, lengthBytes: number): boolean {
  const { type } = standardMechanism(mechanism);
  if (type !== ckm.aesKeyWrap && type !== ckm.aesKeyWrapPad) return true;
  return lengthBytes % 8 === 0 && lengthBytes >= (type === ckm.aesKeyWrap ? 24 : 16);
}

function isSoftHsm({ vendor }: VendorProfile): boolean {
  return vendor === "softhsm";
}

/** Public keys wrap, private ones unwrap, secret ones do both. */
function isHalf({ attributes }: TokenObject, isWrap: boolean): boolean {
  const objectClass = numberOf(attributes, cka.class);
  return objectClass === cko.secretKey || (objectClass === cko.publicKey) === isWrap;
}

function keyFor(
  context: ModuleContext,
  { mechanism, key: handle }: Crypt | (TokenCall & { readonly fn: "verify" }),
  use: "encrypt" | "decrypt" | "sign" | "verify",
): TokenObject | number {
  const { profile, objects, token, loggedIn } = context;
  const key = objects.at(token, handle);
  if (key === null) return isSoftHsm(profile) ? ckr.objectHandleInvalid : ckr.keyHandleInvalid;
  if (isSoftHsm(profile)) {
    const { attributes } = key;
    if (isSet(attributes, cka.private) && !loggedIn) return ckr.userNotLoggedIn;
    return softhsmFault(profile, attributes, mechanism, use, useAttribute[use]) || key;
  }
  const fault = permissionFault(context, key, mechanism.type, useAttribute[use]);
  if (fault !== ckr.ok) return fault;
  if (!serves(profile.vendor, use, mechanism.type)) return ckr.mechanismInvalid;
  if (!fitsMechanism(key.attributes, mechanism.type)) return ckr.keyTypeInconsistent;
  return parameterFault(profile, mechanism, use === "encrypt") || key;
}

function permissionFault(
  { loggedIn }: ModuleContext,
  { attributes }: TokenObject,
  mechanism: number,
  attribute: number,
): number {
  if (isSet(attributes, cka.private) && !loggedIn) return ckr.userNotLoggedIn;
  if (!isSet(attributes, attribute)) return ckr.keyFunctionNotPermitted;
  const allowed = numbersIn(attributes.get(cka.allowedMechanisms) ?? new Uint8Array(0));
  return allowed.length === 0 || allowed.includes(mechanism) ? ckr.ok : ckr.mechanismInvalid;
}

function bytesToWrap(
  { crypto, loggedIn }: ModuleContext,
  kek: TokenObject,
  { attributes }: TokenObject,
  { type }: Mechanism,
): Uint8Array | number {
  if (isSet(attributes, cka.private) && !loggedIn) return ckr.userNotLoggedIn;
  if (!isSet(attributes, cka.extractable)) return ckr.keyUnextractable;
  if (isSet(attributes, cka.wrapWithTrusted) && !isSet(kek.attributes, cka.trusted)) {
    return ckr.keyNotWrappable;
  }
  if (numberOf(attributes, cka.class) === cko.privateKey) {
    // Secret keys alone (PKCS#11 v2.40, sections 2.1.6 and 2.1.8).
    if (type === ckm.rsaPkcs || type === ckm.rsaPkcsOaep) return ckr.keyNotWrappable;
    return crypto.privateBytes(attributes) ?? ckr.keyNotWrappable;
  }
  return attributes.get(cka.value) ?? ckr.keyNotWrappable;
}

/** Where the IV is made inside, it stands in front. */
function sealed(
  { profile, token }: ModuleContext,
  mechanism: Mechanism,
  seal: (by: Mechanism) => CryptoAnswer,
): CryptoAnswer {
  const by = withIvOf(profile, standardMechanism(mechanism));
  if (by.parameter?.kind !== "gcm" || !makesIv(profile, mechanism.type)) return seal(by);
  const iv = token.random(gcmIvBytes);
  const body = seal({ type: by.type, parameter: { ...by.parameter, iv } });
  return typeof body === "number" ? body : concat(iv, body);
}

/** The other way: where no IV was given, the data begins with it. */
export function opened(
  { profile }: ModuleContext,
  mechanism: Mechanism,
  data: Uint8Array,
): { readonly by: Mechanism; readonly body: Uint8Array } {
  const by = withIvOf(profile, standardMechanism(mechanism));
  const { parameter } = by;
  const inFront =
    parameter?.kind === "gcm" && parameter.iv === null && makesIv(profile, mechanism.type);
  if (!inFront) return { by, body: data };
  const iv = data.slice(0, gcmIvBytes);
  return { by: { type: by.type, parameter: { ...parameter, iv } }, body: data.slice(gcmIvBytes) };
}

function withIvOf(profile: VendorProfile, mechanism: Mechanism): Mechanism {
  const { type, parameter } = mechanism;
  if (!isSoftHsm(profile) || parameter?.kind !== "gcm" || parameter.iv === null) return mechanism;
  return { type, parameter: { ...parameter, iv: softhsmIv(parameter.iv) } };
}

/** SoftHSM has one answer for what its RSA refuses. */
function unlessSoftHsm(profile: VendorProfile, answer: CryptoAnswer): CryptoAnswer {
  return typeof answer === "number" && isSoftHsm(profile) ? ckr.generalError : answer;
}

function drawn({ token }: ModuleContext): (count: number) => Uint8Array {
  return (count) => token.random(count);
}

function told(answer: CryptoAnswer): TokenAnswer<"encrypt"> {
  return typeof answer === "number" ? refused(answer) : ok<"encrypt">(answer);
}
