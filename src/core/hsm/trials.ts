/**
 * What the token can do, found by doing it with keys of the session: mechanisms that are listed may
 * be refused, and what is refused to one module is served by another.
 */
import { equalBytes, keyBytes } from "../bytes.js";
import type { HsmValue } from "../ports/hsm.js";
import type { Handle, Mechanism, TokenAnswer } from "./cryptoki/calls.js";
import { cka, ckm, cko, ckr } from "./cryptoki/constants.js";
import { type Flow, ask, attempt } from "./flow.js";
import { openSealed, opening, seal, sealBy } from "./gcm.js";
import type { KeySpec } from "./keys.js";
import { oaep } from "./oaep.js";
import { type CapabilityName, record, works } from "./registry.js";
import { mechanismOf, toBeSigned } from "./signatures.js";
import type { HsmCore, Work } from "./state.js";
import { type KeyPlan, keyTemplates, passingKeyTemplate } from "./templates.js";

/** Errors that may be trouble, until they have come too often. What ended so is tried again later. */
const troubles: readonly number[] = [ckr.generalError, ckr.functionFailed, ckr.deviceError];
const patienceTries = 4;

interface Trial extends Work {
  /** Return values that would else mean trouble, and begin a reconnection. */
  readonly tolerated: readonly number[];
}

/** The return value that ended it; 0 with `false`: the answer was a wrong one. */
type Found = true | { readonly rv: number };
const wrong: Found = { rv: 0 };

/** What is quick: AES, EC and objects. */
export function* tryBasics(work: Work): Flow<void> {
  yield* tryOne(work, "data object", makesDataObjects);
  // A module that takes so few attributes knows no keys of the session: each trial's key would stay.
  if (work.core.profile.generateAttributes !== null) return shownByCanary(work.core);
  yield* tryOne(work, "generate session key", makesSessionKeys);
  if (works(work.core, "generate session key") !== true) return;
  yield* tryOne(work, "import secret", importsSecrets);
  yield* tryOne(work, "rename key", renames);
  yield* tryOne(work, "encrypt aes-gcm", encrypts);
  wrapsAsItEncrypts(work.core);
  yield* tryOne(work, "wrap aes-kwp", wrapsPadded);
  if (works(work.core, "wrap aes-kwp") === true && works(work.core, "import secret") === true) {
    yield* tryOne(work, "wrap aes-kwp of any length", wrapsUneven);
  }
  yield* tryOne(work, "wrap aes-gcm", wrapsByGcm);
  yield* tryOne(work, "wrap aes-cbc-pad-hmac", wrapsByCbc);
  yield* tryOne(work, "sign ecdsa-p256-sha256", (trial) =>
    signs(trial, "ecdsa-p256-sha256", ec(256)),
  );
  yield* tryOne(work, "sign ecdsa-p384-sha384", (trial) =>
    signs(trial, "ecdsa-p384-sha384", ec(384)),
  );
}

function wrapsAsItEncrypts(core: HsmCore): void {
  const encrypting = core.state.registry.get("encrypt aes-gcm")!;
  if (works(core, "wrap encrypt-aes-gcm") === encrypting.works) return;
  record(core, "wrap encrypt-aes-gcm", encrypting.works, encrypting.rv);
}

/** It has sealed, and opened what it sealed. */
function shownByCanary(core: HsmCore): void {
  if (core.state.canary?.kind !== "key" || works(core, "encrypt aes-gcm") === true) return;
  record(core, "encrypt aes-gcm", true, 0);
  record(core, "wrap encrypt-aes-gcm", true, 0);
}

/** What takes long, for the sake of its keys. */
export function* tryRsa(work: Work): Flow<void> {
  if (works(work.core, "generate session key") !== true) return;
  yield* tryOne(work, "sign rsa-pkcs1-sha256", (trial) =>
    signs(trial, "rsa-pkcs1-sha256", rsa("sign")),
  );
  yield* tryOne(work, "sign rsa-pss-sha256", (trial) =>
    signs(trial, "rsa-pss-sha256", rsa("sign")),
  );
  yield* tryOne(work, "wrap rsa-oaep-sha256", (trial) => wrapsByOaep(trial, "rsa-oaep-sha256"));
  yield* tryOne(work, "wrap rsa-oaep-sha1", (trial) => wrapsByOaep(trial, "rsa-oaep-sha1"));
}

export function* capabilities(work: Work): Flow<HsmValue> {
  yield* tryRsa(work);
  return { kind: "capabilities", capabilities: [...work.core.state.registry.values()] };
}

/** What was found stays found, but for what may have been trouble. */
function* tryOne(
  { core, job }: Work,
  name: CapabilityName,
  trial: (work: Trial) => Flow<Found>,
): Flow<void> {
  const before = core.state.registry.get(name);
  if (before !== undefined && !troubles.includes(before.rv)) return;
  const isPatient = before === undefined && core.state.ladder.tries < patienceTries;
  job.littered = true;
  const found = yield* trial({ core, job, tolerated: isPatient ? [] : troubles });
  record(core, name, found === true, found === true ? 0 : found.rv);
}

function* makesSessionKeys(work: Trial): Flow<Found> {
  const made = yield* makeSecret(work, aes("encrypt", false));
  if (made.value === null) return { rv: made.rv };
  const object = made.value;
  const [ofToken] = yield* ask("attributes", { object, types: [cka.token] });
  if (ofToken?.[0] === 0) return true;
  // Some tokens keep all that they make, whatever they were asked.
  yield* attempt("destroyObject", { object });
  return wrong;
}

function* makesDataObjects(work: Trial): Flow<Found> {
  const template = [
    { type: cka.class, value: cko.data },
    { type: cka.token, value: false },
    { type: cka.label, value: keyBytes("trial") },
    { type: cka.value, value: keyBytes("trial") },
  ];
  const made = yield* attempt("createObject", { template }, work.tolerated);
  if (made.value === null) return { rv: made.rv };
  yield* attempt("destroyObject", { object: made.value });
  return true;
}

function* importsSecrets(work: Trial): Flow<Found> {
  const template = passingKeyTemplate(new Uint8Array(32).fill(0x5a));
  const made = yield* attempt("createObject", { template }, work.tolerated);
  return made.value === null ? { rv: made.rv } : true;
}

function* renames(work: Trial): Flow<Found> {
  const made = yield* makeSecret(work, aes("encrypt", false));
  if (made.value === null) return { rv: made.rv };
  const template = [{ type: cka.label, value: keyBytes("trial-v2") }];
  const set = yield* attempt("setAttributes", { object: made.value, template }, work.tolerated);
  if (set.rv !== ckr.ok) return { rv: set.rv };
  const [label] = yield* ask("attributes", { object: made.value, types: [cka.label] });
  return label !== undefined && equalBytes(label, keyBytes("trial-v2")) ? true : wrong;
}

function* encrypts(work: Trial): Flow<Found> {
  const made = yield* makeSecret(work, aes("encrypt", false));
  if (made.value === null) return { rv: made.rv };
  const data = keyBytes("what a trial seals");
  const sealed = yield* seal(work, made.value, data, data, work.tolerated);
  if ("rv" in sealed) return sealed;
  const opened = yield* openSealed(work, made.value, sealed, data, work.tolerated);
  if (opened.value === null) return { rv: opened.rv };
  return equalBytes(opened.value, data) ? true : wrong;
}

/** Under each of its numbers; whether lengths survive is another question. */
function* wrapsPadded(work: Trial): Flow<Found> {
  let found: Found = { rv: ckr.mechanismInvalid };
  for (const type of work.core.profile.keyWrapPadMechanisms) {
    found = yield* wrapsBack(work, { type }, null);
    work.core.state.keyWrapPadMechanism = type;
    if (found === true) break;
  }
  return found;
}

function* wrapsUneven(work: Trial): Flow<Found> {
  const mechanism = { type: work.core.state.keyWrapPadMechanism };
  return yield* wrapsBack(work, mechanism, new Uint8Array(31).fill(0x5a));
}

function* wrapsByGcm(work: Trial): Flow<Found> {
  const kek = yield* makeSecret(work, aes("wrap", false));
  if (kek.value === null) return { rv: kek.rv };
  const wrappingKey = kek.value;
  const target = yield* makeTarget(work, null);
  if (target.value === null) return { rv: target.rv };
  const key = target.value;
  const nothing = new Uint8Array(0);
  const sealed = yield* sealBy(work, nothing, (mechanism) =>
    attempt("wrapKey", { mechanism, wrappingKey, key }, work.tolerated),
  );
  if ("rv" in sealed) return sealed;
  const { mechanism, data } = opening(work.core, sealed, nothing);
  return yield* comesBack(work, mechanism, wrappingKey, key, data);
}

function* wrapsByCbc(work: Trial): Flow<Found> {
  const bytes = yield* ask("generateRandom", { lengthBytes: 16 });
  const mechanism: Mechanism = { type: ckm.aesCbcPad, parameter: { kind: "bytes", bytes } };
  return yield* wrapsBack(work, mechanism, null);
}

function* wrapsByOaep(work: Trial, wrap: "rsa-oaep-sha256" | "rsa-oaep-sha1"): Flow<Found> {
  const pair = yield* makePair(work, rsa("wrap"));
  if (pair.value === null) return { rv: pair.rv };
  const target = yield* makeTarget(work, null);
  if (target.value === null) return { rv: target.rv };
  const { publicKey, privateKey } = pair.value;
  const key = target.value;
  const mechanism = oaep(wrap);
  const wrapped = yield* attempt(
    "wrapKey",
    { mechanism, wrappingKey: publicKey, key },
    work.tolerated,
  );
  if (wrapped.value === null) return { rv: wrapped.rv };
  return yield* comesBack(work, mechanism, privateKey, key, wrapped.value);
}

/** A key goes out and comes in again the same. `bytes` null: one that the token makes. */
function* wrapsBack(work: Trial, mechanism: Mechanism, bytes: Uint8Array | null): Flow<Found> {
  const kek = yield* makeSecret(work, aes("wrap", false));
  if (kek.value === null) return { rv: kek.rv };
  const target = yield* makeTarget(work, bytes);
  if (target.value === null) return { rv: target.rv };
  const wrappingKey = kek.value;
  const key = target.value;
  const wrapped = yield* attempt("wrapKey", { mechanism, wrappingKey, key }, work.tolerated);
  if (wrapped.value === null) return { rv: wrapped.rv };
  return yield* comesBack(work, mechanism, wrappingKey, key, wrapped.value);
}

function* comesBack(
  work: Trial,
  mechanism: Mechanism,
  unwrappingKey: Handle,
  original: Handle,
  wrapped: Uint8Array,
): Flow<Found> {
  const value = { object: original, types: [cka.value] };
  const before = yield* attempt("attributes", value, work.tolerated);
  if (before.value === null) return { rv: before.rv };
  const [plain] = before.value;
  if (plain === undefined) return wrong;
  const size = { type: cka.valueLen, value: plain.length };
  const needed = work.core.profile.valueLenOnUnwrap === "required" ? [size] : [];
  const template = [...passingKeyTemplate(null), ...needed];
  const call = { mechanism, unwrappingKey, wrapped, template };
  const back = yield* attempt("unwrapKey", call, work.tolerated);
  if (back.value === null) return { rv: back.rv };
  const after = yield* ask("attributes", { object: back.value, types: [cka.value] });
  return after[0] !== undefined && equalBytes(plain, after[0]) ? true : wrong;
}

function* signs(
  work: Trial,
  algorithm: Parameters<typeof mechanismOf>[0],
  spec: KeySpec,
): Flow<Found> {
  const pair = yield* makePair(work, spec);
  if (pair.value === null) return { rv: pair.rv };
  const { publicKey, privateKey } = pair.value;
  const mechanism = mechanismOf(algorithm);
  const data = toBeSigned(work.core, algorithm, keyBytes("what a trial signs"));
  const signed = yield* attempt("sign", { mechanism, key: privateKey, data }, work.tolerated);
  if (signed.value === null) return { rv: signed.rv };
  const call = { mechanism, key: publicKey, data, signature: signed.value };
  const verified = yield* attempt("verify", call, work.tolerated);
  return verified.rv === ckr.ok ? true : { rv: verified.rv };
}

function* makeSecret(work: Trial, spec: KeySpec): Flow<TokenAnswer<"generateKey">> {
  const { mechanism, key } = keyTemplates(work.core, trialPlan(spec));
  return yield* attempt("generateKey", { mechanism, template: key }, work.tolerated);
}

function* makePair(work: Trial, spec: KeySpec): Flow<TokenAnswer<"generateKeyPair">> {
  const { mechanism, key, publicKey } = keyTemplates(work.core, trialPlan(spec));
  const call = { mechanism, publicTemplate: publicKey!, privateTemplate: key };
  return yield* attempt("generateKeyPair", call, work.tolerated);
}

/** What is wrapped, and may be read. */
function* makeTarget(
  work: Trial,
  bytes: Uint8Array | null,
): Flow<TokenAnswer<"generateKey" | "createObject">> {
  if (bytes === null) {
    const plan: KeyPlan = { ...trialPlan(aes("encrypt", true)), readable: true };
    const { mechanism, key } = keyTemplates(work.core, plan);
    return yield* attempt("generateKey", { mechanism, template: key }, work.tolerated);
  }
  return yield* attempt("createObject", { template: passingKeyTemplate(bytes) }, work.tolerated);
}

function trialPlan(spec: KeySpec): KeyPlan {
  const label = keyBytes("trial-v1");
  return { spec, label, id: keyBytes("trial"), token: false, wrapsByEncrypting: false };
}

function aes(purpose: KeySpec["purpose"], exportable: boolean): KeySpec {
  return { algorithm: "aes", bits: 256, purpose, exportable };
}

function ec(bits: number): KeySpec {
  return { algorithm: "ec", bits, purpose: "sign", exportable: false };
}

function rsa(purpose: KeySpec["purpose"]): KeySpec {
  return { algorithm: "rsa", bits: 2048, purpose, exportable: false };
}
