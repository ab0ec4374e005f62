import type { NodeId } from "../../core/ids.js";
import type { ReplicaKey } from "../../core/wal/log-store.js";
import type { OracleSpec } from "../oracle.js";

/** The bytes of a nonce by which it is looked up. */
const headBytes = 4;

/** Once a node has erased a data key, its disk holds nothing that was sealed under it. */
export const erasedIsGone: OracleSpec = {
  id: "erased-is-gone",
  about:
    "after a data key is erased, the disks of its members hold nothing sealed under it, and its bytes are held by none of them",
  judges: "step",
  make(report) {
    const nonces = new Map<string, string[]>();
    const erased = new Map<NodeId, Set<string>>();
    const memories = new Memories();
    return {
      keyHeld(node, id) {
        memories.of(node).add(id);
      },
      keyDropped(node, id) {
        memories.of(node).delete(id);
      },
      replicaStarted(node, _boot, view) {
        memories.reached(node, view, view.applied);
      },
      submitted(node, _batch, persists) {
        for (const persist of persists) if (persist.removed) memories.left(node, persist);
      },
      applied(node, view, entries) {
        memories.reached(node, view, entries.at(-1)!.index);
      },
      restored: (node, view, index) => {
        memories.reached(node, view, index);
      },
      crashed(node) {
        memories.lost(node);
      },
      finished() {
        for (const { node, id } of memories.kept()) {
          report({
            message: `node ${node} still holds the data key ${id}, although it has applied that it is erased`,
            shape: "an erased data key is still held",
            node,
            group: 0,
          });
        }
      },
      sealed(id, nonce) {
        const own = nonces.get(id) ?? [];
        nonces.set(id, own);
        own.push(String.fromCharCode(...nonce));
      },
      erased(node, id) {
        const own = erased.get(node) ?? new Set();
        erased.set(node, own);
        own.add(id);
        memories.erased(id);
      },
      diskLost: (node) => void erased.delete(node),
      scanned(node, file, bytes) {
        const gone = [...(erased.get(node) ?? [])].flatMap((id) => nonces.get(id) ?? []);
        if (gone.length === 0 || !holdsAny(bytes, gone)) return;
        report({
          message: `node ${node} has erased a data key, and ${file} still holds what is sealed under it`,
          shape: "something sealed under an erased key is left",
          node,
          group: 0,
        });
      },
    };
  },
};

interface Reached {
  readonly life: string;
  readonly replica: number;
  readonly index: number;
}

/** Which data keys each process holds, and how far each of its replicas has applied its group. */
class Memories {
  readonly #held = new Map<NodeId, Set<string>>();
  readonly #applied = new Map<NodeId, readonly Reached[]>();
  /** After which entry of which group it is erased. */
  readonly #erasedAt = new Map<string, { readonly life: string; readonly index: number }>();
  /** Erased by entries of the slice that is under way. */
  #justErased: string[] = [];

  of(node: NodeId): Set<string> {
    const held = this.#held.get(node) ?? new Set();
    this.#held.set(node, held);
    return held;
  }

  lost(node: NodeId): void {
    this.#held.delete(node);
    this.#applied.delete(node);
  }

  erased(id: string): void {
    if (!this.#erasedAt.has(id)) this.#justErased.push(id);
  }

  reached(node: NodeId, { group, incarnation, replica }: ReplicaKey, index: number): void {
    const life = `${group}/${incarnation}`;
    this.left(node, { group, incarnation, replica });
    this.#applied.set(node, [...(this.#applied.get(node) ?? []), { life, replica, index }]);
    for (const id of this.#justErased.splice(0)) this.#erasedAt.set(id, { life, index });
  }

  left(node: NodeId, { group, incarnation, replica }: ReplicaKey): void {
    const life = `${group}/${incarnation}`;
    const others = (each: Reached): boolean => each.life !== life || each.replica !== replica;
    this.#applied.set(node, (this.#applied.get(node) ?? []).filter(others));
  }

  kept(): { readonly node: NodeId; readonly id: string }[] {
    return [...this.#held].flatMap(([node, ids]) =>
      [...ids].filter((id) => this.#knows(node, id)).map((id) => ({ node, id })),
    );
  }

  /** All its replicas have applied, or were given in a snapshot, that the key is erased. */
  #knows(node: NodeId, id: string): boolean {
    const at = this.#erasedAt.get(id);
    if (at === undefined) return false;
    const own = (this.#applied.get(node) ?? []).filter(({ life }) => life === at.life);
    return own.length > 0 && own.every(({ index }) => index >= at.index);
  }
}

function holdsAny(bytes: Uint8Array, needles: readonly string[]): boolean {
  const all = new Set(needles);
  const length = needles[0]!.length;
  const heads = new Set(needles.map((needle) => needle.slice(0, headBytes)));
  const text = chunked(bytes);
  for (let at = 0; at + length <= text.length; at++) {
    if (heads.has(text.slice(at, at + headBytes)) && all.has(text.slice(at, at + length))) {
      return true;
    }
  }
  return false;
}

const charsPerCall = 8_192;

function chunked(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += charsPerCall) {
    text += String.fromCharCode(...bytes.subarray(at, at + charsPerCall));
  }
  return text;
}
