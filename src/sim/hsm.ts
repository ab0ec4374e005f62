/**
 * The HSM of one simulated node: it outlives the node's processes and its disks. It keeps the node's
 * key-encryption keys, and is away, slow or silent when a fault says so.
 */
import { hexOf } from "../core/hsm/hex.js";
import type { KeyDescription, KeyName, KeySpec } from "../core/hsm/keys.js";
import type { Hsm, HsmErrorCode, HsmRequest, HsmResult } from "../core/ports/hsm.js";
import { eventKind } from "./events.js";
import { InForce } from "./in-force.js";
import { type CheapKey, bytesOf, cheapOpen, publicHalf } from "./keys/cheap-cipher.js";
import type { SimVault } from "./keys/sim-vault.js";
import type { Scheduler } from "./scheduler.js";
import { type KeyedStream, within } from "./streams.js";

export interface SimHsmParts {
  readonly node: number;
  readonly scheduler: Scheduler;
  readonly timing: KeyedStream;
  readonly effective: (fault: number) => void;
}

interface TokenKey {
  readonly secret: CheapKey;
  readonly description: KeyDescription;
}

const latencyUs = { min: 500, max: 3_000 } as const;
const wordsOfKey = 8;
const noData = new Uint8Array(0);

export class SimHsm {
  /** Nothing can be asked of it: each request is refused. */
  readonly away: InForce<boolean> = new InForce(false);
  /** Each request takes so many times as long. */
  readonly slowness: InForce<number> = new InForce(1);
  /** So many answers in a thousand never come, though what was asked was done. */
  readonly silence: InForce<number> = new InForce(0);
  readonly #parts: SimHsmParts;
  readonly #keys = new Map<string, TokenKey>();

  constructor(parts: SimHsmParts) {
    this.#parts = parts;
  }

  heal(): void {
    for (const fault of [this.away, this.slowness, this.silence]) fault.clear();
  }

  /** For one life of the node's process: data keys go into its vault and come out of it here alone. */
  portFor(life: () => number, vault: SimVault): Hsm {
    return {
      submit: (op, request) => {
        const { scheduler, timing, node } = this.#parts;
        const word = timing.word(scheduler.nowUs, node, 51, op);
        const takesUs = within(word, latencyUs.min, latencyUs.max) * this.slowness.value;
        if (this.slowness.value > 1) this.#effective(this.slowness.fault);
        const result = this.#serve(request, vault);
        if (this.silence.value > 0 && timing.again(word, 1) % 1_000 < this.silence.value) {
          this.#effective(this.silence.fault);
          return;
        }
        scheduler.add(scheduler.nowUs + takesUs, eventKind.hsmDone, node - 1, life(), op, result);
      },
    };
  }

  #serve(request: HsmRequest, vault: SimVault): HsmResult {
    if (this.away.value) {
      this.#effective(this.away.fault);
      return failed("unavailable", request.kind);
    }
    switch (request.kind) {
      case "generate":
        return {
          ok: true,
          value: { kind: "key", key: this.#generate(request.name, request.spec) },
        };
      case "unwrap":
        return this.#unwrap(request, vault);
      default:
        // Nodes ask for nothing else.
        return failed("unsupported", request.kind);
    }
  }

  #generate(name: KeyName, spec: KeySpec): KeyDescription {
    const label = `${name.label}.v${name.version}`;
    const known = this.#keys.get(label);
    if (known !== undefined) return known.description;
    const secret = this.#words(wordsOfKey);
    const publicKey = bytesOf(publicHalf(secret));
    const attributes = {
      token: true,
      private: true,
      sensitive: true,
      extractable: false,
      alwaysSensitive: true,
      neverExtractable: true,
      local: true,
      uses: ["unwrap", "wrap"] as const,
    };
    const reference = { ...name, id: hexOf(bytesOf(this.#words(4))), spec, publicDigest: null };
    const description = { reference, publicKey, attributes };
    this.#keys.set(label, { secret, description });
    return description;
  }

  #unwrap({ kek, blob, into }: HsmRequest & { kind: "unwrap" }, vault: SimVault): HsmResult {
    const key = this.#keys.get(`${kek.label}.v${kek.version}`);
    if (key === undefined) return failed("notFound", "unwrap");
    const bytes = cheapOpen(publicHalf(key.secret), noData, blob);
    if (bytes === null || into.kind !== "dataKey") return failed("authenticationFailed", "unwrap");
    vault.hold(into.id, bytes);
    return { ok: true, value: { kind: "done" } };
  }

  #words(count: number): number[] {
    const { scheduler, timing, node } = this.#parts;
    const word = timing.word(scheduler.nowUs, node, 52);
    return Array.from({ length: count }, (_, n) => timing.again(word, n) >>> 0);
  }

  #effective(fault: number): void {
    this.#parts.effective(fault);
  }
}

function failed(code: HsmErrorCode, during: string): HsmResult {
  return { ok: false, error: { code, rv: 0, policy: null, during } };
}
