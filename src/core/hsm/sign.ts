/** Signing and verifying with keys of the token. */
import type { HsmRequest, HsmValue } from "../ports/hsm.js";
import { ckr } from "./cryptoki/constants.js";
import { ecdsaToDer } from "./der.js";
import { type Flow, ask, attempt, fail, refuse, suspect } from "./flow.js";
import { locateKey } from "./handles.js";
import { errorCodeOf } from "./returns.js";
import { fitsKey, mechanismOf, rawSignature, signatureBytes, toBeSigned } from "./signatures.js";
import type { Work } from "./state.js";

export function* sign(work: Work, request: HsmRequest & { readonly kind: "sign" }): Flow<HsmValue> {
  const { key, algorithm, format } = request;
  if (!fitsKey(algorithm, key.spec)) return yield* refuse("P11", "sign: not what the key is for");
  const { handle } = yield* locateKey(work, key);
  const data = toBeSigned(work.core, algorithm, request.message);
  const raw = yield* ask("sign", { mechanism: mechanismOf(algorithm), key: handle, data });
  if (raw.length !== signatureBytes(key.spec)) {
    return yield* suspect("newSession", "sign: a signature of the wrong length");
  }
  const asDer = key.spec.algorithm === "ec" && format === "der";
  return { kind: "bytes", bytes: asDer ? ecdsaToDer(raw) : raw };
}

export function* verify(
  work: Work,
  request: HsmRequest & { readonly kind: "verify" },
): Flow<HsmValue> {
  const { key, algorithm } = request;
  if (!fitsKey(algorithm, key.spec)) return yield* refuse("P11", "verify: not what the key is for");
  const { publicHandle } = yield* locateKey(work, key);
  const signature = rawSignature(request.signature, request.format, key.spec);
  if (signature === null || publicHandle === null) return { kind: "verified", valid: false };
  const data = toBeSigned(work.core, algorithm, request.message);
  const call = { mechanism: mechanismOf(algorithm), key: publicHandle, data, signature };
  const { rv } = yield* attempt("verify", call);
  if (rv === ckr.ok) return { kind: "verified", valid: true };
  if (isNegative.includes(rv)) return { kind: "verified", valid: false };
  return yield* fail(errorCodeOf(rv), "verify", rv);
}

const isNegative: readonly number[] = [
  ckr.signatureInvalid,
  ckr.signatureLenRange,
  ckr.dataInvalid,
  ckr.dataLenRange,
];
