/** Requests: checked before anything is done, and tighter than any token would. */
import { assertNever } from "../assert.js";
import type { HsmErrorCode, HsmRequest, HsmValue } from "../ports/hsm.js";
import { deleteKey, isAdmin } from "./delete.js";
import { decrypt, encrypt } from "./encrypt.js";
import { findKeys } from "./find.js";
import type { Flow } from "./flow.js";
import { generate } from "./generate.js";
import { bytesOfHex } from "./hex.js";
import { isKeyName, isLabel } from "./key-names.js";
import type { KeyReference, KeySpec } from "./keys.js";
import { health } from "./prove.js";
import { sign, verify } from "./sign.js";
import type { HsmCore, Work } from "./state.js";
import { capabilities } from "./trials.js";
import { unwrap } from "./unwrap.js";
import { wrap } from "./wrap.js";

/** What a request does with the token. */
export function* serve(work: Work, request: HsmRequest): Flow<HsmValue> {
  switch (request.kind) {
    case "open":
      return { kind: "done" };
    case "generate":
      return yield* generate(work, request);
    case "find":
      return yield* findKeys(work, request.label ?? null);
    case "sign":
      return yield* sign(work, request);
    case "verify":
      return yield* verify(work, request);
    case "encrypt":
      return yield* encrypt(work, request);
    case "decrypt":
      return yield* decrypt(work, request);
    case "wrap":
      return yield* wrap(work, request);
    case "unwrap":
      return yield* unwrap(work, request);
    case "delete":
      return yield* deleteKey(work, request.key);
    case "capabilities":
      return yield* capabilities(work);
    case "health":
      return yield* health(work);
    default:
      return assertNever(request);
  }
}

export interface Refusal {
  readonly code: HsmErrorCode;
  readonly policy: string | null;
}

const badInput: Refusal = { code: "badInput", policy: null };

/** Null: the request may be served. */
export function refusalOf(core: HsmCore, request: HsmRequest): Refusal | null {
  const tooLong = (bytes: Uint8Array): boolean => bytes.length > core.limits.dataBytesMax;
  const unless = (sound: boolean): Refusal | null => (sound ? null : badInput);
  switch (request.kind) {
    case "generate":
      return isKeyName(request.name) ? specRefusal(request.spec) : badInput;
    case "find":
      return unless(request.label === undefined || isLabel(request.label));
    case "sign":
      return unless(isReference(request.key) && !tooLong(request.message));
    case "verify":
      return unless(
        isReference(request.key) && !tooLong(request.message) && !tooLong(request.signature),
      );
    case "encrypt":
    case "decrypt":
      return unless(
        isReference(request.key) && !tooLong(request.bytes) && !tooLong(request.associatedData),
      );
    case "wrap":
      return unless(isReference(request.kek) && isMaterial(core, request));
    case "unwrap":
      return isReference(request.kek) && !tooLong(request.blob) ? targetRefusal(request) : badInput;
    case "delete":
      if (!isReference(request.key)) return badInput;
      return isAdmin(core, request.admin) ? null : { code: "notAdmin", policy: null };
    default:
      return null;
  }
}

function isMaterial(core: HsmCore, { material }: HsmRequest & { readonly kind: "wrap" }): boolean {
  switch (material.kind) {
    case "key":
      return isReference(material.key);
    case "bytes":
      return material.bytes.length > 0 && material.bytes.length <= core.limits.dataBytesMax;
    default:
      return false;
  }
}

function targetRefusal({ into }: HsmRequest & { readonly kind: "unwrap" }): Refusal | null {
  switch (into.kind) {
    case "key":
      return isKeyName(into.name) ? specRefusal(into.spec) : badInput;
    case "bytes":
      return null;
    default:
      return badInput;
  }
}

function isReference(key: KeyReference): boolean {
  return isKeyName(key) && bytesOfHex(key.id)?.length === 16 && specRefusal(key.spec) === null;
}

function specRefusal({ algorithm, bits, purpose }: KeySpec): Refusal | null {
  switch (algorithm) {
    case "aes":
      return bits === 256 && purpose !== "sign" ? null : badInput;
    case "rsa":
      if (bits < 2048) return { code: "refusedByPolicy", policy: "P9" };
      return [2048, 3072, 4096].includes(bits) && purpose !== "encrypt" ? null : badInput;
    case "ec":
      return (bits === 256 || bits === 384) && purpose === "sign" ? null : badInput;
    default:
      return badInput;
  }
}
