/** Names of deleted keys stay taken: a data object in the token, or a memory where it holds none. */
import { keyBytes } from "../bytes.js";
import { cka, cko } from "./cryptoki/constants.js";
import { type Flow, attempt, refuse } from "./flow.js";
import { findByLabel } from "./handles.js";
import { goneBytes, nameText } from "./key-names.js";
import type { KeyName } from "./keys.js";
import { works } from "./registry.js";
import type { Work } from "./state.js";

export function* demandNotGone({ core }: Work, name: KeyName): Flow<void> {
  const remembered = core.state.goneNames.has(nameText(name));
  const stands =
    works(core, "data object") === true &&
    (yield* findByLabel(cko.data, goneBytes(name))).length > 0;
  if (remembered || stands) return yield* refuse("P19", "a name is never used again");
}

/** Before the key goes, so that nothing can happen between. */
export function* bury({ core }: Work, name: KeyName): Flow<void> {
  const { goneNames } = core.state;
  if (works(core, "data object") === true) {
    if ((yield* findByLabel(cko.data, goneBytes(name))).length > 0) return;
    const template = [
      { type: cka.class, value: cko.data },
      { type: cka.token, value: true },
      { type: cka.private, value: true },
      { type: cka.application, value: keyBytes("quorumlab") },
      { type: cka.label, value: goneBytes(name) },
      { type: cka.value, value: keyBytes("deleted") },
    ];
    core.state.wrote = true;
    const made = yield* attempt("createObject", { template });
    if (made.value !== null) return;
  }
  goneNames.set(nameText(name), true);
  if (goneNames.size <= core.limits.goneNamesMax) return;
  for (const oldest of goneNames.keys()) return void goneNames.delete(oldest);
}
