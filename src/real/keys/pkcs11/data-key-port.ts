import type { DataKeyId } from "../../../core/ports/aead.js";
import type { HsmErrorCode, HsmRequest, HsmResult } from "../../../core/ports/hsm.js";
import { type DataKeys, type Vault, dataKeysOf } from "../vault.js";

/**
 * Data keys stand by their id in requests; the machine knows bytes alone. Bytes are put in their place on
 * the way in, and taken out of the answer on the way back, and wiped as soon as they are of no more use.
 */
export class DataKeyPort {
  readonly #dataKeys: DataKeys | null;
  /** What is to be wiped, or held, when that request is answered. */
  readonly #pending = new Map<number, Pending>();

  constructor(vault: Vault | null) {
    this.#dataKeys = vault === null ? null : dataKeysOf(vault);
  }

  asked(
    op: number,
    request: HsmRequest,
  ): { readonly request: HsmRequest } | { readonly refused: HsmResult } {
    if (request.kind === "wrap" && request.material?.kind === "dataKey") {
      const held = this.#dataKeys?.bytesOf(request.material.id) ?? null;
      if (held === null) return { refused: refusal("notFound", "wrap") };
      const bytes = new Uint8Array(held);
      this.#pending.set(op, { kind: "wipe", bytes });
      return { request: { ...request, material: { kind: "bytes", bytes } } };
    }
    if (request.kind === "unwrap" && request.into?.kind === "dataKey") {
      if (this.#dataKeys === null) return { refused: refusal("unsupported", "unwrap") };
      this.#pending.set(op, { kind: "hold", id: request.into.id });
      return { request: { ...request, into: { kind: "bytes" } } };
    }
    return { request };
  }

  answered(op: number, result: HsmResult): HsmResult {
    const pending = this.#pending.get(op);
    if (pending === undefined) return result;
    this.#pending.delete(op);
    if (pending.kind === "wipe") {
      pending.bytes.fill(0);
      return result;
    }
    if (!result.ok || result.value.kind !== "bytes") return result;
    const { bytes } = result.value;
    const isHeld = this.#dataKeys?.hold(pending.id, bytes) ?? false;
    bytes.fill(0);
    return isHeld ? { ok: true, value: { kind: "done" } } : refusal("failed", "unwrap");
  }

  wipe(): void {
    for (const pending of this.#pending.values()) {
      if (pending.kind === "wipe") pending.bytes.fill(0);
    }
    this.#pending.clear();
  }
}

type Pending =
  | { readonly kind: "wipe"; readonly bytes: Uint8Array }
  | { readonly kind: "hold"; readonly id: DataKeyId };

function refusal(code: HsmErrorCode, during: string): HsmResult {
  return { ok: false, error: { code, rv: 0, policy: null, during } };
}
