/** What a replica asks of its log and of its snapshot files. */
import { assert, assertNever } from "../assert.js";
import type { Index, Term } from "../ids.js";
import type { RaftEffect } from "../raft/core.js";
import type { ReplicaKey } from "../wal/log-store.js";
import type { NodeContext } from "./context.js";

/** Those that need neither are the replica's own affair. */
type OfFiles = Exclude<
  RaftEffect,
  { kind: "send" | "answer" | "readReady" | "persist" | "apply" | "wakeAt" | "event" }
>;

export interface Stateful {
  /** What a snapshot is to hold; null: there can be none now. */
  readonly stateAt: (index: Index, term: Term) => Uint8Array | null;
  /** Whether the state in a snapshot that was received can be restored here, now or later. */
  readonly mayRestore: (state: Uint8Array) => boolean;
}

export function fileEffect(
  { wal, walEvents, snapshots, snapshotEvents }: NodeContext,
  key: ReplicaKey,
  effect: OfFiles,
  { stateAt, mayRestore }: Stateful,
): void {
  switch (effect.kind) {
    case "readLog": {
      const { request, from, to, bytesMax } = effect;
      wal.readEntries(key, request, from, to, bytesMax, walEvents);
      return;
    }
    case "takeSnapshot": {
      const { request, index, term, configuration } = effect;
      const state = stateAt(index, term);
      if (state === null) snapshotEvents.push({ kind: "saved", key, request, snapshot: null });
      else snapshots.save(key, request, index, term, configuration, state, snapshotEvents);
      return;
    }
    case "readChunk": {
      const { request, snapshot, offset, bytesMax } = effect;
      snapshots.readChunk(key, request, snapshot, offset, bytesMax, snapshotEvents);
      return;
    }
    case "writeChunk": {
      const { request, snapshot, offset, bytes } = effect;
      snapshots.writeChunk(key, request, snapshot, offset, bytes, snapshotEvents);
      return;
    }
    case "restore":
      snapshots.receive(key, effect.request, effect.snapshot, mayRestore, snapshotEvents);
      return;
    case "compact":
      wal.compact(key, effect.through);
      return;
    case "sign":
    case "verify":
      // This node has no keys to sign with: who asks gets no answer but this.
      assert(false, "Raft asks for no signatures");
      return;
    default:
      assertNever(effect);
  }
}
