/** Unwrapping, by what the blob says it was wrapped with and nothing else. */
import { equalBytes } from "../bytes.js";
import type { HsmRequest, HsmValue, UnwrapTarget } from "../ports/hsm.js";
import { type Blob, decodeBlob, encodeHead, isUnder } from "./blob.js";
import { doubtfulRefusals, notAuthentic } from "./ciphertext.js";
import type { Handle, Mechanism, Template } from "./cryptoki/calls.js";
import { cka, ckm, cko } from "./cryptoki/constants.js";
import { concat } from "./der.js";
import { type Flow, ask, attempt, fail, refuse } from "./flow.js";
import { openSealed, opening } from "./gcm.js";
import { describeObject, findByLabel, locateKey, remember } from "./handles.js";
import { fitsPlan } from "./key-checks.js";
import { nameBytes } from "./key-names.js";
import { isMacOf, macBytes } from "./mac.js";
import { oaep } from "./oaep.js";
import { works, wrapsByEncrypting } from "./registry.js";
import { errorCodeOf } from "./returns.js";
import type { LocatedKey, Work } from "./state.js";
import { type KeyPlan, passingKeyTemplate, secretKeyTemplate } from "./templates.js";
import { demandNotGone } from "./tombstones.js";
import { lengthFits, mayWrap } from "./wrap.js";

const nothing = new Uint8Array(0);
type Unwrap = HsmRequest & { readonly kind: "unwrap" };

export function* unwrap(work: Work, { kek, blob: bytes, into }: Unwrap): Flow<HsmValue> {
  const { core, job } = work;
  if (!mayWrap(core, kek)) return yield* refuse("P11", "unwrap: not what the key is for");
  const located = yield* locateKey(work, kek);
  const blob = decodeBlob(bytes);
  const fits =
    blob !== null &&
    blob.content === "secret" &&
    equalBytes(blob.associated, core.options.digest("sha256", nothing)) &&
    isUnder(blob, kek) &&
    blob.mechanism.startsWith("rsa-") === (kek.spec.algorithm === "rsa");
  if (!fits) return yield* notAuthentic(work, "unwrap", 0);
  job.littered = true;
  switch (into.kind) {
    case "bytes":
      return { kind: "bytes", bytes: yield* unwrapToBytes(work, located, blob) };
    case "key":
      return yield* unwrapToKey(work, located, blob, into);
    default:
      return yield* fail("badInput", "unwrap: a data key is not for the machine");
  }
}

/** By C_Decrypt, or as an object of the session that may be read and lives no longer than this. */
function* unwrapToBytes(work: Work, kek: LocatedKey, blob: Blob): Flow<Uint8Array> {
  if (wrapsByEncrypting(work.core)) return yield* decryptBytes(work, kek, blob);
  if (works(work.core, "generate session key") !== true) {
    return yield* fail("unsupported", "unwrap: the token would keep what is read");
  }
  const way = yield* wayOf(work, kek, blob);
  const { valueLenOnUnwrap } = work.core.profile;
  const lengths = valueLenOnUnwrap === "required" ? lengthsIn(blob) : [null];
  let rv = 0;
  for (const length of lengths) {
    const size = length === null ? [] : [{ type: cka.valueLen, value: length }];
    const template = [...passingKeyTemplate(null), ...size];
    const unwrapped = yield* attempt("unwrapKey", { ...way, template }, doubtfulRefusals);
    if (unwrapped.value !== null) return yield* readValue(unwrapped.value);
    rv = unwrapped.rv;
  }
  return yield* notAuthentic(work, "unwrap", rv);
}

/** How long a secret in this body may be, where the token wants to be told. */
function lengthsIn({ mechanism, body }: Blob): readonly number[] {
  switch (mechanism) {
    case "aes-kwp":
      // Padded to the next eight bytes, with eight in front.
      return descending(body.length - 8, 8);
    case "aes-gcm":
      return [body.length - 16];
    case "aes-cbc-pad-hmac":
      return descending(body.length - macBytes - 1, 16);
    default:
      return [32, 16, 24];
  }
}

function descending(longest: number, count: number): readonly number[] {
  const lengths: number[] = [];
  for (let length = longest; length > longest - count && length > 0; length--) lengths.push(length);
  return lengths;
}

function* readValue(object: Handle): Flow<Uint8Array> {
  const [value] = yield* ask("attributes", { object, types: [cka.value] });
  yield* attempt("destroyObject", { object });
  return value ?? (yield* fail("failed", "unwrap: the value was not shown"));
}

function* decryptBytes(work: Work, kek: LocatedKey, blob: Blob): Flow<Uint8Array> {
  if (blob.mechanism === "rsa-oaep-sha256" || blob.mechanism === "rsa-oaep-sha1") {
    const call = { mechanism: oaep(blob.mechanism), key: kek.handle, data: blob.body };
    const opened = yield* attempt("decrypt", call, doubtfulRefusals);
    return opened.value ?? (yield* notAuthentic(work, "unwrap", opened.rv));
  }
  if (blob.mechanism !== "encrypt-aes-gcm") return yield* notAuthentic(work, "unwrap", 0);
  const opened = yield* openSealed(work, kek.handle, blob, encodeHead(blob), doubtfulRefusals);
  return opened.value ?? (yield* notAuthentic(work, "unwrap", opened.rv));
}

interface Way {
  readonly mechanism: Mechanism;
  readonly unwrappingKey: Handle;
  readonly wrapped: Uint8Array;
}

function* wayOf(work: Work, kek: LocatedKey, blob: Blob): Flow<Way> {
  const { core } = work;
  const unwrappingKey = kek.handle;
  switch (blob.mechanism) {
    case "aes-kwp": {
      const mechanism = { type: core.state.keyWrapPadMechanism };
      return { mechanism, unwrappingKey, wrapped: blob.body };
    }
    case "rsa-oaep-sha256":
    case "rsa-oaep-sha1":
      return { mechanism: oaep(blob.mechanism), unwrappingKey, wrapped: blob.body };
    case "aes-gcm": {
      const { mechanism, data } = opening(core, blob, encodeHead(blob));
      return { mechanism, unwrappingKey, wrapped: data };
    }
    case "aes-cbc-pad-hmac":
      return yield* wayOfCbc(work, kek, blob);
    default:
      return yield* notAuthentic(work, "unwrap", 0);
  }
}

/** The tag before anything else: what is not ours is never unpadded. */
function* wayOfCbc(work: Work, kek: LocatedKey, blob: Blob): Flow<Way> {
  const { iv, body } = blob;
  const ciphertext = body.slice(0, Math.max(0, body.length - macBytes));
  const data = concat(encodeHead(blob), iv, ciphertext);
  const tag = body.slice(ciphertext.length);
  const authentic = yield* isMacOf(work, kek.description.reference, data, tag);
  if (!authentic) return yield* notAuthentic(work, "unwrap", 0);
  const mechanism = { type: ckm.aesCbcPad, parameter: { kind: "bytes", bytes: iv } } as const;
  return { mechanism, unwrappingKey: kek.handle, wrapped: ciphertext };
}

/** A secret key of the session; the session is kept for it. */
function* unwrapToKey(
  work: Work,
  kek: LocatedKey,
  blob: Blob,
  { name, spec }: UnwrapTarget & { readonly kind: "key" },
): Flow<HsmValue> {
  const { core, job } = work;
  if (spec.algorithm !== "aes") return yield* fail("unsupported", "unwrap: secret keys alone");
  if (core.state.held.size >= core.limits.sessionKeysMax) return yield* fail("full", "unwrap");
  if (!lengthFits(blob.mechanism, blob.body, spec.bits / 8)) {
    return yield* fail("mismatch", "unwrap: a secret of another length");
  }
  yield* demandNotGone(work, name);
  const named = yield* findByLabel(cko.secretKey, nameBytes(name));
  if (named.length > 0) return yield* refuse("P19", "unwrap: the name is taken");
  const id = yield* ask("generateRandom", { lengthBytes: 16 });
  const plan: KeyPlan = {
    spec,
    label: nameBytes(name),
    id,
    token: false,
    wrapsByEncrypting: false,
  };
  const handle = wrapsByEncrypting(core)
    ? yield* importKey(work, kek, blob, plan)
    : yield* unwrapObject(work, kek, blob, plan);
  const fits = yield* fitsPlan(work, handle, plan);
  const key = fits ? yield* describeObject(work, cko.secretKey, handle) : null;
  if (key === null) {
    yield* attempt("destroyObject", { object: handle });
    return yield* fail("mismatch", "unwrap");
  }
  remember(core, key);
  job.holdFor = key.description.reference.id;
  return { kind: "key", key: key.description };
}

function* unwrapObject(work: Work, kek: LocatedKey, blob: Blob, plan: KeyPlan): Flow<Handle> {
  const way = yield* wayOf(work, kek, blob);
  const required = work.core.profile.valueLenOnUnwrap === "required";
  const size = { type: cka.valueLen, value: plan.spec.bits / 8 };
  const template: Template = [...secretKeyTemplate(plan), ...(required ? [size] : [])];
  const unwrapped = yield* attempt("unwrapKey", { ...way, template }, doubtfulRefusals);
  return unwrapped.value ?? (yield* notAuthentic(work, "unwrap", unwrapped.rv));
}

function* importKey(work: Work, kek: LocatedKey, blob: Blob, plan: KeyPlan): Flow<Handle> {
  if (works(work.core, "import secret") === false) {
    return yield* fail("unsupported", "unwrap: the token takes no keys in");
  }
  const value = yield* decryptBytes(work, kek, blob);
  if (8 * value.length !== plan.spec.bits) return yield* fail("mismatch", "unwrap");
  const template = [...secretKeyTemplate(plan), { type: cka.value, value }];
  const made = yield* attempt("createObject", { template });
  return made.value ?? (yield* fail(errorCodeOf(made.rv), "unwrap", made.rv));
}
