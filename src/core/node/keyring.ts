/**
 * The data keys that a node has, and how it gets them: unwrapped by its own HSM, for whichever of its
 * replicas needs one. The node's key-encryption key is made inside its HSM and never leaves it. As long
 * as the HSM is away it is asked again and again, with growing waits; nothing is lost meanwhile.
 */
import type { KeyReference } from "../hsm/keys.js";
import { equalBytes } from "../bytes.js";
import type { NodeId } from "../ids.js";
import type { Marks } from "../marks.js";
import type { Aead, DataKeyId } from "../ports/aead.js";
import type { Hsm, HsmErrorCode, HsmResult } from "../ports/hsm.js";
import type { NodeContext } from "./context.js";
import type { KeyPorts } from "./host-parts.js";
import type { Sleeper } from "./wake-heap.js";

export interface KeyringParts {
  readonly node: NodeId;
  readonly hsm: Hsm;
  readonly aead: Aead;
  readonly marks: Marks;
  readonly nowUs: () => number;
  readonly wakeAt: (sleeper: Sleeper, atUs: number) => void;
}

/** Who waits for a key. Called between two steps. */
export interface KeyOwner {
  keyCame(): void;
}

/** A data key that somebody here needs and nobody has yet. */
interface Want {
  readonly id: DataKeyId;
  blob: Uint8Array;
  readonly owners: Set<KeyOwner>;
  /** Asked, or waiting to be. */
  place: "queued" | "asked" | "aside";
}

type Purpose =
  | { readonly kind: "own" }
  | { readonly kind: "want"; readonly id: DataKeyId; readonly blob: Uint8Array };

interface Asked {
  readonly purpose: Purpose;
  readonly deadlineUs: number;
}

/** Requests to the HSM at once: others of this node want it too. */
const askedMax = 16;
/** So many answers may be outstanding that are waited for no more; older ones are forgotten. */
const lateMax = 64;
/** An answer that has not come by then counts as lost. */
const deadlineUs = 2_000_000;
const waitUs = { min: 50_000, max: 2_000_000 } as const;
/** A key that this HSM cannot open may be openable later, when its token is the right one again. */
const asideUs = 5_000_000;

/** Of the node's own key-encryption key: whoever has the public half can wrap for this node alone. */
const kekSpec = { algorithm: "rsa", bits: 3072, purpose: "wrap", exportable: false } as const;

export class Keyring implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly aead: Aead;
  readonly #parts: KeyringParts;
  readonly #wants = new Map<DataKeyId, Want>();
  /** Wants in the order in which they are asked for; those that are dropped stay until their turn. */
  #queue: Want[] = [];
  #aside: Want[] = [];
  #asideUntilUs = Infinity;
  readonly #asked = new Map<number, Asked>();
  /** Asked in vain; the port may put the key in its place all the same, later. */
  readonly #late = new Map<number, DataKeyId>();
  /** Erased, or not needed any more, while they were asked for. */
  readonly #unwanted: Set<DataKeyId> = new Set();
  #ops = 0;
  #failures = 0;
  #restUntilUs = 0;
  #own: KeyReference | null = null;
  #publicKey: Uint8Array | null = null;
  /** Whose keys have come since. */
  #came = new Set<KeyOwner>();

  constructor(parts: KeyringParts) {
    this.#parts = parts;
    this.aead = parts.aead;
  }

  /** Of the node's key-encryption key; null while the HSM has not told it. */
  get publicKey(): Uint8Array | null {
    return this.#publicKey;
  }

  /** Keys that are wanted, and requests under way. */
  get size(): number {
    return this.#wants.size;
  }

  get asked(): number {
    return this.#asked.size;
  }

  get askedMax(): number {
    return askedMax + 1;
  }

  start(): void {
    this.#go();
  }

  /** `owner` hears of it when the key is there. Asked twice is asked once. */
  want(owner: KeyOwner, id: DataKeyId, blob: Uint8Array): void {
    let want = this.#wants.get(id);
    if (want === undefined) {
      this.#unwanted.delete(id);
      want = { id, blob, owners: new Set(), place: "queued" };
      this.#wants.set(id, want);
      this.#queue.push(want);
    }
    if (want.place === "aside" && !equalBytes(want.blob, blob)) {
      this.#aside = this.#aside.filter((each) => each !== want);
      this.#again(id);
    }
    want.blob = blob;
    want.owners.add(owner);
    this.#go();
  }

  /** It is never to be held again. */
  erase(id: DataKeyId): void {
    this.aead.drop(id);
    this.#unwant(id);
  }

  /** An answer that is still to come puts it in its place all the same: then it is dropped. */
  #unwant(id: DataKeyId): void {
    this.#wants.delete(id);
    const isAsked = ({ purpose }: Asked): boolean => purpose.kind === "want" && purpose.id === id;
    for (const asked of this.#asked.values()) if (isAsked(asked)) this.#unwanted.add(id);
    for (const late of this.#late.values()) if (late === id) this.#unwanted.add(id);
  }

  /** It needs nothing any more. */
  forget(owner: KeyOwner): void {
    this.#came.delete(owner);
    for (const want of this.#wants.values()) {
      want.owners.delete(owner);
      if (want.owners.size === 0) this.#unwant(want.id);
    }
  }

  /** False: not a request of this boot that is still waited for. */
  hsmDone(op: number, result: HsmResult): boolean {
    const asked = this.#asked.get(op);
    const late = this.#late.get(op);
    this.#late.delete(op);
    if (late !== undefined && this.#unwanted.has(late)) this.aead.drop(late);
    if (asked === undefined) return false;
    this.#asked.delete(op);
    if (result.ok) this.#failures = 0;
    if (asked.purpose.kind === "own") this.#ownDone(result);
    else this.#unwrapped(asked.purpose, result);
    this.#go();
    return true;
  }

  woken(): void {
    const nowUs = this.#parts.nowUs();
    for (const [op, asked] of this.#asked) {
      // They were asked in this order.
      if (asked.deadlineUs > nowUs) break;
      this.#parts.marks.hit("hsmAnswerLost");
      this.#asked.delete(op);
      if (asked.purpose.kind === "want") {
        this.#noteLate(op, asked.purpose.id);
        this.#again(asked.purpose.id);
      }
      this.#rest();
    }
    if (nowUs >= this.#asideUntilUs) {
      for (const want of this.#aside) {
        want.place = "queued";
        this.#queue.push(want);
      }
      this.#aside = [];
      this.#asideUntilUs = Infinity;
    }
    this.#go();
  }

  /** Tells those whose keys have come; false when there was nobody. */
  settle(): boolean {
    if (this.#came.size === 0) return false;
    const came = this.#came;
    this.#came = new Set();
    for (const owner of came) owner.keyCame();
    return true;
  }

  #ownDone(result: HsmResult): void {
    const key = result.ok && result.value.kind === "key" ? result.value.key : null;
    if (key === null || key.publicKey === null) return this.#rest();
    this.#own = key.reference;
    this.#publicKey = key.publicKey;
  }

  #unwrapped({ id, blob }: Purpose & { kind: "want" }, result: HsmResult): void {
    if (this.#unwanted.has(id)) this.aead.drop(id);
    const want = this.#wants.get(id);
    if (want === undefined) return;
    if (result.ok && this.aead.holds(id)) {
      this.#wants.delete(id);
      for (const owner of want.owners) this.#came.add(owner);
    } else if (!result.ok && isOfTheKey(result.error.code)) {
      this.#parts.marks.hit("dataKeyNotOpened");
      // Another blob of it has come meanwhile.
      if (!equalBytes(want.blob, blob)) return this.#again(id);
      want.place = "aside";
      this.#aside.push(want);
      this.#asideUntilUs = Math.min(this.#asideUntilUs, this.#parts.nowUs() + asideUs);
      // The token may be another one than the node began with.
      if (!result.ok && result.error.code === "notFound") this.#own = null;
    } else {
      this.#parts.marks.hit("hsmAway");
      this.#again(id);
      this.#rest();
    }
  }

  #again(id: DataKeyId): void {
    const want = this.#wants.get(id);
    if (want === undefined) return;
    want.place = "queued";
    this.#queue.push(want);
  }

  #noteLate(op: number, id: DataKeyId): void {
    for (const oldest of this.#late.keys()) {
      if (this.#late.size < lateMax) break;
      this.#late.delete(oldest);
    }
    this.#late.set(op, id);
  }

  /** Requests that were under way together fail together, once. */
  #rest(): void {
    const nowUs = this.#parts.nowUs();
    if (nowUs < this.#restUntilUs) return;
    this.#restUntilUs = nowUs + Math.min(waitUs.max, waitUs.min << Math.min(this.#failures++, 10));
  }

  /** Asks for what may be asked for now, and is woken when there is more to do. */
  #go(): void {
    const nowUs = this.#parts.nowUs();
    if (nowUs >= this.#restUntilUs) {
      if (this.#own === null) this.#askForOwn();
      else this.#askForWants(this.#own);
    }
    let atUs = this.#asideUntilUs;
    for (const asked of this.#asked.values()) {
      atUs = Math.min(atUs, asked.deadlineUs);
      break;
    }
    const isIdle = this.#own !== null && this.#queue.length === 0;
    if (!isIdle && this.#restUntilUs > nowUs) atUs = Math.min(atUs, this.#restUntilUs);
    this.#parts.wakeAt(this, atUs);
  }

  #askForOwn(): void {
    for (const { purpose } of this.#asked.values()) if (purpose.kind === "own") return;
    const name = { label: `node-${this.#parts.node}-kek`, version: 1 };
    const op = this.#ask({ kind: "own" });
    this.#parts.hsm.submit(op, { kind: "generate", name, spec: kekSpec, ifMissing: true });
  }

  #askForWants(kek: KeyReference): void {
    while (this.#queue.length > 0 && this.#asked.size < askedMax) {
      const want = this.#queue.shift()!;
      const { id, blob } = want;
      if (this.#wants.get(id) !== want || want.place !== "queued") continue;
      want.place = "asked";
      const op = this.#ask({ kind: "want", id, blob });
      this.#parts.hsm.submit(op, { kind: "unwrap", kek, blob, into: { kind: "dataKey", id } });
    }
  }

  #ask(purpose: Purpose): number {
    const op = ++this.#ops;
    this.#asked.set(op, { purpose, deadlineUs: this.#parts.nowUs() + deadlineUs });
    return op;
  }
}

/** What is wrong with the key or its blob, and not with the HSM. */
function isOfTheKey(code: HsmErrorCode): boolean {
  return (
    code === "authenticationFailed" ||
    code === "notFound" ||
    code === "ambiguous" ||
    code === "mismatch" ||
    code === "unsupported" ||
    code === "badInput" ||
    code === "refusedByPolicy"
  );
}

/** Of the node whose parts these are. */
export function keyringOf(context: NodeContext, { hsm, aead }: KeyPorts): Keyring {
  const { node, marks, wakes } = context;
  const nowUs = (): number => context.nowUs;
  return new Keyring({
    node,
    hsm,
    aead,
    marks,
    nowUs,
    wakeAt: (who, atUs) => wakes.wakeAt(who, atUs),
  });
}
