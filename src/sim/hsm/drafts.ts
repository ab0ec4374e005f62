/** Objects as they are asked for, before there is anything in them. */
import type { Handle, Template } from "../../core/hsm/cryptoki/calls.js";
import { cka, cko, ckr } from "../../core/hsm/cryptoki/constants.js";
import { attributeBytes, lastOf, numberIn } from "./attribute-bytes.js";
import { type AttributeRules, type Origin, neededToCreate, rulesOf } from "./attribute-rules.js";
import type { ModuleContext } from "./context.js";
import { applyTemplate, firstAttributes, matches, namesIn } from "./object-rules.js";

export interface Draft {
  readonly template: Template;
  readonly session: Handle;
  readonly origin: Origin;
  readonly objectClass: number;
  /** Null: no key. */
  readonly keyType: number | null;
  readonly isLasting: boolean;
  readonly isPrivate: boolean;
}

type Asked = Pick<Draft, "template" | "session" | "origin">;

/** A key whose class and type the mechanism decides. */
export function keyDraft(asked: Asked, objectClass: number, keyType: number): Draft | number {
  const { template } = asked;
  const saidClass = numberIn(template, cka.class) ?? objectClass;
  if (saidClass !== objectClass) return ckr.attributeValueInvalid;
  const saidType = numberIn(template, cka.keyType) ?? keyType;
  if (saidType !== keyType) return ckr.templateInconsistent;
  return withPlace({ ...asked, template: withoutKind(template) }, template, objectClass, keyType);
}

/** Anything that the template tells the kind of. */
export function objectDraft(asked: Asked): Draft | number {
  const { template } = asked;
  const objectClass = numberIn(template, cka.class);
  if (objectClass === undefined) return ckr.templateIncomplete;
  const isKey = objectClass >= cko.publicKey && objectClass <= cko.secretKey;
  const keyType = isKey ? numberIn(template, cka.keyType) : null;
  if (keyType === undefined || objectClass === cko.certificate) return ckr.templateIncomplete;
  return withPlace(asked, template, objectClass, keyType);
}

/** What C_GenerateKey and C_UnwrapKey say themselves, whatever the template has there. */
export function withoutKind(template: Template): Template {
  const kinds: readonly number[] = [cka.class, cka.token, cka.private, cka.keyType];
  return template.filter(({ type }) => !kinds.includes(type));
}

function withPlace(
  asked: Asked,
  template: Template,
  objectClass: number,
  keyType: number | null,
): Draft {
  const secret = lastOf(template, cka.private, 1);
  const isPrivate = secret === undefined ? objectClass !== cko.publicKey : secret[0] !== 0;
  const isLasting = lastOf(template, cka.token, 1)?.[0] === 1;
  return { ...asked, objectClass, keyType, isLasting, isPrivate };
}

export function loginFault({ loggedIn }: ModuleContext, { isPrivate }: Draft): number {
  return isPrivate && !loggedIn ? ckr.userNotLoggedIn : ckr.ok;
}

/** The attributes that the template makes, or why it is refused. */
export function drafted(
  context: ModuleContext,
  draft: Draft,
): Map<number, Uint8Array> | { readonly rv: number } {
  const { template, objectClass, keyType, origin } = draft;
  const rules = rulesOf(objectClass, keyType ?? 0);
  if (rules === null) return { rv: ckr.attributeValueInvalid };
  const attributes = firstAttributes(rules, objectClass, keyType);
  attributes.set(cka.token, attributeBytes(draft.isLasting));
  attributes.set(cka.private, attributeBytes(draft.isPrivate));
  const fault = applyTemplate(context, attributes, template, origin);
  const missing = neededToCreate(objectClass, keyType ?? 0).some(
    (type) => !template.some((said) => said.type === type),
  );
  const rv = fault === ckr.ok && origin === "create" && missing ? ckr.templateIncomplete : fault;
  if (rv === ckr.ok) return attributes;
  leaveBehind(context, draft, rules, attributes);
  return { rv };
}

/**
 * SoftHSM does not take away what it began to make: in the token an object of which nothing was said,
 * in a session one of which only the first was. Nobody is told its handle; searches find it.
 */
function leaveBehind(
  { profile, objects, token }: ModuleContext,
  { objectClass, keyType, isLasting, session }: Draft,
  rules: AttributeRules,
  attributes: Map<number, Uint8Array>,
): void {
  if (profile.vendor !== "softhsm") return;
  const left = isLasting ? firstAttributes(rules, objectClass, keyType) : attributes;
  // Only what a template says of a public key makes it one that everybody sees.
  if (isLasting) left.set(cka.private, attributeBytes(true));
  objects.leave(token, left, isLasting ? null : session);
}

/** No room, or a name that is taken. */
export function roomFault(context: ModuleContext, drafts: readonly Draft[]): number {
  const { token, profile } = context;
  const lasting = drafts.filter(({ isLasting }) => isLasting);
  if (token.objects.size + lasting.length > token.objectsMax) {
    return profile.vendor === "softhsm" ? ckr.functionFailed : ckr.deviceMemory;
  }
  if (!profile.uniqueLabels) return ckr.ok;
  const taken = lasting.some(({ template, objectClass }) =>
    namesIn([{ type: cka.class, value: objectClass }, ...template.filter(isNotClass)]).some(
      (name) => [...token.objects].some(({ attributes }) => matches(attributes, name)),
    ),
  );
  return taken ? ckr.attributeValueInvalid : ckr.ok;
}

function isNotClass({ type }: Template[number]): boolean {
  return type !== cka.class;
}

/** Kept, and named. */
export function keep(
  { objects, token }: ModuleContext,
  { isLasting, session }: Draft,
  attributes: Map<number, Uint8Array>,
): Handle {
  return objects.add(token, attributes, isLasting ? null : session);
}
