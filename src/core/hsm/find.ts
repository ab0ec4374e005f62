/** Which keys there are. */
import type { HsmValue } from "../ports/hsm.js";
import { confirmVisible, seeOthers } from "./canary.js";
import { cka, cko } from "./cryptoki/constants.js";
import { type Flow, ask, attempt, fail } from "./flow.js";
import { describeObject } from "./handles.js";
import { bytesKey } from "../bytes.js";
import { parseName } from "./key-names.js";
import type { KeyDescription } from "./keys.js";
import type { Work } from "./state.js";

/**
 * Keys by our names alone, settled ones. Two of one name are both given: whoever asked for the name
 * sees that it is ambiguous. A key that cannot be read whole is left out.
 */
export function* findKeys(work: Work, label: string | null): Flow<HsmValue> {
  const { keysFoundMax } = work.core.limits;
  const keys: KeyDescription[] = [];
  for (const objectClass of [cko.secretKey, cko.privateKey]) {
    const template = [{ type: cka.class, value: objectClass }];
    const objects = yield* ask("find", { template, max: keysFoundMax + 1 });
    if (objects.length > keysFoundMax) return yield* fail("overloaded", "find: too many keys");
    for (const object of objects) {
      const read = yield* attempt("attributes", { object, types: [cka.label] });
      const name = parseName(bytesKey(read.value?.[0] ?? new Uint8Array(0)));
      if (name === null || (label !== null && name.label !== label)) continue;
      const located = yield* describeObject(work, objectClass, object);
      if (located !== null) keys.push(located.description);
    }
  }
  // At the end: had the login gone meanwhile, some would be missing.
  yield* seeOthers(work);
  yield* confirmVisible(work);
  return { kind: "keys", keys };
}
