/** C_GenerateKey, C_GenerateKeyPair, C_CreateObject and C_UnwrapKey: how objects come to be. */
import { equalBytes } from "../../core/bytes.js";
import type {
  AttributeValue,
  Handle,
  Template,
  TokenAnswer,
  TokenCall,
} from "../../core/hsm/cryptoki/calls.js";
import { cka, ckk, ckm, cko, ckr } from "../../core/hsm/cryptoki/constants.js";
import { type ObjectAttributes, attributeBytes, attributesOf, valueIn } from "./attribute-bytes.js";
import { type ModuleContext, ok, refused } from "./context.js";
import type { PairMaterial } from "./crypto.js";
import { serves } from "./mechanisms.js";
import { type Origin, completed, matches, templateFault } from "./object-rules.js";
import { opened, wrappingKey } from "./using.js";

type Call<Fn extends TokenCall["fn"]> = TokenCall & { readonly fn: Fn };

const aesBytes: readonly number[] = [16, 24, 32];
const genericBytesMax = 4096;
const none: ObjectAttributes = new Map();
const usualExponent: Uint8Array = Uint8Array.of(1, 0, 1);

export function generateKey(context: ModuleContext, call: Call<"generateKey">): TokenAnswer {
  const { mechanism, template, session } = call;
  const { profile, token } = context;
  if (!serves(profile.vendor, "generate", mechanism.type)) return refused(ckr.mechanismInvalid);
  const keyType = mechanism.type === ckm.aesKeyGen ? ckk.aes : ckk.genericSecret;
  const draft = {
    template,
    session,
    objectClass: cko.secretKey,
    origin: "generate",
    keyType,
  } as const;
  const length = valueIn(template, cka.valueLen);
  const fault =
    kindFault(draft) ||
    loginFault(context, draft) ||
    lengthFault(keyType, length) ||
    draftFault(context, draft) ||
    roomFault(context, [template]);
  if (fault !== ckr.ok || typeof length !== "number") return refused(fault);
  const material = attributesOf([{ type: cka.value, value: token.random(length) }]);
  return ok<"generateKey">(keep(context, draft, material, mechanism.type));
}

function lengthFault(keyType: number, length: AttributeValue | undefined): number {
  if (typeof length !== "number" || length === 0) return ckr.templateIncomplete;
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
  const shared = { session, origin: "generate", keyType } as const;
  const publicDraft = { ...shared, template: publicTemplate, objectClass: cko.publicKey } as const;
  const privateDraft = {
    ...shared,
    template: privateTemplate,
    objectClass: cko.privateKey,
  } as const;
  const size = valueIn(publicTemplate, keyType === ckk.rsa ? cka.modulusBits : cka.ecParams);
  const fault =
    kindFault(publicDraft) ||
    kindFault(privateDraft) ||
    loginFault(context, publicDraft) ||
    loginFault(context, privateDraft) ||
    (size === undefined ? ckr.templateIncomplete : ckr.ok);
  if (fault !== ckr.ok) return refused(fault);
  const pair = pairOf(context, keyType, publicTemplate);
  if (typeof pair === "number") return refused(pair);
  const unfit =
    draftFault(context, publicDraft) ||
    draftFault(context, privateDraft) ||
    roomFault(context, [publicTemplate, privateTemplate]);
  if (unfit !== ckr.ok) return refused(unfit);
  const publicKey = keep(context, publicDraft, pair.publicKey, type);
  const privateKey = keep(context, privateDraft, pair.privateKey, type);
  return ok<"generateKeyPair">({ publicKey, privateKey });
}

function pairOf(
  { crypto, token }: ModuleContext,
  keyType: number,
  template: Template,
): PairMaterial | number {
  const random = (count: number): Uint8Array => token.random(count);
  if (keyType === ckk.ec) {
    const parameters = valueIn(template, cka.ecParams);
    if (!(parameters instanceof Uint8Array)) return ckr.templateIncomplete;
    return crypto.ecPair(parameters, random) ?? ckr.generalError;
  }
  const bits = valueIn(template, cka.modulusBits);
  if (typeof bits !== "number") return ckr.templateIncomplete;
  const exponent = valueIn(template, cka.publicExponent) ?? usualExponent;
  const isUsual = exponent instanceof Uint8Array && equalBytes(exponent, usualExponent);
  if (!isUsual || bits < 1024 || bits > 16_384) return ckr.attributeValueInvalid;
  return crypto.rsaPair(bits, random) ?? ckr.keySizeRange;
}

export function createObject(context: ModuleContext, call: Call<"createObject">): TokenAnswer {
  const { template, session } = call;
  const objectClass = valueIn(template, cka.class);
  if (typeof objectClass !== "number") return refused(ckr.templateIncomplete);
  const keyType = valueIn(template, cka.keyType);
  const isKey = objectClass !== cko.data;
  if (isKey && typeof keyType !== "number") return refused(ckr.templateIncomplete);
  const draft = {
    template,
    session,
    objectClass,
    origin: "create",
    keyType: typeof keyType === "number" ? keyType : null,
  } as const;
  const fault = loginFault(context, draft) || draftFault(context, draft);
  if (fault !== ckr.ok) return refused(fault);
  const missing = needed(objectClass, keyType).some(
    (type) => valueIn(template, type) === undefined,
  );
  if (missing) {
    leaveBehind(context, draft, template);
    return refused(ckr.templateIncomplete);
  }
  const room = roomFault(context, [template]);
  return room === ckr.ok ? ok<"createObject">(keep(context, draft, none, null)) : refused(room);
}

/** What makes a key that comes from outside. */
function needed(objectClass: number, keyType: unknown): readonly number[] {
  const isRsa = keyType === ckk.rsa;
  switch (objectClass) {
    case cko.secretKey:
      return [cka.value];
    case cko.publicKey:
      return isRsa ? [cka.modulus, cka.publicExponent] : [cka.ecParams, cka.ecPoint];
    case cko.privateKey:
      return isRsa ? [cka.modulus, cka.privateExponent] : [cka.ecParams, cka.value];
    default:
      return [];
  }
}

export function unwrapKey(context: ModuleContext, call: Call<"unwrapKey">): TokenAnswer {
  const { mechanism, template, session, wrapped } = call;
  const { profile, crypto } = context;
  const kek = wrappingKey(context, mechanism, call.unwrappingKey, "unwrap", wrapped.length);
  if (typeof kek === "number") return refused(kek);
  const objectClass = valueIn(template, cka.class);
  const keyType = valueIn(template, cka.keyType);
  if (typeof objectClass !== "number" || typeof keyType !== "number") {
    return refused(ckr.templateIncomplete);
  }
  if (objectClass !== cko.secretKey && objectClass !== cko.privateKey) {
    return refused(ckr.attributeValueInvalid);
  }
  const draft = { template, session, objectClass, origin: "unwrap", keyType } as const;
  const login = loginFault(context, draft);
  if (login !== ckr.ok) return refused(login);
  const length = valueIn(template, cka.valueLen);
  const isSecret = objectClass === cko.secretKey;
  if (isSecret && length === undefined && profile.valueLenOnUnwrap === "required") {
    return refused(ckr.templateIncomplete);
  }
  const { by, body } = opened(context, mechanism, wrapped);
  const bytes = crypto.unwrap(by, kek.attributes, body);
  if (typeof bytes === "number") return refused(bytes);
  const fault = draftFault(context, draft) || roomFault(context, [template]);
  if (fault !== ckr.ok) return refused(fault);
  if (isSecret && length !== undefined && length !== bytes.length) {
    return refused(ckr.wrappedKeyLenRange);
  }
  const material = isSecret
    ? new Map([[cka.value as number, bytes]])
    : crypto.privateKeyOf(keyType, bytes);
  if (material === null) return refused(ckr.wrappedKeyInvalid);
  return ok<"unwrapKey">(keep(context, draft, material, null));
}

/** An object as it is asked for. */
interface Draft {
  readonly template: Template;
  readonly session: Handle;
  readonly objectClass: number;
  readonly origin: Origin;
  /** Null: no key. */
  readonly keyType: number | null;
}

/** What is made is not what was said. */
function kindFault({ template, objectClass, keyType }: Draft): number {
  const saidClass = valueIn(template, cka.class) ?? objectClass;
  if (saidClass !== objectClass) return ckr.attributeValueInvalid;
  const saidType = valueIn(template, cka.keyType) ?? keyType;
  return saidType === keyType ? ckr.ok : ckr.templateInconsistent;
}

function loginFault({ loggedIn }: ModuleContext, { template, objectClass }: Draft): number {
  const isPrivate = valueIn(template, cka.private) ?? objectClass !== cko.publicKey;
  return isPrivate === true && !loggedIn ? ckr.userNotLoggedIn : ckr.ok;
}

function draftFault(context: ModuleContext, draft: Draft): number {
  const { profile } = context;
  const { template, objectClass, keyType, origin } = draft;
  if (keyType !== null && !fitsClass(keyType, objectClass)) return ckr.attributeValueInvalid;
  const { generateAttributes: few } = profile;
  if (origin === "generate" && few !== null && template.some(({ type }) => !few.includes(type))) {
    return ckr.templateInconsistent;
  }
  const lengthIsGiven = origin !== "unwrap" || profile.valueLenOnUnwrap !== "forbidden";
  const faultOf = (part: Template): number => templateFault(part, draft, lengthIsGiven);
  const at = template.findIndex((attribute) => faultOf([attribute]) !== ckr.ok);
  if (at < 0) return ckr.ok;
  leaveBehind(context, draft, template.slice(0, at));
  return faultOf(template);
}

/**
 * SoftHSM 2.6.1 makes the object first, then sets attribute by attribute, and takes nothing away when
 * one is refused: one of a session stays as far as it came, one of the token as it began.
 */
function leaveBehind(context: ModuleContext, draft: Draft, set: Template): void {
  if (context.profile.vendor !== "softhsm") return;
  const { template: asked, origin } = draft;
  // Where it makes the key itself it sets this first.
  const first = origin === "create" ? [] : asked.filter(({ type }) => type === cka.private);
  const template = isLasting(context, asked) ? [] : [...first, ...set];
  keepAs(context, draft, template, none, null);
}

function fitsClass(keyType: number, objectClass: number): boolean {
  const isSecret = keyType === ckk.aes || keyType === ckk.genericSecret;
  return isSecret === (objectClass === cko.secretKey);
}

/** No room, or a name that is taken. */
function roomFault(context: ModuleContext, templates: readonly Template[]): number {
  const { token, profile } = context;
  const lasting = templates.filter((template) => isLasting(context, template));
  if (token.objects.size + lasting.length > token.objectsMax) {
    return profile.vendor === "softhsm" ? ckr.functionFailed : ckr.deviceMemory;
  }
  const taken = profile.uniqueLabels && lasting.some((template) => isTaken(context, template));
  return taken ? ckr.attributeValueInvalid : ckr.ok;
}

function isTaken({ token }: ModuleContext, template: Template): boolean {
  const named = template.filter(({ type }) => type === cka.label || type === cka.id);
  const objectClass = template.filter(({ type }) => type === cka.class);
  return named.some((name) => {
    const wanted = attributesOf([...objectClass, name]);
    return [...token.objects].some(({ attributes }) => matches(attributes, wanted));
  });
}

/** Where templates cannot say so, everything lasts. */
function isLasting({ profile }: ModuleContext, template: Template): boolean {
  if (profile.generateAttributes !== null) return true;
  return valueIn(template, cka.token) === true;
}

function keep(
  context: ModuleContext,
  draft: Draft,
  material: ObjectAttributes,
  generatedBy: number | null,
): Handle {
  return keepAs(context, draft, draft.template, material, generatedBy);
}

/** `set`: what of the template is in the object. */
function keepAs(
  context: ModuleContext,
  { template, session, objectClass, keyType }: Draft,
  set: Template,
  material: ObjectAttributes,
  generatedBy: number | null,
): Handle {
  const typed = keyType === null ? [] : [[cka.keyType as number, attributeBytes(keyType)] as const];
  const attributes = completed(set, objectClass, new Map([...typed, ...material]), generatedBy);
  const owner = isLasting(context, template) ? null : session;
  return context.objects.add(context.token, attributes, owner);
}
