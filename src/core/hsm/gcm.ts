/** AES-256-GCM: an IV of 96 bits that is never the caller's choice, a tag of 128. */
import type { Handle, Mechanism, TokenAnswer } from "./cryptoki/calls.js";
import { concat } from "./der.js";
import { type Flow, ask, attempt, suspect } from "./flow.js";
import type { HsmCore, Work } from "./state.js";

export const gcmIvBytes = 12;
export const gcmTagBytes = 16;

export interface Sealed {
  readonly iv: Uint8Array;
  /** Ciphertext and tag. */
  readonly body: Uint8Array;
}

export function gcmMechanism(
  core: HsmCore,
  iv: Uint8Array | null,
  associatedData: Uint8Array,
): Mechanism {
  const parameter = { kind: "gcm", iv, associatedData, tagBits: 8 * gcmTagBytes } as const;
  return { type: core.profile.gcmMechanism, parameter };
}

/** By a call that makes ciphertexts: C_Encrypt or C_WrapKey. */
export function* sealBy(
  { core }: Work,
  associatedData: Uint8Array,
  call: (mechanism: Mechanism) => Flow<TokenAnswer<"encrypt" | "wrapKey">>,
): Flow<Sealed | { readonly rv: number }> {
  const own = core.profile.gcmIv === "caller";
  const iv = own ? yield* ask("generateRandom", { lengthBytes: gcmIvBytes }) : null;
  if (iv !== null && iv.length !== gcmIvBytes) return yield* suspect("reinitialize", "no IV came");
  const sealed = yield* call(gcmMechanism(core, iv, associatedData));
  if (sealed.value === null) return { rv: sealed.rv };
  if (iv !== null) return { iv, body: sealed.value };
  if (sealed.value.length < gcmIvBytes) return yield* suspect("reinitialize", "no IV came");
  return { iv: sealed.value.slice(0, gcmIvBytes), body: sealed.value.slice(gcmIvBytes) };
}

export function* seal(
  work: Work,
  key: Handle,
  associatedData: Uint8Array,
  data: Uint8Array,
  also: readonly number[] = [],
): Flow<Sealed | { readonly rv: number }> {
  const sealed = yield* sealBy(work, associatedData, (mechanism) =>
    attempt("encrypt", { mechanism, key, data }, also),
  );
  if ("rv" in sealed) return sealed;
  return sealed.body.length === data.length + gcmTagBytes
    ? sealed
    : yield* suspect("reinitialize", "encrypt: an answer of the wrong length");
}

/** What a call takes that reads ciphertexts. */
export function opening(
  core: HsmCore,
  { iv, body }: Sealed,
  associatedData: Uint8Array,
): { readonly mechanism: Mechanism; readonly data: Uint8Array } {
  if (core.profile.gcmIv === "prepended") {
    return { mechanism: gcmMechanism(core, null, associatedData), data: concat(iv, body) };
  }
  return { mechanism: gcmMechanism(core, iv, associatedData), data: body };
}

export function* openSealed(
  { core }: Work,
  key: Handle,
  sealed: Sealed,
  associatedData: Uint8Array,
  also: readonly number[] = [],
): Flow<TokenAnswer<"decrypt">> {
  return yield* attempt("decrypt", { key, ...opening(core, sealed, associatedData) }, also);
}

/** In a time that does not depend on where they differ. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!;
  return difference === 0;
}
