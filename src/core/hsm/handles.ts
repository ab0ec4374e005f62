/**
 * From a reference to handles. A handle is good for its epoch only; a key is found anew by its id and
 * must then be all that the reference says, or it is not used.
 */
import { equalBytes } from "../bytes.js";
import {
  type Attributes,
  describeKey,
  readPrivateKey,
  readPublicKey,
  readSecretKey,
} from "./attributes.js";
import { confirmVisible, seeOthers } from "./canary.js";
import type { Handle, Template } from "./cryptoki/calls.js";
import { cka, cko } from "./cryptoki/constants.js";
import { type Flow, ask, fail, suspect } from "./flow.js";
import { bytesOfHex, hexOf } from "./hex.js";
import { nameBytes } from "./key-names.js";
import type { KeyDescription, KeyReference, KeySpec } from "./keys.js";
import { wrapsByEncrypting } from "./registry.js";
import type { HsmCore, LocatedKey, Work } from "./state.js";

/** Fails with `notFound`, `ambiguous` or `mismatch`. */
export function* locateKey(work: Work, reference: KeyReference): Flow<LocatedKey> {
  const { core } = work;
  const { handles } = core.state;
  const known = handles.get(reference.id);
  if (known !== undefined) {
    yield* demandSame(core, known.description, reference);
    yield* checkAgain(work, known, reference);
    handles.delete(reference.id);
    handles.set(reference.id, known);
    return known;
  }
  const objectClass = classOf(reference.spec);
  const found = yield* ask("find", { template: idTemplate(core, objectClass, reference), max: 2 });
  if (found.length > 1) return yield* fail("ambiguous", "find by id");
  const [handle] = found;
  if (handle === undefined) return yield* notFound(work);
  const located = yield* describeObject(work, objectClass, handle);
  if (located === null) return yield* mismatch(core, reference);
  // Whoever searches for one id and gets another was not answered by a sound token.
  if (located.description.reference.id !== reference.id) {
    return yield* suspect("newSession", "find gave another key");
  }
  yield* demandSame(core, located.description, reference);
  remember(core, located);
  return located;
}

export function remember(core: HsmCore, located: LocatedKey): void {
  const { handles } = core.state;
  handles.set(located.description.reference.id, located);
  if (handles.size <= core.limits.handlesMax) return;
  for (const oldest of handles.keys()) return void handles.delete(oldest);
}

/** Public objects need no login, so that a handle which was lost with it may be heard all the same. */
function* checkAgain({ core }: Work, known: LocatedKey, { id }: KeyReference): Flow<void> {
  const handles = [known.publicHandle, core.options.verifyEachUse === true ? known.handle : null];
  for (const object of handles) {
    if (object === null) continue;
    const [value] = yield* ask("attributes", { object, types: [cka.id] });
    if (value === undefined || idOf(core, value) !== id) {
      return yield* suspect("staleHandle", "a handle names another key");
    }
  }
}

/** Not there, as far as the token is all there. */
function* notFound(work: Work): Flow<never> {
  const { core, job } = work;
  yield* seeOthers(work);
  yield* confirmVisible(work);
  const { state, times } = core;
  const mayRefresh = core.profile.snapshotsObjects && !job.memo.refreshed;
  if (mayRefresh && core.now - state.refreshedAtUs >= times.refreshEveryUs) {
    job.memo.refreshed = true;
    state.refreshedAtUs = core.now;
    return yield* suspect("reinitialize", "newer keys are seen after C_Initialize only");
  }
  return yield* fail("notFound", "find by id");
}

function* demandSame(core: HsmCore, found: KeyDescription, reference: KeyReference): Flow<void> {
  if (!isSame(core, found.reference, reference)) return yield* mismatch(core, reference);
}

function isSame(core: HsmCore, found: KeyReference, asked: KeyReference): boolean {
  return (
    found.label === asked.label &&
    found.version === asked.version &&
    found.publicDigest === asked.publicDigest &&
    sameSpec(core, found.spec, asked.spec)
  );
}

/** What wraps by C_Encrypt cannot be told from what encrypts. */
export function sameSpec(core: HsmCore, found: KeySpec, asked: KeySpec): boolean {
  const alike = wrapsByEncrypting(core) && found.purpose === "encrypt" && asked.purpose === "wrap";
  return (
    found.algorithm === asked.algorithm &&
    found.bits === asked.bits &&
    found.exportable === asked.exportable &&
    (found.purpose === asked.purpose || alike)
  );
}

function* mismatch(core: HsmCore, { label, version }: KeyReference): Flow<never> {
  core.out.push({ kind: "event", event: { name: "keyMismatch", label, version } });
  return yield* fail("mismatch", "the key behind that id");
}

export function classOf(spec: KeySpec): number {
  return spec.algorithm === "aes" ? cko.secretKey : cko.privateKey;
}

/** False: the module gives keys ids of its own, and we find them by their labels. */
export function givesIds({ profile }: HsmCore): boolean {
  return profile.generateAttributes === null || profile.generateAttributes.includes(cka.id);
}

/** How CKA_ID stands in a reference. */
export function idOf({ options, profile }: HsmCore, id: Uint8Array): string {
  const ours = profile.generateAttributes === null || id.length === 16;
  return ours ? hexOf(id) : hexOf(options.digest("sha256", id).subarray(0, 16));
}

/** By which the key of a reference is found. */
export function idTemplate(core: HsmCore, objectClass: number, reference: KeyReference): Template {
  const which = givesIds(core)
    ? { type: cka.id, value: bytesOfHex(reference.id)! }
    : { type: cka.label, value: nameBytes(reference) };
  return [{ type: cka.class, value: objectClass }, which];
}

/** Null: it is no key of ours. */
export function* describeObject(
  work: Work,
  objectClass: number,
  handle: Handle,
): Flow<LocatedKey | null> {
  const { core } = work;
  const secret = objectClass === cko.secretKey;
  const key = yield* secret ? readSecretKey(work, handle) : readPrivateKey(work, handle);
  const id = key.get(cka.id);
  if (id === undefined || id.length === 0) return null;
  const publicHandle = secret ? null : yield* publicHandleOf(id);
  if (!secret && publicHandle === null) return null;
  const publicKey: Attributes | null =
    publicHandle === null ? null : yield* readPublicKey(work, publicHandle);
  const sameId = publicKey === null || equalBytes(publicKey.get(cka.id) ?? id, id);
  const { digest } = core.options;
  const byEncrypting = wrapsByEncrypting(core);
  const description = describeKey(key, publicKey, idOf(core, id), digest, byEncrypting);
  return description === null || !sameId ? null : { handle, publicHandle, description };
}

/** Null also when there are several. */
export function* publicHandleOf(id: Uint8Array): Flow<Handle | null> {
  const template = [
    { type: cka.class, value: cko.publicKey },
    { type: cka.id, value: id },
  ];
  const found = yield* ask("find", { template, max: 2 });
  return found.length === 1 ? found[0]! : null;
}

/** Every key of that class and label. */
export function* findByLabel(objectClass: number, label: Uint8Array): Flow<readonly Handle[]> {
  const template = [
    { type: cka.class, value: objectClass },
    { type: cka.label, value: label },
  ];
  return yield* ask("find", { template, max: 8 });
}

export function* rawIdOf(object: Handle): Flow<Uint8Array> {
  const [id] = yield* ask("attributes", { object, types: [cka.id] });
  return id ?? new Uint8Array(0);
}
