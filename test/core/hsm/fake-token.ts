/**
 * A small PKCS#11 token in memory, and modules that reach it: sessions, login and handles belong to a
 * module, token objects to all of them. AES is real, signatures and RSA are of a toy that needs the
 * same key for both halves. Not the simulator's model: only what these tests need.
 */
import { createCipheriv } from "node:crypto";
import type {
  Mechanism,
  SlotDescription,
  Template,
  TokenAnswer,
  TokenCall,
} from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckf, ckm, cko, ckr, cks } from "../../../src/core/hsm/cryptoki/constants.js";
import {
  bytesOf,
  gcmOf,
  gcmOpen,
  gcmSeal,
  hashOf,
  join,
  kwp,
  modulusOf,
  pointOf,
  same,
  toySignature,
  unwrapBytes,
} from "./fake-crypto.js";
import {
  type FakeObject,
  cameIn,
  madeHere,
  numberOf,
  ok,
  raw,
  readOf,
  refused,
} from "./fake-objects.js";
import { type RandomState, nextWord, seededRandom } from "../../../src/core/random.js";

export interface FakeQuirks {
  readonly uniqueLabels?: boolean;
  readonly refusedMechanisms?: readonly number[];
  readonly noRename?: boolean;
  readonly noDataObjects?: boolean;
  readonly noImport?: boolean;
  /** As SoftHSM 2.6.1: zeros before wrapping, which come back. */
  readonly padsInSilence?: boolean;
  /** Ignores what is asked of it. */
  readonly forcesAttributes?: Template;
  readonly snapshots?: boolean;
  /** As SoftHSM: what others made is seen once the token has changed since, and an own write hides that. */
  readonly ownWritesHideOthers?: boolean;
  /** Keys stay, whatever is asked. */
  readonly tokenKeysOnly?: boolean;
}

/** Shared by every module. */
export class FakeToken {
  readonly objects = new Set<FakeObject>();
  readonly quirks: FakeQuirks;
  readonly random: RandomState;
  serial = 0;
  /** Counts writes. */
  generation = 0;
  pinGood = true;
  logins = 0;
  slots: SlotDescription[] = [
    {
      slot: 7,
      label: "t1",
      manufacturer: "",
      model: "",
      serial: "s1",
      flags: ckf.tokenInitialized,
    },
  ];

  constructor(quirks: FakeQuirks = {}, seed = 1) {
    this.quirks = quirks;
    this.random = seededRandom([seed, 2, 3, 4]);
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => nextWord(this.random) & 0xff);
  }

  /** Token keys by their label. */
  labels(objectClass: number): string[] {
    return [...this.objects]
      .filter((o) => o.session === null && numberOf(o, cka.class) === objectClass)
      .map((o) => new TextDecoder().decode(o.attributes.get(cka.label)));
  }
}

/** One process of the module. */
export class FakeModule {
  readonly token: FakeToken;
  readonly #sessions = new Set<string>();
  readonly #handles = new Map<string, FakeObject>();
  #snapshot: Set<FakeObject> | null = null;
  #generation = 0;
  #next = 0;
  initialized = false;
  loggedIn = false;
  /** Every use of a key by a private operation: the reference's id against what was really used. */
  readonly used: { fn: string; id: string }[] = [];

  constructor(token: FakeToken) {
    this.token = token;
  }

  loseSessions(): void {
    this.#sessions.clear();
    this.#afterSessions();
  }

  loseLogin(): void {
    this.loggedIn = false;
    this.reuseHandles();
  }

  forgetInit(): void {
    this.initialized = false;
    this.loseSessions();
  }

  /** Numbers that were given out come to name other keys, as they do in some modules. */
  reuseHandles(): void {
    for (const objectClass of Object.values(cko)) {
      const live = [...this.#handles].filter(
        ([, object]) =>
          this.token.objects.has(object) && numberOf(object, cka.class) === objectClass,
      );
      live.forEach(([name], at) => this.#handles.set(name, live[(at + 1) % live.length]![1]));
    }
  }

  #afterSessions(): void {
    if (this.#sessions.size > 0) return;
    this.loggedIn = false;
    this.reuseHandles();
  }

  call(call: TokenCall): TokenAnswer {
    if (call.fn === "initialize") return this.#initialize();
    if (!this.initialized) return refused(ckr.cryptokiNotInitialized);
    if ("session" in call && !this.#sessions.has(call.session)) {
      return refused(ckr.sessionHandleInvalid);
    }
    switch (call.fn) {
      case "finalize":
        this.forgetInit();
        return ok(null);
      case "slots":
        return ok(this.token.slots);
      case "mechanisms":
        return ok([]);
      case "openSession": {
        if (!this.token.slots.some(({ slot }) => slot === call.slot)) {
          return refused(ckr.tokenNotPresent);
        }
        const session = `S${++this.#next}`;
        this.#sessions.add(session);
        return ok(session);
      }
      case "closeSession":
        this.#sessions.delete(call.session);
        for (const object of this.token.objects) {
          if (object.session === this.#own(call.session)) this.token.objects.delete(object);
        }
        this.#afterSessions();
        return ok(null);
      case "sessionInfo":
        return ok({ slot: 7, state: this.loggedIn ? cks.rwUser : cks.rwPublic });
      case "login":
        if (this.loggedIn) return refused(ckr.userAlreadyLoggedIn);
        this.token.logins++;
        if (!this.token.pinGood) return refused(ckr.pinIncorrect);
        this.loggedIn = true;
        return ok(null);
      case "logout":
        if (!this.loggedIn) return refused(ckr.userNotLoggedIn);
        this.loggedIn = false;
        this.reuseHandles();
        return ok(null);
      case "generateRandom":
        return ok(this.token.bytes(call.lengthBytes));
      default:
        return this.#objectCall(call);
    }
  }

  #initialize(): TokenAnswer {
    if (this.initialized) return refused(ckr.cryptokiAlreadyInitialized);
    this.initialized = true;
    const { snapshots, ownWritesHideOthers } = this.token.quirks;
    if (snapshots === true || ownWritesHideOthers === true) this.#look();
    return ok(null);
  }

  #look(): void {
    this.#snapshot = new Set(this.token.objects);
    this.#generation = this.token.generation;
  }

  #wrote(object: FakeObject): void {
    if (object.session === null) this.#generation = ++this.token.generation;
  }

  #own(session: string): string {
    return `${this.#id}${session}`;
  }

  readonly #id = `M${++modules}:`;

  #objectCall(call: TokenCall & { session: string }): TokenAnswer {
    if (!this.loggedIn && !("template" in call && call.fn === "find")) {
      return refused(ckr.userNotLoggedIn);
    }
    const { quirks } = this.token;
    switch (call.fn) {
      case "find":
        return ok(this.#find(call.template, call.max));
      case "attributes": {
        const object = this.#at(call.object);
        if (object === null) return refused(ckr.objectHandleInvalid);
        return readOf(object, call.types);
      }
      case "setAttributes": {
        const object = this.#at(call.object);
        if (object === null) return refused(ckr.objectHandleInvalid);
        if (quirks.noRename === true) return refused(ckr.attributeReadOnly);
        for (const { type, value } of call.template) object.attributes.set(type, raw(value));
        return ok(null);
      }
      case "createObject":
        return this.#create(call.session, call.template);
      case "destroyObject": {
        const object = this.#at(call.object);
        if (object === null) return refused(ckr.objectHandleInvalid);
        this.token.objects.delete(object);
        this.#wrote(object);
        return ok(null);
      }
      case "generateKey":
        if (this.#clashes(call.template)) return refused(ckr.attributeValueInvalid);
        return ok(this.#add(call.session, [...call.template, ...madeHere], this.token.bytes(32)));
      case "generateKeyPair":
        return this.#pair(call);
      default:
        return this.#useKey(call);
    }
  }

  #pair(call: TokenCall & { readonly fn: "generateKeyPair" }): TokenAnswer {
    if (this.#clashes(call.privateTemplate)) return refused(ckr.attributeValueInvalid);
    const secret = this.token.bytes(32);
    const curve = call.publicTemplate.find(({ type }) => type === cka.ecParams);
    const bits = call.publicTemplate.find(({ type }) => type === cka.modulusBits)?.value;
    const shown: Template =
      curve !== undefined
        ? [
            curve,
            { type: cka.ecPoint, value: pointOf(secret, raw(curve.value).length === 10 ? 64 : 96) },
          ]
        : [
            { type: cka.modulus, value: modulusOf(secret, Number(bits) / 8) },
            { type: cka.publicExponent, value: Uint8Array.of(1, 0, 1) },
          ];
    const own = curve !== undefined ? [curve] : shown.slice(0, 1);
    const publicKey = this.#add(call.session, [...call.publicTemplate, ...shown], secret);
    const template = [...call.privateTemplate, ...own, ...madeHere];
    return ok({ publicKey, privateKey: this.#add(call.session, template, secret) });
  }

  #create(session: string, template: Template): TokenAnswer {
    const { quirks } = this.token;
    const value = template.find(({ type }) => type === cka.value)?.value ?? new Uint8Array(0);
    const objectClass = template.find(({ type }) => type === cka.class)?.value;
    if (objectClass === cko.data && quirks.noDataObjects === true) {
      return refused(ckr.functionNotSupported);
    }
    if (objectClass === cko.secretKey && quirks.noImport === true) {
      return refused(ckr.functionNotSupported);
    }
    return ok(this.#add(session, template, value as Uint8Array));
  }

  #clashes(template: Template): boolean {
    if (this.token.quirks.uniqueLabels !== true) return false;
    const label = raw(template.find(({ type }) => type === cka.label)!.value);
    return this.#find([{ type: cka.label, value: label }], 1).length > 0;
  }

  #add(session: string, template: Template, secret: Uint8Array): string {
    const attributes = new Map<number, Uint8Array>();
    const forced = this.token.quirks.forcesAttributes ?? [];
    for (const { type, value } of [...template, ...forced]) attributes.set(type, raw(value));
    if (!attributes.has(cka.valueLen)) attributes.set(cka.valueLen, raw(secret.length));
    const isKey = attributes.get(cka.class)?.[0] !== cko.data;
    if (isKey && this.token.quirks.tokenKeysOnly === true) attributes.set(cka.token, raw(true));
    const token = attributes.get(cka.token)?.[0] === 1;
    const owner = token ? null : this.#own(session);
    const object = { attributes, secret, session: owner, serial: ++this.token.serial };
    this.token.objects.add(object);
    this.#snapshot?.add(object);
    this.#wrote(object);
    return this.#handle(object);
  }

  #handle(object: FakeObject): string {
    for (const [name, known] of this.#handles) if (known === object) return name;
    const name = `H${++this.#next}`;
    this.#handles.set(name, object);
    return name;
  }

  #at(handle: string): FakeObject | null {
    const object = this.#handles.get(handle);
    return object === undefined || !this.token.objects.has(object) ? null : object;
  }

  #find(template: Template, max: number): string[] {
    const found: string[] = [];
    const { generation, quirks } = this.token;
    if (quirks.ownWritesHideOthers === true && generation !== this.#generation) this.#look();
    for (const object of this.token.objects) {
      const seen = this.#snapshot === null || this.#snapshot.has(object);
      const mine = object.session === null || object.session.startsWith(this.#id);
      const hidden = !this.loggedIn && object.attributes.get(cka.private)?.[0] === 1;
      if (!seen || !mine || hidden || found.length >= max) continue;
      const fits = template.every(({ type, value }) =>
        same(object.attributes.get(type), raw(value)),
      );
      if (fits) found.push(this.#handle(object));
    }
    return found;
  }

  #useKey(call: TokenCall & { session: string }): TokenAnswer {
    if ("mechanism" in call && this.token.quirks.refusedMechanisms?.includes(call.mechanism.type)) {
      return refused(ckr.mechanismInvalid);
    }
    switch (call.fn) {
      case "encrypt":
      case "decrypt":
      case "sign":
      case "verify": {
        const key = this.#at(call.key);
        if (key === null) return refused(ckr.keyHandleInvalid);
        const use = {
          encrypt: cka.encrypt,
          decrypt: cka.decrypt,
          sign: cka.sign,
          verify: cka.verify,
        };
        if (key.attributes.get(use[call.fn])?.[0] !== 1)
          return refused(ckr.keyFunctionNotPermitted);
        this.#note(call.fn, key);
        return this.#crypt(call, key.secret);
      }
      case "wrapKey": {
        const kek = this.#at(call.wrappingKey);
        const key = this.#at(call.key);
        if (kek === null) return refused(ckr.wrappingKeyHandleInvalid);
        if (key === null) return refused(ckr.keyHandleInvalid);
        if (kek.attributes.get(cka.wrap)?.[0] !== 1) return refused(ckr.keyFunctionNotPermitted);
        if (key.attributes.get(cka.extractable)?.[0] !== 1) return refused(ckr.keyUnextractable);
        this.#note(call.fn, kek);
        return this.#wrap(kek.secret, call.mechanism, key.secret);
      }
      case "unwrapKey": {
        const kek = this.#at(call.unwrappingKey);
        if (kek === null) return refused(ckr.unwrappingKeyHandleInvalid);
        if (kek.attributes.get(cka.unwrap)?.[0] !== 1) return refused(ckr.keyFunctionNotPermitted);
        this.#note(call.fn, kek);
        const bytes = unwrapBytes(kek.secret, call.mechanism, call.wrapped);
        if (bytes === null) return refused(ckr.generalError);
        return ok(this.#add(call.session, [...call.template, ...cameIn], bytes));
      }
      default:
        return refused(ckr.functionNotSupported);
    }
  }

  #note(fn: string, key: FakeObject): void {
    this.used.push({ fn, id: Buffer.from(key.attributes.get(cka.id) ?? []).toString("hex") });
  }

  #crypt(
    call: TokenCall & { fn: "encrypt" | "decrypt" | "sign" | "verify" },
    secret: Uint8Array,
  ): TokenAnswer {
    if (call.fn === "sign") return ok(toySignature(secret, call.mechanism, call.data));
    if (call.fn === "verify") {
      const right = toySignature(secret, call.mechanism, call.data);
      return same(right, call.signature) ? ok(null) : refused(ckr.signatureInvalid);
    }
    if (call.fn === "encrypt") {
      const { iv, aad } = gcmOf(call.mechanism);
      const made = iv ?? this.token.bytes(12);
      const sealed = gcmSeal(secret, made, aad, call.data);
      return ok(iv === null ? join(made, sealed) : sealed);
    }
    const { iv, aad } = gcmOf(call.mechanism);
    const from = iv === null ? call.data.subarray(0, 12) : iv;
    const body = iv === null ? call.data.subarray(12) : call.data;
    const opened = gcmOpen(secret, from, aad, body);
    return opened === null ? refused(ckr.generalError) : ok(opened);
  }

  #wrap(kek: Uint8Array, mechanism: Mechanism, secret: Uint8Array): TokenAnswer {
    switch (mechanism.type) {
      case ckm.aesKeyWrapPad: {
        const padded = new Uint8Array(Math.ceil(secret.length / 8) * 8);
        padded.set(secret);
        return ok(kwp(kek, this.token.quirks.padsInSilence === true ? padded : secret));
      }
      case ckm.aesCbcPad: {
        const cipher = createCipheriv("aes-256-cbc", kek, bytesOf(mechanism));
        return ok(join(cipher.update(secret), cipher.final()));
      }
      case ckm.rsaPkcsOaep: {
        const iv = this.token.bytes(12);
        return ok(join(iv, gcmSeal(kek, iv, hashOf(mechanism), secret)));
      }
      case ckm.aesGcm: {
        const { iv, aad } = gcmOf(mechanism);
        const made = iv ?? this.token.bytes(12);
        const sealed = gcmSeal(kek, made, aad, secret);
        return ok(iv === null ? join(made, sealed) : sealed);
      }
      default:
        return refused(ckr.mechanismInvalid);
    }
  }
}

let modules = 0;
