/** C_GetAttributeValue, C_SetAttributeValue and C_DestroyObject. */
import type { TokenAnswer, TokenCall } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckr } from "../../core/hsm/cryptoki/constants.js";
import { isSet } from "./attribute-bytes.js";
import { type ModuleContext, ok, refused } from "./context.js";
import { changeAttributes, readAttribute } from "./object-rules.js";
import type { TokenObject } from "./token.js";

/** One that is not shown refuses all: sooner what is secret than what is not there. */
export function readObject(
  context: ModuleContext,
  { object: handle, types }: TokenCall & { readonly fn: "attributes" },
): TokenAnswer<"attributes"> {
  const object = objectAt(context, handle);
  if (typeof object === "number") return refused(object);
  const values: Uint8Array[] = [];
  let rv: number = ckr.ok;
  for (const type of types) {
    const value = readAttribute(object.attributes, type);
    if (typeof value !== "number") values.push(value);
    else if (rv !== ckr.attributeSensitive) rv = value;
  }
  return rv === ckr.ok ? ok<"attributes">(values) : refused(rv);
}

export function changeObject(
  context: ModuleContext,
  { object: handle, template }: TokenCall & { readonly fn: "setAttributes" },
): TokenAnswer<"setAttributes"> {
  const object = objectAt(context, handle);
  if (typeof object === "number") return refused(object);
  const fault = changeAttributes(context, object.attributes, template);
  return fault === ckr.ok ? ok<"setAttributes">(null) : refused(fault);
}

export function destroyObject(
  context: ModuleContext,
  { object: handle }: TokenCall & { readonly fn: "destroyObject" },
): TokenAnswer<"destroyObject"> {
  const object = objectAt(context, handle);
  if (typeof object === "number") return refused(object);
  if (!isSet(object.attributes, cka.destroyable)) return refused(ckr.actionProhibited);
  context.objects.destroy(context.token, object);
  return ok<"destroyObject">(null);
}

function objectAt(
  { objects, token, loggedIn }: ModuleContext,
  handle: string,
): TokenObject | number {
  const object = objects.at(token, handle);
  if (object === null) return ckr.objectHandleInvalid;
  return isSet(object.attributes, cka.private) && !loggedIn ? ckr.userNotLoggedIn : object;
}
