/**
 * `@coaty/consensus.raft`, etcd's core ported to TypeScript, driven as `raft-core.ts` drives ours:
 * three nodes that take turns in one thread, messages handed over as they are, no disk.
 */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** What is used of it; it comes without types that this compiler reads. */
interface Message {
  readonly to: string;
}
interface Ready {
  readonly hardState: { readonly term: number };
  readonly entries: readonly unknown[];
  readonly messages: readonly Message[];
  readonly committedEntries: readonly { readonly data: unknown }[];
}
interface RawNode {
  readonly raft: { readonly state: number };
  campaign(): void;
  propose(data: unknown): void;
  step(message: Message): void;
  hasReady(): boolean;
  ready(): Ready;
  advance(ready: Ready): void;
}
interface Storage {
  snapshot: { metadata: { confState: { voters: string[] } } };
  SetHardState(state: unknown): void;
  Append(entries: readonly unknown[]): void;
  LastIndex(): [number, unknown];
  Compact(index: number): void;
}
interface Modules {
  readonly rawnode: { RawNode: { NewRawNode(config: unknown): RawNode } };
  readonly raft: { RaftConfig: new (given: Record<string, unknown>) => unknown };
  readonly storage: { MemoryStorage: { NewMemoryStorage(): Storage } };
  readonly logger: { discardLogger: unknown; setLogger(logger: unknown): void };
}

const stateLeader = 2;
/** It measures what it sends as JSON, where a string is cheaper than an array of bytes. */
const payload = "x".repeat(100);
/** Short, since its memory copies the whole log whenever it appends. */
const compactEveryEntries = 256;
const keptEntries = 64;

export type Rate = (inFlight: number, count: number) => number;

/** Commits per second of a new cluster; null where the package is not installed. */
export function coatyRate(): Rate | null {
  let entry: string;
  try {
    entry = import.meta.resolve("@coaty/consensus.raft");
  } catch {
    return null;
  }
  const require = createRequire(import.meta.url);
  const load = (name: string): unknown =>
    require(fileURLToPath(new URL(`./ported/${name}.js`, entry)));
  const modules = Object.fromEntries(
    ["rawnode", "raft", "storage", "logger"].map((name) => [name, load(name)]),
  ) as unknown as Modules;
  modules.logger.setLogger(modules.logger.discardLogger);
  return (inFlight, count) => {
    const cluster = new CoatyCluster(modules);
    cluster.run(inFlight, Math.min(count, 20_000));
    const begunMs = performance.now();
    cluster.run(inFlight, count);
    return (count * 1_000) / (performance.now() - begunMs);
  };
}

class CoatyCluster {
  readonly #nodes: { readonly raw: RawNode; readonly storage: Storage; inbox: Message[] }[];
  #committed = 0;
  #sinceCompaction = 0;

  constructor({ rawnode, raft, storage, logger }: Modules) {
    const voters = ["1", "2", "3"];
    this.#nodes = voters.map((id) => {
      const memory = storage.MemoryStorage.NewMemoryStorage();
      memory.snapshot.metadata.confState.voters = [...voters];
      const config = new raft.RaftConfig({
        id,
        electionTick: 10,
        heartbeatTick: 1,
        storage: memory,
        maxSizePerMsg: 1 << 20,
        maxInflightMsgs: 256,
        logger: logger.discardLogger,
      });
      return { raw: rawnode.RawNode.NewRawNode(config), storage: memory, inbox: [] };
    });
    this.#nodes[0]!.raw.campaign();
    for (let turn = 0; turn < 100; turn++) this.#turns();
    if (this.#nodes[0]!.raw.raft.state !== stateLeader) throw new Error("no leader came");
  }

  run(inFlight: number, count: number): void {
    const { raw } = this.#nodes[0]!;
    this.#committed = 0;
    let proposed = 0;
    while (this.#committed < count) {
      for (; proposed < count && proposed - this.#committed < inFlight; proposed++) {
        raw.propose(payload);
      }
      this.#turns();
    }
  }

  #turns(): void {
    for (let at = 0; at < this.#nodes.length; at++) this.#turn(at);
    if (this.#sinceCompaction >= compactEveryEntries) this.#compact();
  }

  #turn(at: number): void {
    const node = this.#nodes[at]!;
    const { raw, storage } = node;
    const messages = node.inbox;
    node.inbox = [];
    for (const message of messages) raw.step(message);
    if (!raw.hasReady()) return;
    const ready = raw.ready();
    if (ready.hardState.term > 0) storage.SetHardState(ready.hardState);
    if (ready.entries.length > 0) storage.Append(ready.entries);
    for (const message of ready.messages) this.#nodes[Number(message.to) - 1]!.inbox.push(message);
    if (at === 0) {
      for (const { data } of ready.committedEntries) if (data === payload) this.#committed++;
      this.#sinceCompaction += ready.committedEntries.length;
    }
    raw.advance(ready);
  }

  #compact(): void {
    this.#sinceCompaction = 0;
    for (const { storage } of this.#nodes) {
      storage.Compact(storage.LastIndex()[0] - keptEntries);
    }
  }
}
