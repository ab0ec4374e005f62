/** The promises of `KeyStore` over the `Hsm` port, whoever stands behind it. */
import type { KeyName, KeyReference, KeySpec } from "../../core/hsm/keys.js";
import type {
  Hsm,
  HsmError,
  HsmEvents,
  HsmRequest,
  HsmResult,
  HsmValue,
} from "../../core/ports/hsm.js";
import { KeyStoreError, type AdminCapability, type EnvelopeKeyStore } from "./key-store.js";
import { isNamed } from "./key-names.js";

/** An `Hsm` that can be ended: its sessions, its files, its process. */
export interface ClosableHsm extends Hsm {
  close(): Promise<void>;
}

export interface KeyStoreOptions {
  /** Beyond so many unanswered operations the next is rejected with `overloaded`. Default 1,024. */
  readonly inFlightMax?: number;
  /** So long one operation may take, in milliseconds. Default 60,000. */
  readonly deadlineMs?: number;
  /** The same for what makes keys: `generate`, and the trials of `capabilities`. Default 180,000. */
  readonly generateDeadlineMs?: number;
}

const inFlightMaxDefault = 1_024;
/** Above the deadlines of the HSMs themselves, which know better what happened. */
const deadlineMsDefault = 60_000;
const generateDeadlineMsDefault = 180_000;

/**
 * `connect` makes the HSM, or hands over one that is made, and tells it where its answers go.
 *
 *     const store = keyStoreOf((events) => new SoftwareHsm({ file }, events));
 */
export function keyStoreOf(
  connect: (events: HsmEvents) => ClosableHsm,
  options: KeyStoreOptions = {},
): EnvelopeKeyStore {
  const operations = new Operations(connect, options);
  const ask = operations.ask.bind(operations);
  return {
    generate: async (name, spec, { ifMissing = false } = {}) =>
      (await ask({ kind: "generate", name: checkedName(name), spec, ifMissing }, "key")).key,
    find: async (name) => {
      const { label, version } = checkedName(name);
      const { keys } = await ask({ kind: "find", label }, "keys");
      const named = keys.filter(({ reference }) => reference.version === version);
      if (named.length === 1) return named[0]!;
      throw refusal(named.length === 0 ? "notFound" : "ambiguous", "find");
    },
    list: async (label) => {
      if (label !== undefined) checkedName({ label, version: 1 });
      return (await ask(label === undefined ? { kind: "find" } : { kind: "find", label }, "keys"))
        .keys;
    },
    sign: async (key, algorithm, message, format = "der") =>
      (await ask({ kind: "sign", key, algorithm, format, message: copy(message) }, "bytes")).bytes,
    verify: async (key, algorithm, message, signature, format = "der") => {
      const bytes = { message: copy(message), signature: copy(signature) };
      return (await ask({ kind: "verify", key, algorithm, format, ...bytes }, "verified")).valid;
    },
    encrypt: async (key, plaintext, associatedData = none) => {
      const bytes = { bytes: copy(plaintext), associatedData: copy(associatedData) };
      return (await ask({ kind: "encrypt", key, ...bytes }, "bytes")).bytes;
    },
    decrypt: async (key, blob, associatedData = none) => {
      const bytes = { bytes: copy(blob), associatedData: copy(associatedData) };
      return (await ask({ kind: "decrypt", key, ...bytes }, "bytes")).bytes;
    },
    delete: async (key, admin) => {
      await ask({ kind: "delete", key, admin: secretOf(admin) }, "done");
    },
    capabilities: async () => (await ask({ kind: "capabilities" }, "capabilities")).capabilities,
    health: async () => (await ask({ kind: "health" }, "health")).health,
    close: () => operations.close(),
    ...envelopes(ask),
  };
}

type Ask = Operations["ask"];

function envelopes(ask: Ask): Pick<EnvelopeKeyStore, "wrap" | "unwrapToKey" | "unwrapToBytes"> {
  return {
    wrap: async (kek: KeyReference, material: KeyReference | Uint8Array) => {
      const what =
        material instanceof Uint8Array
          ? ({ kind: "bytes", bytes: copy(material) } as const)
          : ({ kind: "key", key: material } as const);
      return (await ask({ kind: "wrap", kek, material: what }, "bytes")).bytes;
    },
    unwrapToKey: async (kek: KeyReference, blob: Uint8Array, name: KeyName, spec: KeySpec) => {
      const into = { kind: "key", name: checkedName(name), spec } as const;
      return (await ask({ kind: "unwrap", kek, blob: copy(blob), into }, "key")).key;
    },
    unwrapToBytes: async (kek: KeyReference, blob: Uint8Array) => {
      const into = { kind: "bytes" } as const;
      return (await ask({ kind: "unwrap", kek, blob: copy(blob), into }, "bytes")).bytes;
    },
  };
}

const none: Uint8Array = new Uint8Array(0);

interface Waiting {
  readonly during: HsmRequest["kind"];
  readonly settle: (result: HsmResult) => void;
  readonly deadline: NodeJS.Timeout;
}

/** What was asked and not yet answered, by number. */
class Operations implements HsmEvents {
  readonly #hsm: ClosableHsm;
  readonly #inFlightMax: number;
  readonly #deadlineMs: number;
  readonly #generateDeadlineMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #lastOp = 0;
  #closing: Promise<void> | null = null;

  constructor(connect: (events: HsmEvents) => ClosableHsm, options: KeyStoreOptions) {
    this.#inFlightMax = options.inFlightMax ?? inFlightMaxDefault;
    this.#deadlineMs = options.deadlineMs ?? deadlineMsDefault;
    this.#generateDeadlineMs = options.generateDeadlineMs ?? generateDeadlineMsDefault;
    this.#hsm = connect(this);
  }

  /** An answer after its deadline, or after the end, is of no use to anybody. */
  hsmDone(op: number, result: HsmResult): void {
    const waiting = this.#waiting.get(op);
    if (waiting === undefined) return;
    this.#waiting.delete(op);
    clearTimeout(waiting.deadline);
    waiting.settle(result);
  }

  async ask<Kind extends HsmValue["kind"]>(
    request: HsmRequest,
    expected: Kind,
  ): Promise<Extract<HsmValue, { kind: Kind }>> {
    const during = request.kind;
    if (this.#closing !== null) throw refusal("unavailable", during);
    if (this.#waiting.size >= this.#inFlightMax) throw refusal("overloaded", during);
    const result = await this.#answer(request);
    if (!result.ok) throw new KeyStoreError(result.error);
    if (isOf(result.value, expected)) return result.value;
    throw refusal("failed", during);
  }

  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    // A port that refuses to be ended may say why, but never by another error than ours.
    this.#closing = this.#hsm.close().catch(() => {
      throw refusal("failed", "close");
    });
    for (const [op, { during }] of this.#waiting) {
      this.hsmDone(op, { ok: false, error: refusalOf(unanswered(during, "unavailable"), during) });
    }
    return this.#closing;
  }

  #answer(request: HsmRequest): Promise<HsmResult> {
    const op = ++this.#lastOp;
    const during = request.kind;
    const makesKeys = during === "generate" || during === "capabilities";
    return new Promise((settle) => {
      const deadline = setTimeout(
        () => {
          this.hsmDone(op, { ok: false, error: refusalOf(unanswered(during, "timeout"), during) });
        },
        makesKeys ? this.#generateDeadlineMs : this.#deadlineMs,
      );
      this.#waiting.set(op, { during, settle, deadline });
      try {
        this.#hsm.submit(op, request);
      } catch {
        this.hsmDone(op, { ok: false, error: refusalOf("failed", during) });
      }
    });
  }
}

/** What changes something may have been done although nobody heard of it. */
function unanswered(
  during: HsmRequest["kind"],
  otherwise: "timeout" | "unavailable",
): HsmError["code"] {
  return during === "generate" || during === "delete" ? "unknownOutcome" : otherwise;
}

function isOf<Kind extends HsmValue["kind"]>(
  value: HsmValue,
  kind: Kind,
): value is Extract<HsmValue, { kind: Kind }> {
  return value.kind === kind;
}

/** The caller may use its bytes again at once. */
function copy(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw refusal("badInput", "reading the bytes");
  return new Uint8Array(bytes);
}

function secretOf(admin: AdminCapability): string {
  // Without types anything may come here.
  const { secret } = (admin as AdminCapability | undefined) ?? { secret: "" };
  if (typeof secret !== "string") throw refusal("notAdmin", "delete");
  return secret;
}

function checkedName(name: KeyName): KeyName {
  const { label, version } = (name as KeyName | undefined) ?? { label: "", version: 0 };
  const checked = { label, version };
  if (!isNamed(checked)) throw refusal("badInput", "reading the name");
  return checked;
}

function refusal(code: HsmError["code"], during: string): KeyStoreError {
  return new KeyStoreError(refusalOf(code, during));
}

function refusalOf(code: HsmError["code"], during: string): HsmError {
  return { code, rv: 0, policy: null, during };
}
