/** C_GenerateKey, C_GenerateKeyPair, C_CreateObject and C_UnwrapKey: how objects come to be. */
import { equalBytes } from "../../core/bytes.js";
import type { Template, TokenAnswer, TokenCall } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, cko, ckr } from "../../core/hsm/cryptoki/constants.js";
import { attributeBytes, lastOf, numberIn, ulongBytes } from "./attribute-bytes.js";
import { type ModuleContext, ok, refused } from "./context.js";
import type { PairMaterial } from "./crypto.js";
import {
  type Draft,
  drafted,
  keep,
  keyDraft,
  loginFault,
  objectDraft,
  roomFault,
  withoutKind,
} from "./drafts.js";
import { serves } from "./mechanisms.js";
import { markForeign, markGenerated, setSecret } from "./object-rules.js";
import { opened, wrappingKey } from "./using.js";

type Call<Fn extends TokenCall["fn"]> = TokenCall & { readonly fn: Fn };

const aesBytes: readonly number[] = [16, 24, 32];
const genericBytesMax = 1 << 16;
const usualExponent: Uint8Array = Uint8Array.of(1, 0, 1);

export function generateKey(context: ModuleContext, call: Call<"generateKey">): TokenAnswer {
  const { mechanism, template, session } = call;
  const { profile, token } = context;
  if (!serves(profile.vendor, "generate", mechanism.type)) return refused(ckr.mechanismInvalid);
  const keyType = mechanism.type === ckm.aesKeyGen ? ckk.aes : ckk.genericSecret;
  const draft = keyDraft({ template, session, origin: "generate" }, cko.secretKey, keyType);
  if (typeof draft === "number") return refused(draft);
  const fault = loginFault(context, draft) || secretFault(keyType, template);
  if (fault !== ckr.ok) return refused(fault);
  const room = roomFault(context, [draft]);
  if (room !== ckr.ok) return refused(room);
  // An empty check value is a wish that there be none.
  const isUnchecked = template.some(({ type }) => type === cka.checkValue);
  const attributes = drafted(context, draft);
  if ("rv" in attributes) return refused(attributes.rv);
  attributes.set(cka.value, token.random(numberIn(template, cka.valueLen)!));
  setSecret(context, attributes);
  if (isUnchecked) attributes.set(cka.checkValue, new Uint8Array(0));
  markGenerated(attributes, mechanism.type);
  return ok<"generateKey">(keep(context, draft, attributes));
}

function secretFault(keyType: number, template: Template): number {
  for (const { type, value } of template) {
    const { length } = attributeBytes(value);
    const isWrong = type === cka.valueLen ? length !== ulongBytes : length > 0;
    if ((type === cka.valueLen || type === cka.checkValue) && isWrong) {
      return ckr.attributeValueInvalid;
    }
  }
  const length = numberIn(template, cka.valueLen) ?? 0;
  if (length === 0) return ckr.templateIncomplete;
  const fits = keyType === ckk.aes ? aesBytes.includes(length) : length <= genericBytesMax;
  return fits ? ckr.ok : ckr.attributeValueInvalid;
}

export function generateKeyPair(
  context: ModuleContext,
  call: Call<"generateKeyPair">,
): TokenAnswer {
  const { mechanism, publicTemplate, privateTemplate, session } = call;
  const { type } = mechanism;
  if (!serves(context.profile.vendor, "generatePair", type)) return refused(ckr.mechanismInvalid);
  const keyType = type === ckm.rsaPkcsKeyPairGen ? ckk.rsa : ckk.ec;
  const asked = { session, origin: "generate" } as const;
  const publicDraft = keyDraft({ ...asked, template: publicTemplate }, cko.publicKey, keyType);
  if (typeof publicDraft === "number") return refused(publicDraft);
  const privateDraft = keyDraft({ ...asked, template: privateTemplate }, cko.privateKey, keyType);
  if (typeof privateDraft === "number") return refused(privateDraft);
  const fault =
    loginFault(context, publicDraft) ||
    loginFault(context, privateDraft) ||
    sizeFault(keyType, publicTemplate) ||
    roomFault(context, [publicDraft, privateDraft]);
  if (fault !== ckr.ok) return refused(fault);
  const publicAttributes = drafted(context, publicDraft);
  if ("rv" in publicAttributes) return refused(publicAttributes.rv);
  const privateAttributes = drafted(context, privateDraft);
  if ("rv" in privateAttributes) return refused(privateAttributes.rv);
  const pair = pairOf(context, keyType, publicTemplate);
  if (typeof pair === "number") return refused(pair);
  const halves = [
    { draft: publicDraft, attributes: publicAttributes, material: pair.publicKey },
    { draft: privateDraft, attributes: privateAttributes, material: pair.privateKey },
  ].map(({ draft, attributes, material }) => {
    for (const [of, bytes] of material) if (attributes.has(of)) attributes.set(of, bytes);
    markGenerated(attributes, type);
    return keep(context, draft, attributes);
  });
  return ok<"generateKeyPair">({ publicKey: halves[0]!, privateKey: halves[1]! });
}

/** Whether it is said what pair is wanted. */
function sizeFault(keyType: number, template: Template): number {
  if (keyType === ckk.ec) {
    return lastValue(template, cka.ecParams) === undefined ? ckr.templateIncomplete : ckr.ok;
  }
  const said = template.filter(({ type }) => type === cka.modulusBits);
  if (said.some(({ value }) => attributeBytes(value).length !== ulongBytes)) {
    return ckr.attributeValueInvalid;
  }
  return (numberIn(template, cka.modulusBits) ?? 0) === 0 ? ckr.templateIncomplete : ckr.ok;
}

function pairOf(
  { crypto, token }: ModuleContext,
  keyType: number,
  template: Template,
): PairMaterial | number {
  const random = (count: number): Uint8Array => token.random(count);
  if (keyType === ckk.ec) {
    return crypto.ecPair(lastValue(template, cka.ecParams)!, random) ?? ckr.generalError;
  }
  const bits = numberIn(template, cka.modulusBits)!;
  const exponent = lastValue(template, cka.publicExponent) ?? usualExponent;
  const isUsual = equalBytes(exponent, usualExponent);
  // There are keys of the usual sizes alone, with the usual exponent.
  return (isUsual ? crypto.rsaPair(bits, random) : null) ?? ckr.generalError;
}

function lastValue(template: Template, wanted: number): Uint8Array | undefined {
  const said = template.findLast(({ type }) => type === wanted)?.value;
  return said === undefined ? undefined : attributeBytes(said);
}

export function createObject(context: ModuleContext, call: Call<"createObject">): TokenAnswer {
  const { template, session } = call;
  const draft = objectDraft({ template, session, origin: "create" });
  if (typeof draft === "number") return refused(draft);
  const fault = loginFault(context, draft) || roomFault(context, [draft]);
  if (fault !== ckr.ok) return refused(fault);
  const attributes = drafted(context, draft);
  if ("rv" in attributes) return refused(attributes.rv);
  markForeign(attributes);
  return ok<"createObject">(keep(context, draft, attributes));
}

export function unwrapKey(context: ModuleContext, call: Call<"unwrapKey">): TokenAnswer {
  const { mechanism, template, session, wrapped } = call;
  const { profile } = context;
  const kek = wrappingKey(context, mechanism, call.unwrappingKey, "unwrap", wrapped.length);
  if (typeof kek === "number") return refused(kek);
  const draft = objectDraft({ template, session, origin: "unwrap" });
  if (typeof draft === "number") return refused(draft);
  const isSecret = draft.objectClass === cko.secretKey;
  if (!isSecret && draft.objectClass !== cko.privateKey) return refused(ckr.attributeValueInvalid);
  const length = lastOf(template, cka.valueLen, ulongBytes);
  if (isSecret && length === undefined && profile.valueLenOnUnwrap === "required") {
    return refused(ckr.templateIncomplete);
  }
  const fault = loginFault(context, draft) || roomFault(context, [draft]);
  if (fault !== ckr.ok) return refused(fault);
  const { by, body } = opened(context, mechanism, wrapped);
  const bytes = context.crypto.unwrap(by, kek.attributes, body);
  if (typeof bytes === "number") {
    return refused(profile.vendor === "softhsm" ? ckr.generalError : bytes);
  }
  const attributes = drafted(context, { ...draft, template: withoutKind(template) });
  if ("rv" in attributes) return refused(attributes.rv);
  if (isSecret && length !== undefined && numberIn(template, cka.valueLen) !== bytes.length) {
    return refused(ckr.wrappedKeyLenRange);
  }
  const filled = fill(context, draft, attributes, bytes);
  return filled === ckr.ok ? ok<"unwrapKey">(keep(context, draft, attributes)) : refused(filled);
}

/** What was unwrapped becomes the key; it was outside, and never shows otherwise. */
function fill(
  context: ModuleContext,
  { objectClass, keyType }: Draft,
  attributes: Map<number, Uint8Array>,
  bytes: Uint8Array,
): number {
  const { crypto, profile } = context;
  markForeign(attributes);
  if (objectClass === cko.secretKey) {
    attributes.set(cka.value, bytes);
    // As SoftHSM has it: of what it unwraps it tells neither length nor check value.
    if (profile.vendor !== "softhsm") setSecret(context, attributes);
    return ckr.ok;
  }
  const material = crypto.privateKeyOf(keyType ?? 0, bytes);
  if (material === null) {
    return profile.vendor === "softhsm" ? ckr.functionFailed : ckr.wrappedKeyInvalid;
  }
  for (const [type, value] of material) if (attributes.has(type)) attributes.set(type, value);
  return ckr.ok;
}
