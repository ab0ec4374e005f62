/**
 * The embedded default: an `Hsm` whose keys are in one file under a passphrase, and in this process's
 * memory while it runs. It keeps the same rules as a token does; it is no protection against who can read
 * that memory.
 */
import type { KeyPurpose, KeyReference, WrapMechanism } from "../../../core/hsm/keys.js";
import type {
  Capability,
  HsmEvents,
  HsmRequest,
  HsmResult,
  HsmValue,
} from "../../../core/ports/hsm.js";
import { adminDigestOf, isAdmin } from "../admin.js";
import type { ClosableHsm } from "../key-store-of.js";
import type { AdminCapability } from "../key-store.js";
import { dataKeysOf, type DataKeys, type Vault } from "../vault.js";
import { EncryptionCounts } from "./encryption-counts.js";
import { describeKey, keyOfMaterial, newKeyId, type HeldKey } from "./held-key.js";
import type { KeyFile } from "./key-file.js";
import { KeyFileError } from "./key-file-error.js";
import { KeyMaking } from "./key-making.js";
import { KeyRing } from "./key-ring.js";
import { signMessage, verifyMessage } from "./primitives.js";
import { hsmErrorOf, refusedBy, Refusal } from "./refusal.js";
import { isGcmRight, tryCapabilities } from "./trials.js";
import { checkData, checkPurpose, checkSignature } from "./use.js";
import {
  decryptData,
  encryptData,
  isCounted,
  unwrapMaterial,
  wrapMaterial,
  wrapMechanismFor,
  wrapsDefault,
} from "./wrapping.js";

export interface SoftwareHsmParts {
  /** Closed with the HSM. */
  readonly file: KeyFile;
  /** Holds the data keys that are wrapped and unwrapped; without one there are none. */
  readonly vault?: Vault;
  /** Who may delete; without one nobody may. */
  readonly admin?: AdminCapability;
  /** Allowed, in the order of preference. Default AES-KWP and RSA-OAEP with SHA-256. */
  readonly wraps?: readonly WrapMechanism[];
  /** Of what goes on but should not for long: P4, half of a key's encryptions; P10, a weaker KEK. */
  readonly onWarning?: (warning: PolicyWarning) => void;
}

export interface PolicyWarning {
  readonly policy: "P4" | "P10";
  readonly key: KeyReference;
}

/** What `advise` is told besides descriptions. */
export interface KeyUsage {
  readonly key: KeyReference;
  readonly createdMs: number;
  /** An upper bound. */
  readonly encryptions: number;
}

/** Requests that wait or are at work; one more is answered `overloaded`. */
const waitingMax = 1_024;

/** The keys of an HSM as it holds them: for tests, which have keys of their own to put there. */
export let ringOf: (hsm: SoftwareHsm) => KeyRing;

export class SoftwareHsm implements ClosableHsm {
  readonly #file: KeyFile;
  readonly #dataKeys: DataKeys | null;
  readonly #adminDigest: Uint8Array | null;
  readonly #wraps: readonly WrapMechanism[];
  readonly #onWarning: (warning: PolicyWarning) => void;
  readonly #events: HsmEvents;
  readonly #ring: KeyRing;
  readonly #counts: EncryptionCounts;
  readonly #making: KeyMaking;
  /** `policy/id` of what was warned of. */
  readonly #warned = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #capabilities: Promise<Capability[]> | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: SoftwareHsmParts, events: HsmEvents) {
    this.#file = parts.file;
    this.#dataKeys = parts.vault === undefined ? null : dataKeysOf(parts.vault);
    this.#adminDigest = parts.admin === undefined ? null : adminDigestOf(parts.admin);
    this.#wraps = parts.wraps ?? wrapsDefault;
    this.#onWarning = parts.onWarning ?? (() => {});
    this.#events = events;
    this.#ring = new KeyRing(parts.file);
    this.#counts = new EncryptionCounts(parts.file, ({ reference }) => {
      this.#warnOnce("P4", reference);
    });
    this.#making = new KeyMaking(parts.file, this.#ring);
  }

  submit(op: number, request: HsmRequest): void {
    const running = this.#serve(op, request).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  static {
    ringOf = (hsm) => hsm.#ring;
  }

  /** Of every key at hand. */
  usage(): readonly KeyUsage[] {
    return this.#ring.all().map((key) => ({
      key: key.reference,
      createdMs: key.createdMs,
      encryptions: this.#counts.usedBy(key),
    }));
  }

  /** Waits for what is at work, wipes every key, and closes the file. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await Promise.all(this.#running);
      this.#ring.wipe();
      await this.#file.close();
    })();
    return this.#closing;
  }

  async #serve(op: number, request: HsmRequest): Promise<void> {
    const refusal =
      this.#closing !== null
        ? new Refusal("unavailable")
        : this.#running.size >= waitingMax
          ? new Refusal("overloaded")
          : null;
    // An answer is never given within the call that asks for it.
    await Promise.resolve();
    let result: HsmResult;
    try {
      if (refusal !== null) throw refusal;
      result = { ok: true, value: await this.#answer(request) };
    } catch (error) {
      result = { ok: false, error: hsmErrorOf(error, request.kind) };
    }
    this.#events.hsmDone(op, result);
  }

  async #answer(request: HsmRequest): Promise<HsmValue> {
    switch (request.kind) {
      case "open":
        await this.#ring.refresh();
        return { kind: "done" };
      case "generate": {
        const { name, spec, ifMissing } = request;
        return { kind: "key", key: describeKey(await this.#making.make(name, spec, ifMissing)) };
      }
      case "find":
        await this.#ring.refresh();
        return { kind: "keys", keys: this.#ring.describe(request.label) };
      case "sign":
      case "verify":
        return this.#signOrVerify(request);
      case "encrypt": {
        const { associatedData, bytes } = request;
        checkData(bytes, associatedData);
        await this.#counts.take(this.#keyFor(request.key, "encrypt"));
        // Looked up again: a key that was deleted meanwhile is all zeros now.
        const key = this.#keyFor(request.key, "encrypt");
        return { kind: "bytes", bytes: encryptData(key, associatedData, bytes) };
      }
      case "decrypt": {
        const key = this.#keyFor(request.key, "encrypt");
        const { associatedData, bytes } = request;
        checkData(bytes, associatedData);
        return { kind: "bytes", bytes: decryptData(key, associatedData, bytes) };
      }
      case "wrap":
        return { kind: "bytes", bytes: await this.#wrap(request) };
      case "unwrap":
        return this.#unwrap(request);
      case "delete":
        await this.#delete(request);
        return { kind: "done" };
      case "capabilities":
        this.#capabilities ??= tryCapabilities(this.#wraps);
        return { kind: "capabilities", capabilities: await this.#capabilities };
      case "health":
        return { kind: "health", health: await this.#health() };
    }
  }

  async #signOrVerify(
    request: Extract<HsmRequest, { kind: "sign" | "verify" }>,
  ): Promise<HsmValue> {
    const { algorithm, format, message } = request;
    const key = this.#keyFor(request.key, "sign");
    checkData(message);
    checkSignature(key, algorithm, format);
    const { privateKey, publicKey } = key.pair!;
    if (request.kind === "verify") {
      const valid = verifyMessage(publicKey, algorithm, format, message, request.signature);
      return { kind: "verified", valid };
    }
    const signature = await signMessage(privateKey, algorithm, format, message);
    if (signature === null) throw new Refusal("failed");
    return { kind: "bytes", bytes: signature };
  }

  async #wrap(request: Extract<HsmRequest, { kind: "wrap" }>): Promise<Uint8Array> {
    let kek = this.#keyFor(request.kek, "wrap");
    const mechanism = wrapMechanismFor(kek, this.#wraps);
    // Checked before the count, so that what is refused costs nothing.
    this.#materialOf(request.material);
    if (isCounted(mechanism)) {
      await this.#counts.take(kek);
      // Looked up again, for the same reason.
      kek = this.#keyFor(request.kek, "wrap");
    }
    // No RSA key that is made here is as strong as AES-256 (SP 800-57 part 1, table 2).
    if (kek.pair !== null) this.#warnOnce("P10", kek.reference);
    return wrapMaterial(kek, mechanism, this.#materialOf(request.material));
  }

  #materialOf(material: Extract<HsmRequest, { kind: "wrap" }>["material"]): Uint8Array {
    switch (material.kind) {
      case "bytes":
        checkData(material.bytes);
        return material.bytes;
      case "key": {
        const key = this.#ring.get(material.key);
        // Made inside to stay inside.
        if (!key.reference.spec.exportable) throw refusedBy("P12");
        return key.material;
      }
      case "dataKey": {
        const bytes = this.#dataKeys?.bytesOf(material.id) ?? null;
        if (bytes === null) throw new Refusal("notFound");
        return bytes;
      }
    }
  }

  #unwrap({ kek: reference, blob, into }: Extract<HsmRequest, { kind: "unwrap" }>): HsmValue {
    const kek = this.#keyFor(reference, "wrap");
    checkData(blob);
    if (into.kind === "key") this.#making.checkNew(into.name, into.spec);
    const material = unwrapMaterial(kek, blob, this.#wraps);
    if (into.kind === "bytes") return { kind: "bytes", bytes: material };
    try {
      if (into.kind === "dataKey") {
        const isHeld = this.#dataKeys?.hold(into.id, material) ?? false;
        if (!isHeld) throw new Refusal(this.#dataKeys === null ? "unsupported" : "failed");
        return { kind: "done" };
      }
      return { kind: "key", key: describeKey(this.#holdUnwrapped(into, material)) };
    } finally {
      material.fill(0);
    }
  }

  #holdUnwrapped(
    { name, spec }: Extract<Extract<HsmRequest, { kind: "unwrap" }>["into"], { kind: "key" }>,
    material: Uint8Array,
  ): HeldKey {
    const origin = { id: newKeyId(), name, spec, createdMs: Date.now() };
    const key = keyOfMaterial({ ...origin, permanent: false, local: false }, material);
    // Whoever can make blobs must not learn from the answer what is in them.
    if (key === null) throw new Refusal("authenticationFailed");
    this.#ring.holdForSession(key);
    return key;
  }

  async #delete({ key: reference, admin }: Extract<HsmRequest, { kind: "delete" }>): Promise<void> {
    if (!isAdmin(admin, this.#adminDigest)) throw new Refusal("notAdmin");
    await this.#ring.refresh();
    const key = this.#ring.get(reference);
    if (key.permanent) await this.#making.bury(key);
    else this.#ring.dropFromSession(key);
    this.#counts.forget(key);
  }

  async #health(): Promise<Extract<HsmValue, { kind: "health" }>["health"]> {
    let state = isGcmRight() ? "ready" : "wrong answers";
    try {
      await this.#ring.refresh();
    } catch (error) {
      state = error instanceof KeyFileError ? `key file ${error.code}` : "failed";
    }
    // This question is itself at work.
    const queued = this.#running.size - 1;
    return { state, working: state === "ready", epoch: this.#ring.epoch, queued, lastRv: 0 };
  }

  #warnOnce(policy: PolicyWarning["policy"], key: KeyReference): void {
    const warning = `${policy}/${key.id}`;
    if (this.#warned.has(warning)) return;
    this.#warned.add(warning);
    try {
      this.#onWarning({ policy, key });
    } catch {
      // Whoever listens cannot make an operation fail.
    }
  }

  #keyFor(reference: KeyReference, purpose: KeyPurpose): HeldKey {
    const key = this.#ring.get(reference);
    checkPurpose(key, purpose);
    return key;
  }
}
