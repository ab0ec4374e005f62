/**
 * Faults of the simulator itself. A host takes whatever is thrown in its turn for a broken invariant
 * of its own and stops; what the world around it threw is remembered here, and thrown again once the
 * host is done, so that it ends the run instead of becoming a finding.
 */
import type { ConsensusEvent, RecoveredReplica } from "../core/consensus.js";
import type { Entry } from "../core/entry.js";
import type { Boot, GroupId, Index, NodeId, RequestId } from "../core/ids.js";
import type { HostObserver, PersistRecord } from "../core/node/observer.js";
import type { Json } from "../core/plain.js";
import type { RaftMessage } from "../core/raft/messages.js";
import type { RaftView } from "../core/raft/view.js";
import type { ReplicatedStore } from "../core/store/replicated-store.js";

export class OwnFaults {
  #first: { readonly error: unknown } | null = null;

  /** Remembers the first, and gives back what to throw. */
  noted(error: unknown): unknown {
    this.#first ??= { error };
    return error;
  }

  rethrow(): void {
    if (this.#first !== null) throw this.#first.error;
  }
}

/** An observer of which it is known what it threw. */
export class NotedObserver implements HostObserver {
  readonly #to: HostObserver;
  readonly #faults: OwnFaults;

  constructor(to: HostObserver, faults: OwnFaults) {
    this.#to = to;
    this.#faults = faults;
  }

  stepped(node: NodeId, kind: string, word: number, view: RaftView | null): void {
    try {
      this.#to.stepped(node, kind, word, view);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  replicaStarted(node: NodeId, boot: Boot, view: RaftView, recovered: RecoveredReplica): void {
    try {
      this.#to.replicaStarted(node, boot, view, recovered);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  batchSubmitted(node: NodeId, syncOp: number, persists: readonly PersistRecord[]): void {
    try {
      this.#to.batchSubmitted(node, syncOp, persists);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  messageReleased(node: NodeId, to: NodeId, message: RaftMessage, frame: Uint8Array): void {
    try {
      this.#to.messageReleased(node, to, message, frame);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  applied(
    node: NodeId,
    view: RaftView,
    entries: readonly Entry[],
    digest: readonly [number, number],
  ): void {
    try {
      this.#to.applied(node, view, entries, digest);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  controlApplied(
    node: NodeId,
    view: RaftView,
    entry: Entry,
    answer: Uint8Array | null,
    store: ReplicatedStore,
  ): void {
    try {
      this.#to.controlApplied?.(node, view, entry, answer, store);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  keysErased(node: NodeId, group: GroupId, ids: readonly string[]): void {
    try {
      this.#to.keysErased?.(node, group, ids);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  restored(node: NodeId, view: RaftView, index: Index, digest: readonly [number, number]): void {
    try {
      this.#to.restored(node, view, index, digest);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  answered(node: NodeId, request: RequestId, bytes: Uint8Array): void {
    try {
      this.#to.answered(node, request, bytes);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  event(node: NodeId, group: GroupId, event: ConsensusEvent): void {
    try {
      this.#to.event(node, group, event);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  machineEvent(node: NodeId, name: string, data: Json): void {
    try {
      this.#to.machineEvent?.(node, name, data);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }

  stopped(node: NodeId, reason: string): void {
    try {
      this.#to.stopped(node, reason);
    } catch (error) {
      throw this.#faults.noted(error);
    }
  }
}
