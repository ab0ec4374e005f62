/** Wrapping, by the best mechanism that the token was seen to do. */
import type { HsmRequest, HsmValue, KeyMaterial } from "../ports/hsm.js";
import { type BlobHead, blobHead, encodeBlob, encodeHead } from "./blob.js";
import type { Handle, TokenAnswer } from "./cryptoki/calls.js";
import { ckm, ckr } from "./cryptoki/constants.js";
import { concat } from "./der.js";
import { type Flow, ask, attempt, fail, refuse } from "./flow.js";
import { type Sealed, gcmTagBytes, seal, sealBy } from "./gcm.js";
import { locateKey } from "./handles.js";
import type { KeyReference, WrapMechanism } from "./keys.js";
import { macBytes, macOf } from "./mac.js";
import { oaep, oaepBytesMax } from "./oaep.js";
import { record, works, wrapsByEncrypting, wrapsFor } from "./registry.js";
import { errorCodeOf } from "./returns.js";
import type { HsmCore, LocatedKey, Work } from "./state.js";
import { passingKeyTemplate } from "./templates.js";
import { tryRsa } from "./trials.js";

type Wrapped = Sealed | { readonly rv: number };
const nothing = new Uint8Array(0);

export function* wrap(
  work: Work,
  { kek, material }: HsmRequest & { readonly kind: "wrap" },
): Flow<HsmValue> {
  const { core } = work;
  if (!mayWrap(core, kek)) return yield* refuse("P11", "wrap: not what the key is for");
  if (kek.spec.algorithm === "rsa") yield* tryRsa(work);
  const located = yield* locateKey(work, kek);
  const associated = core.options.digest("sha256", nothing);
  const lengthBytes = yield* lengthOf(material);
  let rv = 0;
  for (const mechanism of wrapsFor(core, kek.spec.algorithm)) {
    if (!canCarry(core, mechanism, material, lengthBytes, kek)) continue;
    const head = blobHead(mechanism, "secret", kek, associated);
    const wrapped = yield* wrapBy(work, located, head, material);
    if (!("rv" in wrapped)) {
      if (!lengthFits(mechanism, wrapped.body, lengthBytes)) {
        return yield* fail("failed", "wrap: an answer of the wrong length");
      }
      return { kind: "bytes", bytes: encodeBlob({ ...head, ...wrapped }) };
    }
    rv = wrapped.rv;
    if (!isUnsupported(rv)) return yield* fail(errorCodeOf(rv), "wrap", rv);
    // It was not tried before, or the token has changed its mind.
    record(core, `wrap ${mechanism}`, false, rv);
  }
  return yield* fail("unsupported", "wrap: no mechanism for this", rv);
}

/** Where a token cannot wrap, a key that wraps looks like one that encrypts. */
export function mayWrap(core: HsmCore, { spec }: KeyReference): boolean {
  if (spec.algorithm === "ec") return false;
  return spec.purpose === "wrap" || (wrapsByEncrypting(core) && spec.purpose === "encrypt");
}

function isUnsupported(rv: number): boolean {
  return (
    rv === ckr.mechanismInvalid ||
    rv === ckr.mechanismParamInvalid ||
    rv === ckr.functionNotSupported ||
    rv === ckr.argumentsBad
  );
}

function* lengthOf(material: KeyMaterial): Flow<number> {
  switch (material.kind) {
    case "bytes":
      return material.bytes.length;
    case "key":
      // Sizes of private keys as PKCS #8 are not known beforehand, and some tokens pad them in silence.
      if (material.key.spec.algorithm !== "aes") {
        return yield* fail("unsupported", "wrap: secret keys alone");
      }
      if (!material.key.spec.exportable)
        return yield* refuse("P12", "wrap: a key that never leaves");
      return material.key.spec.bits / 8;
    default:
      return yield* fail("badInput", "wrap: a data key is not for the machine");
  }
}

function canCarry(
  core: HsmCore,
  mechanism: WrapMechanism,
  material: KeyMaterial,
  lengthBytes: number,
  kek: KeyReference,
): boolean {
  const byEncrypting =
    mechanism === "encrypt-aes-gcm" || (isOaep(mechanism) && wrapsByEncrypting(core));
  if (byEncrypting !== wrapsByEncrypting(core)) return false;
  if (byEncrypting) {
    if (material.kind === "key") return false;
  } else if (material.kind === "bytes" && !takesPassingKeys(core)) {
    return false;
  }
  if (isOaep(mechanism)) return lengthBytes <= oaepBytesMax(mechanism, kek.spec.bits);
  // Never what would come back longer than it went.
  return (
    mechanism !== "aes-kwp" ||
    lengthBytes % 8 === 0 ||
    works(core, "wrap aes-kwp of any length") === true
  );
}

/** Bytes may become an object for a moment, and not for good. */
export function takesPassingKeys(core: HsmCore): boolean {
  return works(core, "generate session key") === true && works(core, "import secret") === true;
}

/** As far as the length tells whether all of the secret is in it, and nothing else. */
export function lengthFits(
  mechanism: WrapMechanism,
  body: Uint8Array,
  lengthBytes: number,
): boolean {
  switch (mechanism) {
    case "aes-kwp":
      return body.length === 8 * Math.ceil(lengthBytes / 8) + 8;
    case "aes-gcm":
    case "encrypt-aes-gcm":
      return body.length === lengthBytes + gcmTagBytes;
    case "aes-cbc-pad-hmac":
      return body.length === 16 * Math.floor(lengthBytes / 16) + 16 + macBytes;
    default:
      return true;
  }
}

function isOaep(mechanism: WrapMechanism): mechanism is "rsa-oaep-sha256" | "rsa-oaep-sha1" {
  return mechanism === "rsa-oaep-sha256" || mechanism === "rsa-oaep-sha1";
}

function* wrapBy(
  work: Work,
  kek: LocatedKey,
  head: BlobHead,
  material: KeyMaterial,
): Flow<Wrapped> {
  if (wrapsByEncrypting(work.core) && material.kind === "bytes") {
    return yield* encryptBytes(work, kek, head, material.bytes);
  }
  work.job.littered = true;
  const key = yield* objectOf(work, material);
  switch (head.mechanism) {
    case "aes-kwp": {
      const mechanism = { type: work.core.state.keyWrapPadMechanism };
      return plain(yield* attempt("wrapKey", { mechanism, wrappingKey: kek.handle, key }));
    }
    case "rsa-oaep-sha256":
    case "rsa-oaep-sha1": {
      const call = { mechanism: oaep(head.mechanism), wrappingKey: kek.publicHandle!, key };
      return plain(yield* attempt("wrapKey", call));
    }
    case "aes-cbc-pad-hmac":
      return yield* wrapByCbc(work, kek, head, key);
    default:
      return yield* sealBy(work, encodeHead(head), (mechanism) =>
        attempt("wrapKey", { mechanism, wrappingKey: kek.handle, key }),
      );
  }
}

function plain(answer: TokenAnswer<"wrapKey" | "encrypt">): Wrapped {
  return answer.value === null ? { rv: answer.rv } : { iv: nothing, body: answer.value };
}

function* encryptBytes(
  work: Work,
  kek: LocatedKey,
  head: BlobHead,
  data: Uint8Array,
): Flow<Wrapped> {
  if (!isOaep(head.mechanism)) return yield* seal(work, kek.handle, encodeHead(head), data);
  const call = { mechanism: oaep(head.mechanism), key: kek.publicHandle!, data };
  return plain(yield* attempt("encrypt", call));
}

/** The object that C_WrapKey wants: bytes become one for a moment. */
function* objectOf(work: Work, material: KeyMaterial): Flow<Handle> {
  if (material.kind === "key") return (yield* locateKey(work, material.key)).handle;
  const bytes = material.kind === "bytes" ? material.bytes : nothing;
  return yield* ask("createObject", { template: passingKeyTemplate(bytes) });
}

/** Encrypt, then MAC over all that stands before the tag. */
function* wrapByCbc(work: Work, kek: LocatedKey, head: BlobHead, key: Handle): Flow<Wrapped> {
  const iv = yield* ask("generateRandom", { lengthBytes: 16 });
  const mechanism = { type: ckm.aesCbcPad, parameter: { kind: "bytes", bytes: iv } } as const;
  const wrapped = yield* attempt("wrapKey", { mechanism, wrappingKey: kek.handle, key });
  if (wrapped.value === null) return { rv: wrapped.rv };
  const { reference, attributes } = kek.description;
  const data = concat(encodeHead(head), iv, wrapped.value);
  const tag = yield* macOf(work, reference, attributes.token !== false, data);
  return { iv, body: concat(wrapped.value, tag) };
}
