/**
 * Making keys inside the token, so that two processes that want the same name end with one key.
 *
 * A key is made under a provisional name. Its maker gives it its name only when it sees neither a key
 * of that name nor another provisional one, in this order: provisional keys are there before they are
 * named, so of two makers at least one sees the other. Of several provisional keys the lowest id
 * stays and the others are destroyed by their makers; a key that has its name is used by all and
 * destroyed by nobody. What remains possible: a maker that is stopped for longer than `provisionalMaxUs`
 * between its last look and the naming, while others have given it up for dead; the keys are then
 * found as `ambiguous`, and none is used. A look counts only when it cannot miss what another process
 * made before it (`seeOthers`).
 *
 * Where the token keeps labels unique it decides by itself. Where it can neither do that nor rename,
 * keys bear their name at once, and of several the lowest id stays unless it comes too late (`yields`).
 * What remains possible there is more: a maker that is stopped within `outrightSettleUs` between its
 * look and the destruction of its key, which another has been given meanwhile.
 */
import { compareBytes } from "../bytes.js";
import type { HsmValue } from "../ports/hsm.js";
import { confirmVisible, seeOthers } from "./canary.js";
import type { Handle } from "./cryptoki/calls.js";
import { cka, ckr, cko } from "./cryptoki/constants.js";
import { type Flow, ask, attempt, fail, pause, refuse } from "./flow.js";
import {
  classOf,
  describeObject,
  findByLabel,
  givesIds,
  idOf,
  publicHandleOf,
  rawIdOf,
  remember,
  sameSpec,
} from "./handles.js";
import { bytesOfHex, hexOf } from "./hex.js";
import { nameBytes, provisionalBytes } from "./key-names.js";
import { fitsPlan } from "./key-checks.js";
import type { KeyName, KeySpec } from "./keys.js";
import { wrapsByEncrypting, works } from "./registry.js";
import { errorCodeOf } from "./returns.js";
import { type HsmCore, type LocatedKey, type Work, drawWaitUs } from "./state.js";
import { keyTemplates } from "./templates.js";
import { demandNotGone } from "./tombstones.js";

/** Provisional keys of others that are watched. */
const strangersMax = 256;

export interface Wanted {
  readonly name: KeyName;
  readonly spec: KeySpec;
  readonly ifMissing: boolean;
}

export function* generate(work: Work, wanted: Wanted): Flow<HsmValue> {
  yield* demandNotGone(work, wanted.name);
  const key = yield* settles(work.core) ? makeAndSettle(work, wanted) : makeOutright(work, wanted);
  remember(work.core, key);
  return { kind: "key", key: key.description };
}

function settles(core: HsmCore): boolean {
  return givesIds(core) && !core.profile.uniqueLabels && works(core, "rename key") === true;
}

function* makeAndSettle(work: Work, wanted: Wanted): Flow<LocatedKey> {
  const { core, job } = work;
  const objectClass = classOf(wanted.spec);
  for (let round = 1; ; round++) {
    const own = yield* ownKey(work, objectClass);
    const strangers = yield* strangersOf(work, objectClass, wanted.name);
    const named = yield* findByLabel(objectClass, nameBytes(wanted.name));
    if (named.length > 0) return yield* take(work, wanted, named, own);
    if (own === null) {
      if (strangers.length === 0) yield* make(work, wanted, provisionalBytes(wanted.name));
      else yield* clearAway(work, objectClass, strangers);
    } else if (
      strangers.length === 0 &&
      core.now - job.memo.madeAtUs < core.times.provisionalMaxUs
    ) {
      yield* seeOthers(work);
      return yield* settle(work, wanted, own);
    } else if (strangers.length > 0 && isLowest(own.id, strangers)) {
      yield* clearAway(work, objectClass, strangers);
    } else {
      yield* destroyOwn(work, wanted, own);
    }
    if (strangers.length > 0) yield* pause(drawWaitUs(core, Math.min(round, 5)));
  }
}

interface Found {
  readonly handle: Handle;
  readonly id: Uint8Array;
}

/** Made by this request, whether or not it ever heard so. */
function* ownKey(work: Work, objectClass: number): Flow<Found | null> {
  const { job } = work;
  if (job.memo.madeId === null) return null;
  const id = bytesOfHex(job.memo.madeId)!;
  const template = [
    { type: cka.class, value: objectClass },
    { type: cka.id, value: id },
  ];
  const [handle] = yield* ask("find", { template, max: 1 });
  if (handle !== undefined) return { handle, id };
  yield* confirmVisible(work);
  job.memo.madeId = null;
  return null;
}

/** Provisional keys of others. */
function* strangersOf(work: Work, objectClass: number, name: KeyName): Flow<readonly Found[]> {
  const own = work.job.memo.madeId;
  const strangers: Found[] = [];
  for (const handle of yield* findByLabel(objectClass, provisionalBytes(name))) {
    const id = yield* idIfThere(handle);
    if (id !== null && hexOf(id) !== own) strangers.push({ handle, id });
  }
  return strangers;
}

/** Null: its maker has destroyed it meanwhile. */
function* idIfThere(object: Handle): Flow<Uint8Array | null> {
  const call = { object, types: [cka.id] };
  const read = yield* attempt("attributes", call, [ckr.objectHandleInvalid]);
  return read.value?.[0] ?? null;
}

function isLowest(id: Uint8Array, strangers: readonly Found[]): boolean {
  return strangers.every((stranger) => compareBytes(id, stranger.id) < 0);
}

/** Makers that died left keys behind. */
function* clearAway(work: Work, objectClass: number, found: readonly Found[]): Flow<void> {
  const { core } = work;
  const { strangers } = core.state;
  for (const { handle, id } of found) {
    const key = hexOf(id);
    const sinceUs = strangers.get(key);
    if (sinceUs === undefined) {
      if (strangers.size >= strangersMax) strangers.clear();
      strangers.set(key, core.now);
    } else if (core.now - sinceUs >= 2 * core.times.provisionalMaxUs) {
      yield* destroyKey(work, objectClass, handle, id);
      strangers.delete(key);
    }
  }
}

/** Somebody's key has the name: then it is everybody's. */
function* take(
  work: Work,
  wanted: Wanted,
  named: readonly Handle[],
  own: Found | null,
): Flow<LocatedKey> {
  const { core } = work;
  if (named.length > 1) return yield* fail("ambiguous", "generate");
  const found = yield* describeObject(work, classOf(wanted.spec), named[0]!);
  const mine = own !== null && found?.description.reference.id === idOf(core, own.id);
  if (own !== null && !mine) yield* destroyOwn(work, wanted, own);
  if (found === null) return yield* fail("mismatch", "generate");
  if (mine) return found;
  if (!wanted.ifMissing) return yield* refuse("P19", "generate: the name is taken");
  const same = sameSpec(core, found.description.reference.spec, wanted.spec);
  return same ? found : yield* fail("mismatch", "generate");
}

/** Public half first: who has the name is judged by the other. */
function* settle(work: Work, wanted: Wanted, own: Found): Flow<LocatedKey> {
  const objectClass = classOf(wanted.spec);
  const template = [{ type: cka.label, value: nameBytes(wanted.name) }];
  if (objectClass === cko.privateKey) {
    const object = yield* publicHandleOf(own.id);
    if (object !== null) yield* ask("setAttributes", { object, template });
  }
  yield* ask("setAttributes", { object: own.handle, template });
  const settled = yield* describeObject(work, objectClass, own.handle);
  if (settled === null) return yield* fail("mismatch", "generate");
  work.core.out.push({ kind: "event", event: { name: "keyMade", ...wanted.name } });
  return settled;
}

/** Under its name at once. */
function* makeOutright(work: Work, wanted: Wanted): Flow<LocatedKey> {
  const { core, job } = work;
  const objectClass = classOf(wanted.spec);
  const label = nameBytes(wanted.name);
  for (let round = 1; ; round++) {
    const own = yield* ownKey(work, objectClass);
    const named = yield* findByLabel(objectClass, label);
    const asked = job.memo.madeAtUs > 0;
    if (named.length === 0) {
      yield* make(work, wanted, label);
    } else if (named.length === 1) {
      // Without an id of ours, what appeared after we had asked for it is taken for ours.
      const mine = own ?? (asked && !givesIds(core) ? yield* withId(named[0]!) : null);
      return yield* take(work, wanted, named, mine);
    } else if (own === null) {
      return yield* fail("ambiguous", "generate");
    } else {
      const others: Found[] = [];
      for (const handle of named) {
        const id = handle === own.handle ? null : yield* idIfThere(handle);
        if (id !== null) others.push({ handle, id });
      }
      if (yields(work, isLowest(own.id, others))) yield* destroyOwn(work, wanted, own);
      else yield* pause(drawWaitUs(core, Math.min(round, 5)));
    }
  }
}

/**
 * The lowest id stays and the others go, at once or not at all: who is late may have been believed.
 * One that has not gone by twice that time has been answered to somebody; then the lowest goes.
 */
function yields({ core, job }: Work, lowest: boolean): boolean {
  const { outrightSettleUs } = core.times;
  const { memo } = job;
  memo.rivalsSinceUs ??= core.now;
  if (lowest) return core.now - memo.rivalsSinceUs >= 2 * outrightSettleUs;
  return core.now - memo.madeAtUs < outrightSettleUs;
}

function* withId(handle: Handle): Flow<Found> {
  return { handle, id: yield* rawIdOf(handle) };
}

/** Makes the key, and reads back what the token made of it. */
function* make(work: Work, wanted: Wanted, label: Uint8Array): Flow<void> {
  const { core, job } = work;
  const { spec } = wanted;
  const id = yield* ask("generateRandom", { lengthBytes: 16 });
  if (id.length !== 16) return yield* fail("failed", "generateRandom");
  if (givesIds(core)) job.memo.madeId = hexOf(id);
  job.memo.madeAtUs = core.now;
  const plan = { spec, label, id, token: true, wrapsByEncrypting: wrapsByEncrypting(core) };
  const { mechanism, key, publicKey } = keyTemplates(core, plan);
  core.state.wrote = true;
  const made = yield* publicKey === null
    ? attempt("generateKey", { mechanism, template: key })
    : attempt("generateKeyPair", {
        mechanism,
        publicTemplate: publicKey,
        privateTemplate: key,
      });
  if (made.value === null) {
    job.memo.madeId = null;
    // Where labels are unique, that is how a race is lost: the winner's is found next.
    if (core.profile.uniqueLabels && made.rv === ckr.attributeValueInvalid) return;
    return yield* fail(errorCodeOf(made.rv), "generate", made.rv);
  }
  const handle = typeof made.value === "string" ? made.value : made.value.privateKey;
  const fits = yield* fitsPlan(work, handle, plan);
  if (!fits) return yield* refuseKey(work, wanted, { handle, id: yield* rawIdOf(handle) });
}

/** The token did not do as it was told. */
function* refuseKey(work: Work, wanted: Wanted, own: Found): Flow<never> {
  yield* destroyKey(work, classOf(wanted.spec), own.handle, own.id);
  work.job.memo.madeId = null;
  work.core.out.push({ kind: "event", event: { name: "keyRefused", ...wanted.name } });
  return yield* fail("mismatch", "generate");
}

function* destroyOwn(work: Work, wanted: Wanted, own: Found): Flow<void> {
  yield* destroyKey(work, classOf(wanted.spec), own.handle, own.id);
  work.job.memo.madeId = null;
  work.core.out.push({ kind: "event", event: { name: "raceLost", ...wanted.name } });
}

/** Both halves; one that is not there any more is no error. */
export function* destroyKey(
  work: Work,
  objectClass: number,
  handle: Handle,
  id: Uint8Array,
): Flow<void> {
  if (objectClass === cko.privateKey) {
    const publicHandle = yield* publicHandleOf(id);
    if (publicHandle !== null) yield* destroy(work, publicHandle);
  }
  yield* destroy(work, handle);
}

function* destroy({ core }: Work, object: Handle): Flow<void> {
  core.state.wrote = true;
  const destroyed = yield* attempt("destroyObject", { object }, [ckr.objectHandleInvalid]);
  if (destroyed.rv === ckr.ok || destroyed.rv === ckr.objectHandleInvalid) return;
  return yield* fail(errorCodeOf(destroyed.rv), "destroyObject", destroyed.rv);
}
