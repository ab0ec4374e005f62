/** A state is replaced only beneath a follower: a leader's log is never replaced (thesis ch. 5). */
import { describe, expect, test } from "vitest";
import type { Index } from "../../../src/core/ids.js";
import { Alone, entriesTo, only, sent, snapshotAt } from "./alone.js";

/** Its log reaches to 10, and the only chunk of a snapshot at 8 is being written. */
function receiving(): { alone: Alone; request: never } {
  const alone = new Alone({ entries: entriesTo(10) });
  const [write] = only(alone.chunk(1, snapshotAt(8)), "writeChunk");
  return { alone, request: write!.request as never };
}

describe("restore", () => {
  test("restore: the last chunk is written while it campaigns: it waits for a leader", () => {
    const { alone, request } = receiving();
    alone.campaign();
    expect(alone.role).toBe("preCandidate");
    const written = alone.step({ kind: "chunkWritten", request, ok: true });
    expect(only(written, "restore")).toEqual([]);
    expect(alone.marks.of("restoreWhileCampaigning")).toBe(1);
    const heard = alone.hear(1, "heartbeat", { session: 1, commit: 0 as Index });
    expect(alone.role).toBe("follower");
    expect(only(heard, "restore")).toHaveLength(1);
  });

  test("restore: who campaigned wins: the snapshot is forgotten and its own log counts", () => {
    const { alone, request } = receiving();
    alone.campaign();
    alone.step({ kind: "chunkWritten", request, ok: true });
    alone.voted("preVoteReply");
    alone.durable();
    alone.voted("voteReply");
    expect(alone.role).toBe("leader");
    expect(alone.raft.state.receiving).toBeNull();
    alone.durable();
    const applied = only(alone.acknowledge(), "apply");
    expect(alone.raft.view.commit).toBe(11);
    expect(applied[0]!.entries.map(({ index }) => index)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
  });

  test("restore: under way: neither its timeout nor a leader that asks makes it campaign", () => {
    const { alone, request } = receiving();
    const [restore] = only(alone.step({ kind: "chunkWritten", request, ok: true }), "restore");
    expect(restore).toBeDefined();
    expect(sent(alone.campaign(), "preVote")).toEqual([]);
    expect(sent(alone.hear(1, "timeoutNow", {}), "vote")).toEqual([]);
    expect(alone.role).toBe("follower");
    expect(alone.raft.state.receiving?.restoreRequest).toBe(restore!.request);
  });
});
