/** AES-256-GCM with a key that never leaves. */
import { equalBytes } from "../bytes.js";
import type { HsmRequest, HsmValue } from "../ports/hsm.js";
import { blobHead, decodeBlob, encodeBlob, encodeHead, isUnder } from "./blob.js";
import { doubtfulRefusals, notAuthentic } from "./ciphertext.js";
import { type Flow, fail, refuse } from "./flow.js";
import { openSealed, seal } from "./gcm.js";
import { locateKey } from "./handles.js";
import { errorCodeOf } from "./returns.js";
import type { Work } from "./state.js";

type Crypt = HsmRequest & { readonly kind: "encrypt" | "decrypt" };

export function* encrypt(work: Work, { key, associatedData, bytes }: Crypt): Flow<HsmValue> {
  const { core } = work;
  if (key.spec.purpose !== "encrypt")
    return yield* refuse("P11", "encrypt: not what the key is for");
  if (bytes.length > (core.profile.dataBytesMax ?? Infinity)) {
    return yield* fail("badInput", "encrypt: more than the token takes");
  }
  const { handle } = yield* locateKey(work, key);
  const associated = core.options.digest("sha256", associatedData);
  const head = blobHead("encrypt-aes-gcm", "data", key, associated);
  const sealed = yield* seal(work, handle, encodeHead(head), bytes);
  if ("rv" in sealed) return yield* fail(errorCodeOf(sealed.rv), "encrypt", sealed.rv);
  return { kind: "bytes", bytes: encodeBlob({ ...head, ...sealed }) };
}

export function* decrypt(work: Work, { key, associatedData, bytes }: Crypt): Flow<HsmValue> {
  const { core } = work;
  if (key.spec.purpose !== "encrypt")
    return yield* refuse("P11", "decrypt: not what the key is for");
  const { handle } = yield* locateKey(work, key);
  const blob = decodeBlob(bytes);
  const associated = core.options.digest("sha256", associatedData);
  const fits =
    blob !== null &&
    blob.content === "data" &&
    isUnder(blob, key) &&
    equalBytes(blob.associated, associated);
  if (!fits) return yield* notAuthentic(work, "decrypt", 0);
  const opened = yield* openSealed(work, handle, blob, encodeHead(blob), doubtfulRefusals);
  if (opened.value === null) return yield* notAuthentic(work, "decrypt", opened.rv);
  return { kind: "bytes", bytes: opened.value };
}
