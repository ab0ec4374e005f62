/** Nodes in memory with data keys: each has an HSM that answers at once, or when a test lets it. */
import { groupId } from "../../../src/core/ids.js";
import { Host } from "../../../src/core/node/host.js";
import { type MultiRaftParts, multiRaft } from "../../../src/core/node/multi-raft-node.js";
import type { DataKeyId } from "../../../src/core/ports/aead.js";
import type { Hsm, HsmRequest, HsmResult } from "../../../src/core/ports/hsm.js";
import type { RaftOptions } from "../../../src/core/raft/options.js";
import type { RaftState } from "../../../src/core/raft/state.js";
import { TestAead, testKeyId } from "../keys/test-aead.js";
import { type Node, World } from "./world.js";

/** No two nodes make the same key. */
class NodeAead extends TestAead {
  readonly #node: number;
  #count = 0;

  constructor(node: number) {
    super();
    this.#node = node;
  }

  override generate(): DataKeyId {
    const id = testKeyId(this.#node * 32 + ++this.#count);
    this.held.add(id);
    return id;
  }
}

/** The HSM of a node, which outlives its hosts, and the data keys of its present one. */
export class TestKeys implements Hsm {
  readonly aead: TestAead;
  readonly #node: Node;
  /** Of the token that is in it now; another one has another key. */
  #publicKey: Uint8Array;
  #away = false;
  #open: { readonly op: number; readonly request: HsmRequest }[] = [];

  constructor(node: Node) {
    this.#node = node;
    this.aead = new NodeAead(node.id);
    this.#publicKey = Uint8Array.of(node.id);
  }

  submit(op: number, request: HsmRequest): void {
    if (this.#away) this.#open.push({ op, request });
    else this.#node.host!.hsmDone(op, this.#answerTo(request));
  }

  goAway(): void {
    this.#away = true;
  }

  /** Answers what was asked meanwhile, too. */
  comeBack(): void {
    this.#away = false;
    for (const { op, request } of this.#open.splice(0)) this.submit(op, request);
  }

  /** By a new and empty token. */
  replace(): void {
    this.#publicKey = Uint8Array.of(99, this.#node.id);
  }

  /** A process that ends takes its data keys along. */
  forget(): void {
    this.#open = [];
    this.aead.held.clear();
  }

  #answerTo(request: HsmRequest): HsmResult {
    const publicKey = this.#publicKey;
    if (request.kind === "generate") {
      const key = { reference: request.name, publicKey } as never;
      return { ok: true, value: { kind: "key", key } };
    }
    if (request.kind !== "unwrap" || request.into.kind !== "dataKey") throw new Error(request.kind);
    const { id } = request.into;
    const wrapped = this.aead.wrapFor(id, publicKey)!;
    if (!wrapped.every((byte, at) => byte === request.blob[at])) {
      return {
        ok: false,
        error: { code: "authenticationFailed", message: "a wrong blob" } as never,
      };
    }
    this.aead.held.add(id);
    return { ok: true, value: { kind: "done" } };
  }
}

export class SealedWorld extends World {
  readonly #keys: readonly TestKeys[];
  readonly #parts: MultiRaftParts;

  constructor(
    nodes: number,
    raft: Partial<RaftOptions> = {},
    members: readonly number[] = [1, 2, 3],
  ) {
    super(nodes);
    this.#keys = this.nodes.map((node) => new TestKeys(node));
    this.#parts = { founding: [this.founding(1, members)], raft };
    for (const node of this.nodes) this.startNode(node);
  }

  startNode(node: Node): void {
    const keys = this.keysOf(node);
    keys.forget();
    const ports = { hsm: keys, aead: keys.aead };
    node.start(multiRaft(this.#parts), {}, (parts) => new Host({ ...parts, keys: ports }));
  }

  keysOf(node: Node): TestKeys {
    return this.#keys[node.id - 1]!;
  }

  /** Of the key in force, as far as the node knows; 0: none. */
  epochOf(node: Node): number {
    return node.host?.keysOf(groupId(1))?.keys.epoch ?? 0;
  }

  stateOf(node: Node): RaftState {
    return node.host!.stateOf(groupId(1)) as RaftState;
  }
}
