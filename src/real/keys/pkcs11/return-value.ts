import { ckr } from "../../../core/hsm/cryptoki/constants.js";

const named = /\bCKR_[A-Z0-9_]+:(\d+)/;

/**
 * The CKR_ number of what pkcs11js threw. By number alone: names differ, codes it does not know all
 * get the name CKR_VENDOR_DEFINED, and some functions give no `code` but only text. Null: the module
 * was not asked; an argument had the wrong shape.
 */
export function returnValueOf(error: unknown): number | null {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === "number" && code !== ckr.ok) return code;
  const match = typeof message === "string" ? named.exec(message) : null;
  return match === null ? null : Number(match[1]);
}
