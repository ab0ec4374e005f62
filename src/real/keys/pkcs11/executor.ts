/**
 * Executes `TokenCall`s against a PKCS#11 library, one after the other, by the synchronous functions
 * alone: what the others do in threads crashes libraries that are not made for it.
 *
 * An Init and its operation are one call. After an error the operation may still be active in its
 * session, and there is no way to cancel it: a session in which a call with a mechanism or a search
 * has failed must be closed and never used again.
 */
import type {
  Handle,
  Mechanism,
  MechanismDescription,
  SlotDescription,
  TokenAnswer,
  TokenCall,
} from "../../../core/hsm/cryptoki/calls.js";
import { noCall } from "../../../core/hsm/cryptoki/calls.js";
import { cka, ckr } from "../../../core/hsm/cryptoki/constants.js";
import { type Cryptoki, type NativeTemplate, osLockingOk } from "./cryptoki.js";
import { type GcmIvMaker, decryptMechanism, encryptMechanism } from "./gcm-iv.js";
import { Handles } from "./handles.js";
import { MalformedCallError } from "./malformed.js";
import { nativeBytes, nativeMechanism, nativeTemplate, nativeUlong, u32 } from "./native.js";
import { returnValueOf } from "./return-value.js";

export interface ExecutorOptions {
  readonly gcmIv: GcmIvMaker;
  /** C_Login with the PIN, or the reason why it was not called. */
  readonly login: (session: Buffer) => number;
}

export const dataBytesMax: number = 2 << 20;
export const objectsFoundMax: number = 1 << 16;
const randomBytesMax = 1 << 20;
/** Of one C_FindObjects. */
const foundAtOnce = 256;
/** What an answer may be longer than what was given: a tag, an IV, a block, an RSA modulus. */
const longerBytesMax = 2048;
/** The longest wrapped key: PKCS#8 of RSA with 16,384 bits. */
const wrappedBytesMax = 1 << 14;

const readWriteSerial = 6;

const done = null;

export class TokenExecutor {
  readonly #cryptoki: Cryptoki;
  readonly #options: ExecutorOptions;
  readonly #handles = new Handles();
  #scratch = Buffer.alloc(1 << 16);

  constructor(cryptoki: Cryptoki, options: ExecutorOptions) {
    this.#cryptoki = cryptoki;
    this.#options = options;
  }

  /** Never throws. Bytes in the answer are good until the next call. */
  execute(call: TokenCall): TokenAnswer {
    try {
      return this.#answer(call);
    } catch (error) {
      if (error instanceof MalformedCallError) return { rv: noCall.malformed, value: null };
      // Without a number the binding refused an argument.
      return { rv: returnValueOf(error) ?? noCall.malformed, value: null };
    }
  }

  #answer(call: TokenCall): TokenAnswer {
    switch (call.fn) {
      case "login": {
        const rv = this.#options.login(this.#session(call.session));
        return rv === ckr.ok ? { rv, value: done } : { rv, value: null };
      }
      case "initialize":
      case "finalize":
      case "slots":
      case "mechanisms":
        return { rv: ckr.ok, value: this.#ofLibrary(call) };
      case "encrypt":
      case "decrypt":
      case "sign":
      case "verify":
        return { rv: ckr.ok, value: this.#operate(call) };
      case "wrapKey":
      case "unwrapKey":
      case "generateKey":
      case "generateKeyPair":
        return { rv: ckr.ok, value: this.#makeKey(call) };
      default:
        return this.#inSession(call);
    }
  }

  #ofLibrary(
    call: TokenCall & { fn: "initialize" | "finalize" | "slots" | "mechanisms" },
  ): readonly SlotDescription[] | readonly MechanismDescription[] | null {
    switch (call.fn) {
      case "initialize":
        this.#cryptoki.C_Initialize({ flags: osLockingOk });
        return done;
      case "finalize":
        this.#cryptoki.C_Finalize();
        return done;
      case "slots":
        return this.#slots();
      default:
        return this.#mechanisms(call.slot);
    }
  }

  #slots(): readonly SlotDescription[] {
    const cryptoki = this.#cryptoki;
    return cryptoki.C_GetSlotList(true).flatMap((slot) => {
      const info = unless(noToken, () => cryptoki.C_GetTokenInfo(slot));
      if (info === null) return [];
      return {
        slot: Number(slot.readBigUInt64LE()),
        label: unpadded(info.label),
        manufacturer: unpadded(info.manufacturerID),
        model: unpadded(info.model),
        serial: unpadded(info.serialNumber),
        flags: info.flags,
      };
    });
  }

  #mechanisms(slot: number): readonly MechanismDescription[] {
    const native = nativeUlong(slot);
    const cryptoki = this.#cryptoki;
    return cryptoki.C_GetMechanismList(native).flatMap((type) => {
      const info = unless(noMechanism, () => cryptoki.C_GetMechanismInfo(native, type));
      return info === null ? [] : { type, ...info };
    });
  }

  #operate(call: TokenCall & { fn: "encrypt" | "decrypt" | "sign" | "verify" }): Uint8Array | null {
    const cryptoki = this.#cryptoki;
    const session = this.#session(call.session);
    const key = this.#object(call.key);
    const data = nativeBytes(call.data, dataBytesMax);
    switch (call.fn) {
      case "encrypt": {
        const { mechanism, finish } = encryptMechanism(call.mechanism, this.#options.gcmIv);
        cryptoki.C_EncryptInit(session, mechanism, key);
        return finish(cryptoki.C_Encrypt(session, data, this.#room(data.length)));
      }
      case "decrypt": {
        const given = decryptMechanism(call.mechanism, data, this.#options.gcmIv);
        cryptoki.C_DecryptInit(session, given.mechanism, key);
        return cryptoki.C_Decrypt(session, given.data, this.#room(data.length));
      }
      case "sign":
        cryptoki.C_SignInit(session, nativeMechanism(call.mechanism), key);
        return cryptoki.C_Sign(session, data, this.#room(0));
      default: {
        const signature = nativeBytes(call.signature, dataBytesMax);
        cryptoki.C_VerifyInit(session, nativeMechanism(call.mechanism), key);
        cryptoki.C_Verify(session, data, signature);
        return done;
      }
    }
  }

  #makeKey(
    call: TokenCall & { fn: "wrapKey" | "unwrapKey" | "generateKey" | "generateKeyPair" },
  ): Uint8Array | Handle | { readonly publicKey: Handle; readonly privateKey: Handle } {
    const cryptoki = this.#cryptoki;
    const session = this.#session(call.session);
    switch (call.fn) {
      case "wrapKey":
        return this.#wrap(session, call.mechanism, call.wrappingKey, call.key);
      case "unwrapKey": {
        const wrapped = nativeBytes(call.wrapped, dataBytesMax);
        const mechanism = nativeMechanism(call.mechanism);
        const unwrapping = this.#object(call.unwrappingKey);
        const template = nativeTemplate(call.template);
        return this.#objectHandle(
          cryptoki.C_UnwrapKey(session, mechanism, unwrapping, wrapped, template),
        );
      }
      case "generateKey": {
        const template = nativeTemplate(call.template);
        return this.#objectHandle(
          cryptoki.C_GenerateKey(session, nativeMechanism(call.mechanism), template),
        );
      }
      default: {
        const pair = cryptoki.C_GenerateKeyPair(
          session,
          nativeMechanism(call.mechanism),
          nativeTemplate(call.publicTemplate),
          nativeTemplate(call.privateTemplate),
        );
        return {
          publicKey: this.#objectHandle(pair.publicKey),
          privateKey: this.#objectHandle(pair.privateKey),
        };
      }
    }
  }

  #wrap(session: Buffer, mechanism: Mechanism, wrappingKey: Handle, key: Handle): Uint8Array {
    const { mechanism: native, finish } = encryptMechanism(mechanism, this.#options.gcmIv);
    const wrapping = this.#object(wrappingKey);
    const wrapped = this.#object(key);
    const room = this.#room(wrappedBytesMax);
    return finish(this.#cryptoki.C_WrapKey(session, native, wrapping, wrapped, room));
  }

  #inSession(call: TokenCall & { fn: SessionFunction }): TokenAnswer {
    const cryptoki = this.#cryptoki;
    switch (call.fn) {
      case "openSession": {
        const session = cryptoki.C_OpenSession(nativeUlong(call.slot), readWriteSerial);
        return { rv: ckr.ok, value: this.#handles.toString("session", session) };
      }
      case "closeSession":
        cryptoki.C_CloseSession(this.#session(call.session));
        return { rv: ckr.ok, value: done };
      case "sessionInfo": {
        const { slotID, state } = cryptoki.C_GetSessionInfo(this.#session(call.session));
        return { rv: ckr.ok, value: { slot: Number(slotID.readBigUInt64LE()), state } };
      }
      case "logout":
        cryptoki.C_Logout(this.#session(call.session));
        return { rv: ckr.ok, value: done };
      case "generateRandom": {
        const { lengthBytes } = call;
        if (u32(lengthBytes) > randomBytesMax) throw new MalformedCallError("too many bytes");
        const room = this.#room(lengthBytes).subarray(0, lengthBytes);
        cryptoki.C_GenerateRandom(this.#session(call.session), room);
        return { rv: ckr.ok, value: room };
      }
      default:
        return this.#ofObjects(call);
    }
  }

  #ofObjects(call: TokenCall & { fn: ObjectFunction }): TokenAnswer {
    const cryptoki = this.#cryptoki;
    const session = this.#session(call.session);
    switch (call.fn) {
      case "find":
        return { rv: ckr.ok, value: this.#find(session, call) };
      case "createObject": {
        const object = cryptoki.C_CreateObject(session, nativeTemplate(call.template));
        return { rv: ckr.ok, value: this.#objectHandle(object) };
      }
      case "destroyObject":
        cryptoki.C_DestroyObject(session, this.#object(call.object));
        return { rv: ckr.ok, value: done };
      case "setAttributes": {
        const template = nativeTemplate(call.template);
        cryptoki.C_SetAttributeValue(session, this.#object(call.object), template);
        return { rv: ckr.ok, value: done };
      }
      default:
        return this.#attributes(session, call);
    }
  }

  /** A search must be ended before anything else is done in its session. */
  #find(session: Buffer, call: TokenCall & { fn: "find" }): readonly Handle[] {
    const max = u32(call.max);
    if (max > objectsFoundMax) throw new MalformedCallError(`more than ${objectsFoundMax} objects`);
    const cryptoki = this.#cryptoki;
    const found: Handle[] = [];
    cryptoki.C_FindObjectsInit(session, nativeTemplate(call.template));
    try {
      while (found.length < max) {
        const batch = cryptoki.C_FindObjects(session, Math.min(foundAtOnce, max - found.length));
        if (batch.length === 0) break;
        for (const object of batch) found.push(this.#objectHandle(object));
      }
    } finally {
      cryptoki.C_FindObjectsFinal(session);
    }
    return found;
  }

  #attributes(session: Buffer, call: TokenCall & { fn: "attributes" }): TokenAnswer {
    const cryptoki = this.#cryptoki;
    const types = nativeTemplate(call.types.map((type) => ({ type, value: false })));
    const asked = types.map(({ type }) => ({ type }));
    const object = this.#object(call.object);
    const read = readable(types, () => cryptoki.C_GetAttributeValue(session, object, asked));
    if (read === null) return { rv: ckr.attributeTypeInvalid, value: null };
    const values: Uint8Array[] = [];
    for (const { value } of read) {
      // CK_UNAVAILABLE_INFORMATION, where the library gives CKR_OK all the same.
      if (value === undefined) return { rv: ckr.attributeTypeInvalid, value: null };
      values.push(value);
    }
    return { rv: ckr.ok, value: values };
  }

  #session(handle: Handle): Buffer {
    return this.#handles.toNative("session", handle);
  }

  #object(handle: Handle): Buffer {
    return this.#handles.toNative("object", handle);
  }

  #objectHandle(native: Buffer): Handle {
    return this.#handles.toString("object", native);
  }

  /** No function tells how long its answer will be. */
  #room(dataBytes: number): Buffer {
    const needed = dataBytes + longerBytesMax;
    if (this.#scratch.length < needed) this.#scratch = Buffer.alloc(needed);
    return this.#scratch;
  }
}

type ObjectFunction = "find" | "createObject" | "destroyObject" | "setAttributes" | "attributes";
type SessionFunction =
  ObjectFunction | "openSession" | "closeSession" | "sessionInfo" | "logout" | "generateRandom";

/** What an empty slot, or one whose token went away meanwhile, answers. */
const noToken: readonly number[] = [
  ckr.slotIdInvalid,
  ckr.deviceRemoved,
  ckr.tokenNotPresent,
  ckr.tokenNotRecognized,
];
const noMechanism: readonly number[] = [ckr.mechanismInvalid];

/** Null when `ask` throws one of these return values. */
function unless<T>(codes: readonly number[], ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if (codes.includes(returnValueOf(error) ?? ckr.ok)) return null;
    throw error;
  }
}

/** The binding gives no date that is not set: it takes the value for one of the wrong length. */
function readable<T>(types: NativeTemplate, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const dates = types.some(({ type }) => type === cka.startDate || type === cka.endDate);
    if (dates && error instanceof TypeError) return null;
    throw error;
  }
}

function unpadded(text: string): string {
  return text.replace(/[\0 ]+$/, "");
}
