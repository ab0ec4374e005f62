import type { NodeId } from "../../core/ids.js";
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
    return {
      sealed(id, nonce) {
        const own = nonces.get(id) ?? [];
        nonces.set(id, own);
        own.push(String.fromCharCode(...nonce));
      },
      erased(node, id) {
        const own = erased.get(node) ?? new Set();
        erased.set(node, own);
        own.add(id);
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
