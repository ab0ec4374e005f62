/**
 * CBC has no tag of its own: each key that wraps so has a companion for HMAC-SHA-256 in the token. Two
 * processes may make one each; then all of them are asked whether a tag is theirs.
 */
import { keyBytes } from "../bytes.js";
import type { Handle } from "./cryptoki/calls.js";
import { cka, ckk, ckm, cko } from "./cryptoki/constants.js";
import { type Flow, ask } from "./flow.js";
import { equalInConstantTime } from "./gcm.js";
import { destroyKey } from "./generate.js";
import { nameText } from "./key-names.js";
import type { KeyReference } from "./keys.js";
import type { HsmCore, Work } from "./state.js";

const macKeysMax = 8;
export const macBytes = 32;

export function* macOf(
  work: Work,
  kek: KeyReference,
  ofToken: boolean,
  data: Uint8Array,
): Flow<Uint8Array> {
  const [known] = yield* macKeysOf(work.core, kek);
  const key = known ?? (yield* makeMacKey(work.core, kek, ofToken));
  return yield* ask("sign", { mechanism: { type: ckm.sha256Hmac }, key, data });
}

export function* isMacOf(
  { core }: Work,
  kek: KeyReference,
  data: Uint8Array,
  mac: Uint8Array,
): Flow<boolean> {
  let found = false;
  for (const key of yield* macKeysOf(core, kek)) {
    const made = yield* ask("sign", { mechanism: { type: ckm.sha256Hmac }, key, data });
    found = equalInConstantTime(made, mac) || found;
  }
  return found;
}

export function* destroyMacKeys(work: Work, kek: KeyReference): Flow<void> {
  const { core } = work;
  if (kek.spec.algorithm !== "aes" || kek.spec.purpose !== "wrap") return;
  for (const key of yield* macKeysOf(core, kek)) {
    yield* destroyKey(work, cko.secretKey, key, macIdOf(core, kek));
  }
}

function* macKeysOf(core: HsmCore, kek: KeyReference): Flow<readonly Handle[]> {
  const template = [
    { type: cka.class, value: cko.secretKey },
    { type: cka.id, value: macIdOf(core, kek) },
  ];
  return yield* ask("find", { template, max: macKeysMax });
}

function* makeMacKey(core: HsmCore, kek: KeyReference, ofToken: boolean): Flow<Handle> {
  const template = [
    { type: cka.class, value: cko.secretKey },
    { type: cka.keyType, value: ckk.genericSecret },
    { type: cka.token, value: ofToken },
    { type: cka.private, value: true },
    { type: cka.sensitive, value: true },
    { type: cka.extractable, value: false },
    { type: cka.label, value: keyBytes(`${nameText(kek)}-mac`) },
    { type: cka.id, value: macIdOf(core, kek) },
    { type: cka.sign, value: true },
    { type: cka.verify, value: false },
    { type: cka.valueLen, value: macBytes },
  ];
  core.state.wrote ||= ofToken;
  return yield* ask("generateKey", { mechanism: { type: ckm.genericSecretKeyGen }, template });
}

/** Found from the id of the key that it goes with. */
function macIdOf({ options }: HsmCore, kek: KeyReference): Uint8Array {
  return options.digest("sha256", keyBytes(`mac of ${kek.id}`)).subarray(0, 16);
}
