/** Who may delete keys: whoever was handed the capability when the store was made. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { AdminCapability } from "./key-store.js";

/** A new one, which no store knows before it is given it. */
export function newAdminCapability(): AdminCapability {
  return { secret: randomBytes(32).toString("base64url") };
}

/** SHA-256 of the secret: what a store keeps instead of it. */
export function adminDigestOf({ secret }: AdminCapability): Uint8Array {
  return new Uint8Array(createHash("sha256").update(secret, "utf8").digest());
}

/** `known` null: nobody may. */
export function isAdmin(secret: string, known: Uint8Array | null): boolean {
  return known !== null && timingSafeEqual(adminDigestOf({ secret }), known);
}
