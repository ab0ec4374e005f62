/** C_Encrypt, C_Decrypt, C_Sign, C_Verify and C_WrapKey. */
import type { Mechanism, TokenAnswer, TokenCall } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckm, cko, ckr } from "../../core/hsm/cryptoki/constants.js";
import { concat } from "../../core/hsm/der.js";
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
import type { TokenObject } from "./token.js";

type Crypt = TokenCall & { readonly fn: "encrypt" | "decrypt" | "sign" };
type KeyCall = Crypt | (TokenCall & { readonly fn: "verify" });

const sha256Bytes = 32;
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
  const key = keyFor(context, call);
  if (typeof key === "number") return refused(key);
  const { crypto, profile } = context;
  const { attributes } = key;
  if (call.data.length > (profile.dataBytesMax ?? Infinity)) return refused(ckr.dataLenRange);
  if (fn === "sign") {
    const fault = signedDataFault(mechanism, attributes, call.data.length);
    if (fault !== ckr.ok) return refused(fault);
    return told(crypto.sign(standardMechanism(mechanism), attributes, call.data, drawn(context)));
  }
  if (fn === "encrypt") {
    return told(
      sealed(context, mechanism, (by) => crypto.encrypt(by, attributes, call.data, drawn(context))),
    );
  }
  const { by, body } = opened(context, mechanism, call.data);
  return told(crypto.decrypt(by, attributes, body));
}

export function verify(
  context: ModuleContext,
  call: TokenCall & { readonly fn: "verify" },
): TokenAnswer<"verify"> {
  const { mechanism, data, signature } = call;
  const key = keyFor(context, call);
  if (typeof key === "number") return refused(key);
  const fault = signedDataFault(mechanism, key.attributes, data.length);
  if (fault !== ckr.ok) return refused(fault);
  const by = standardMechanism(mechanism);
  const rv = context.crypto.verify(by, key.attributes, data, signature);
  return rv === ckr.ok ? ok<"verify">(null) : refused(rv);
}

export function wrapKey(
  context: ModuleContext,
  call: TokenCall & { readonly fn: "wrapKey" },
): TokenAnswer {
  const { mechanism } = call;
  const kek = wrappingKey(context, mechanism, call.wrappingKey, "wrap", null);
  if (typeof kek === "number") return refused(kek);
  const key = context.objects.at(context.token, call.key);
  if (key === null) return refused(ckr.keyHandleInvalid);
  const bytes = bytesToWrap(context, kek, key);
  if (typeof bytes === "number") return refused(bytes);
  const random = drawn(context);
  return told(
    sealed(context, mechanism, (by) =>
      context.crypto.wrap(by, kek.attributes, paddedInSilence(context, by, bytes), random),
    ),
  );
}

/** The key that wraps or unwraps, or why not. `wrappedBytes`: how many are unwrapped; null: none are. */
export function wrappingKey(
  context: ModuleContext,
  mechanism: Mechanism,
  handle: string,
  use: "wrap" | "unwrap",
  wrappedBytes: number | null,
): TokenObject | number {
  const { profile, objects, token } = context;
  if (!serves(profile.vendor, use, mechanism.type)) return ckr.mechanismInvalid;
  const fault =
    parameterFault(profile, mechanism, use === "wrap") ||
    wrappedLengthFault(mechanism.type, wrappedBytes);
  if (fault !== ckr.ok) return fault;
  const kek = objects.at(token, handle);
  const isWrap = use === "wrap";
  if (kek === null) return isWrap ? ckr.wrappingKeyHandleInvalid : ckr.unwrappingKeyHandleInvalid;
  if (!fitsMechanism(kek.attributes, mechanism.type) || !isHalf(kek, isWrap)) {
    return isWrap ? ckr.wrappingKeyTypeInconsistent : ckr.unwrappingKeyTypeInconsistent;
  }
  return permissionFault(context, kek, mechanism.type, useAttribute[use]) || kek;
}

/** RFC 3394 and RFC 5649: told before there is a look at the key. */
function wrappedLengthFault(type: number, wrappedBytes: number | null): number {
  if (wrappedBytes === null || (type !== ckm.aesKeyWrap && type !== ckm.aesKeyWrapPad)) {
    return ckr.ok;
  }
  const least = type === ckm.aesKeyWrap ? 24 : 16;
  return wrappedBytes < least || wrappedBytes % 8 !== 0 ? ckr.wrappedKeyLenRange : ckr.ok;
}

/** Public keys wrap, private ones unwrap, secret ones do both. */
function isHalf({ attributes }: TokenObject, isWrap: boolean): boolean {
  const objectClass = numberOf(attributes, cka.class);
  return objectClass === cko.secretKey || (objectClass === cko.publicKey) === isWrap;
}

function keyFor(context: ModuleContext, call: KeyCall): TokenObject | number {
  const { mechanism, key: handle, fn: use } = call;
  const { profile, objects, token } = context;
  const key = objects.at(token, handle);
  if (key === null) {
    return profile.vendor === "softhsm" ? ckr.objectHandleInvalid : ckr.keyHandleInvalid;
  }
  const fault = permissionFault(context, key, mechanism.type, useAttribute[use]);
  if (fault !== ckr.ok) return fault;
  if (!serves(profile.vendor, use, mechanism.type)) return ckr.mechanismInvalid;
  if (!fitsMechanism(key.attributes, mechanism.type)) return unfitCode(context, call);
  if (isShort(context, key, mechanism.type)) return ckr.keySizeRange;
  return parameterFault(profile, mechanism, use === "encrypt") || key;
}

/** SoftHSM takes any key to sign and verify with, and fails later, at an empty one. */
function unfitCode({ profile }: ModuleContext, call: KeyCall): number {
  const takesAny = profile.vendor === "softhsm" && call.mechanism.type !== ckm.sha256Hmac;
  if (takesAny && call.fn === "sign") return ckr.generalError;
  if (!takesAny || call.fn !== "verify") return ckr.keyTypeInconsistent;
  return call.signature.length === 0 ? ckr.signatureInvalid : ckr.signatureLenRange;
}

/** SoftHSM wants HMAC keys to be as long as the digest. */
function isShort({ profile }: ModuleContext, { attributes }: TokenObject, type: number): boolean {
  if (profile.vendor !== "softhsm" || type !== ckm.sha256Hmac) return false;
  return (attributes.get(cka.value)?.length ?? 0) < sha256Bytes;
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
): Uint8Array | number {
  if (isSet(attributes, cka.private) && !loggedIn) return ckr.userNotLoggedIn;
  if (!isSet(attributes, cka.extractable)) return ckr.keyUnextractable;
  if (isSet(attributes, cka.wrapWithTrusted) && !isSet(kek.attributes, cka.trusted)) {
    return ckr.keyNotWrappable;
  }
  if (numberOf(attributes, cka.class) === cko.privateKey) {
    return crypto.privateBytes(attributes) ?? ckr.keyNotWrappable;
  }
  return attributes.get(cka.value) ?? ckr.keyNotWrappable;
}

/** SoftHSM 2.6.1 fills up to eight bytes with zeros before it wraps, and they come back. */
function paddedInSilence(
  { profile }: ModuleContext,
  { type }: Mechanism,
  bytes: Uint8Array,
): Uint8Array {
  const wraps = type === ckm.aesKeyWrapPad || type === ckm.aesKeyWrap;
  if (profile.vendor !== "softhsm" || !wraps) return bytes;
  return concat(bytes, new Uint8Array((8 - (bytes.length % 8)) % 8));
}

/** Where the IV is made inside, it stands in front. */
function sealed(
  { profile, token }: ModuleContext,
  mechanism: Mechanism,
  seal: (by: Mechanism) => CryptoAnswer,
): CryptoAnswer {
  const by = standardMechanism(mechanism);
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
  const by = standardMechanism(mechanism);
  const { parameter } = by;
  const inFront =
    parameter?.kind === "gcm" && parameter.iv === null && makesIv(profile, mechanism.type);
  if (!inFront) return { by, body: data };
  const iv = data.slice(0, gcmIvBytes);
  return { by: { type: by.type, parameter: { ...parameter, iv } }, body: data.slice(gcmIvBytes) };
}

function drawn({ token }: ModuleContext): (count: number) => Uint8Array {
  return (count) => token.random(count);
}

function told(answer: CryptoAnswer): TokenAnswer<"encrypt"> {
  return typeof answer === "number" ? refused(answer) : ok<"encrypt">(answer);
}
