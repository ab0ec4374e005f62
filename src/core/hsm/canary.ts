/**
 * A key whose answer is known. Sessions look sound on a token that has lost its keys, so only a key
 * of the token itself, asked for what it once sealed, shows that it is all there.
 */
import { equalBytes, keyBytes } from "../bytes.js";
import type { Handle } from "./cryptoki/calls.js";
import { cka, cko, ckr, cks } from "./cryptoki/constants.js";
import { type Flow, ask, attempt, suspect } from "./flow.js";
import { openSealed, seal } from "./gcm.js";
import { bytesOfHex, hexOf } from "./hex.js";
import type { Canary, Work } from "./state.js";
import { keyTemplates } from "./templates.js";

export const canaryDefault = "quorumlab-canary";
const known: Uint8Array = new Uint8Array(16).fill(0xa5);
const nothing = new Uint8Array(0);

/** Ends, or finds trouble. */
export function* askCanary(work: Work): Flow<void> {
  const { core } = work;
  const { canary } = core.state;
  if (canary === null) return yield* hatch(work);
  if (canary.kind === "none") return;
  const handle = yield* canaryHandle(work, canary);
  if (handle === null) return yield* hatch(work);
  const opened = yield* openSealed(work, handle, { iv: canary.iv, body: canary.sealed }, nothing);
  if (opened.value === null) return yield* suspect("newSession", "the known answer was refused");
  if (!equalBytes(opened.value, known)) {
    return yield* suspect("reinitialize", "the known answer was another one");
  }
}

/**
 * Before it is said that something is not there, in the session that did not see it: without a login
 * private objects are not seen, and nobody says so.
 */
export function* confirmVisible(work: Work): Flow<void> {
  const { canary } = work.core.state;
  const info = yield* ask("sessionInfo", {});
  if (info.state !== cks.rwUser && work.core.profile.login === "required") {
    return yield* suspect("relogin", "sessionInfo: not logged in");
  }
  if (canary?.kind !== "key") return;
  canary.handle = null;
  yield* canaryHandle(work, canary);
}

/** Goes on only once nothing that others made can be hidden by what was written from here. */
export function* seeOthers({ core }: Work): Flow<void> {
  if (!core.profile.ownWritesHideOthers || !core.state.wrote) return;
  yield* suspect("reinitialize", "what others made may be hidden by what was written from here");
}

function* canaryHandle(
  { core }: Work,
  canary: Canary & { readonly kind: "key" },
): Flow<Handle | null> {
  const { state } = core;
  if (canary.handle?.epoch === state.epoch) return canary.handle.handle;
  const template = [
    { type: cka.class, value: cko.secretKey },
    { type: cka.id, value: bytesOfHex(canary.id)! },
  ];
  const [found] = yield* ask("find", { template, max: 1 });
  if (found !== undefined) {
    canary.handle = { epoch: state.epoch, handle: found };
    return found;
  }
  if (state.ladder.level < 3) {
    const as = state.ladder.level < 2 ? "relogin" : "reinitialize";
    return yield* suspect(as, "a key that was there is not");
  }
  // Initialised anew, and sound but for this key: then somebody has deleted it.
  const others = yield* ask("find", { template: template.slice(0, 1), max: 1 });
  if (others.length > 0) return null;
  return yield* suspect("reinitialize", "the token has no keys any more");
}

function* hatch(work: Work): Flow<void> {
  const { core } = work;
  const found = yield* findOrMake(work);
  if (found === null) {
    core.state.canary = { kind: "none" };
    return;
  }
  const [id] = yield* ask("attributes", { object: found, types: [cka.id] });
  const sealed = yield* seal(work, found, nothing, known);
  const useless = "rv" in sealed || id === undefined || id.length === 0;
  core.state.canary = useless
    ? { kind: "none" }
    : {
        kind: "key",
        id: hexOf(id),
        iv: sealed.iv,
        sealed: sealed.body,
        handle: { epoch: core.state.epoch, handle: found },
      };
}

/** Which of several does not matter; null: the token makes none. */
function* findOrMake({ core }: Work): Flow<Handle | null> {
  const label = core.options.canary === undefined ? canaryDefault : core.options.canary;
  if (label === null) return null;
  const template = [
    { type: cka.class, value: cko.secretKey },
    { type: cka.label, value: keyBytes(label) },
  ];
  const [found] = yield* ask("find", { template, max: 1 });
  if (found !== undefined) return found;
  const id = yield* ask("generateRandom", { lengthBytes: 16 });
  const spec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false } as const;
  const { mechanism, key } = keyTemplates(core, {
    spec,
    label: keyBytes(label),
    id,
    token: true,
    wrapsByEncrypting: false,
  });
  core.state.wrote = true;
  const made = yield* attempt("generateKey", { mechanism, template: key });
  if (made.rv !== ckr.attributeValueInvalid) return made.value;
  const [theirs] = yield* ask("find", { template, max: 1 });
  return theirs ?? null;
}
