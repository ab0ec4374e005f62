/** Whether a key is what was asked: tokens leave attributes out, or set others. */
import { equalBytes } from "../bytes.js";
import {
  flagIn,
  numberIn,
  readPrivateKey,
  readPublicKey,
  readSecretKey,
  valueBytesIn,
  type Attributes,
} from "./attributes.js";
import type { Handle } from "./cryptoki/calls.js";
import { cka, ckk } from "./cryptoki/constants.js";
import { curveOfBits } from "./der.js";
import type { Flow } from "./flow.js";
import { givesIds, publicHandleOf } from "./handles.js";
import type { KeySpec } from "./keys.js";
import type { Work } from "./state.js";
import type { KeyPlan } from "./templates.js";

/** Reads a key that was just made. */
export function* fitsPlan(work: Work, handle: Handle, plan: KeyPlan): Flow<boolean> {
  const secret = plan.spec.algorithm === "aes";
  const key = yield* secret ? readSecretKey(work, handle) : readPrivateKey(work, handle);
  const id = key.get(cka.id);
  if (id === undefined || (givesIds(work.core) && !equalBytes(id, plan.id))) return false;
  if (!guardedAsAsked(key, plan) || !usesFit(key, null, plan)) return false;
  if (secret) {
    const bytes = valueBytesIn(key);
    return (
      numberIn(key, cka.keyType) === ckk.aes && (bytes === null || 8 * bytes === plan.spec.bits)
    );
  }
  const publicHandle = yield* publicHandleOf(id);
  if (publicHandle === null) return false;
  const publicKey = yield* readPublicKey(work, publicHandle);
  return usesFit(key, publicKey, plan) && sizeFits(publicKey, plan.spec);
}

/** Made inside and never to leave (policy P12), or to leave as asked. */
function guardedAsAsked(key: Attributes, { spec, token }: KeyPlan): boolean {
  const is = (type: number, value: boolean): boolean => flagIn(key, type) === value;
  const isNot = (type: number, value: boolean): boolean => flagIn(key, type) !== value;
  if (!is(cka.extractable, spec.exportable) || !is(cka.token, token)) return false;
  if (isNot(cka.private, true) && flagIn(key, cka.private) !== null) return false;
  if (!is(cka.sensitive, true)) return false;
  if (spec.exportable) return true;
  // What came from outside can never show these.
  if (!token) return true;
  return (
    isNot(cka.alwaysSensitive, false) &&
    isNot(cka.neverExtractable, false) &&
    isNot(cka.local, false)
  );
}

/** One purpose for each key, and no use beside it (policy P11). */
function usesFit(key: Attributes, publicKey: Attributes | null, plan: KeyPlan): boolean {
  const { purpose, algorithm } = plan.spec;
  const secret = algorithm === "aes";
  const encrypts = purpose === "encrypt" || (purpose === "wrap" && plan.wrapsByEncrypting);
  const wraps = purpose === "wrap" && !plan.wrapsByEncrypting;
  const expected: readonly (readonly [number, boolean, boolean])[] = [
    // Type, whether it must be set, whether it is the public half's.
    [cka.encrypt, encrypts, true],
    [cka.decrypt, encrypts, false],
    [cka.wrap, wraps, true],
    [cka.unwrap, wraps, false],
    [cka.sign, purpose === "sign", false],
    [cka.verify, purpose === "sign", true],
  ];
  return expected.every(([type, set, isPublic]) => {
    const half = isPublic && !secret ? publicKey : key;
    return half === null || (flagIn(half, type) ?? false) === set;
  });
}

function sizeFits(publicKey: Attributes, { algorithm, bits }: KeySpec): boolean {
  if (algorithm === "rsa") return publicKey.get(cka.modulus)?.length === bits / 8;
  const parameters = publicKey.get(cka.ecParams);
  return parameters !== undefined && equalBytes(parameters, curveOfBits(bits)!.parameters);
}
