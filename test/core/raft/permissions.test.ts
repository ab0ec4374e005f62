/** `mayLead` and `mayApply`, and what a replica may not that met an entry it does not know. */
import { describe, expect, test } from "vitest";
import type { RequestId } from "../../../src/core/ids.js";
import { Alone, entriesTo, entryAt, longUs, only, sent, snapshotAt } from "./alone.js";

const unknownType = 99;

/** Its second entry is of a type that it does not know. */
function stoppedByUnknown(): Alone {
  const alone = new Alone({ entries: [entryAt(1), entryAt(2, 1, unknownType)], commit: 2 });
  alone.step({ kind: "applied", index: entryAt(1).index });
  expect(alone.raft.state.unknownTypeAt).toBe(2);
  return alone;
}

describe("may lead", () => {
  test("may lead: taken away before the pre-votes come: it asks for no votes", () => {
    const alone = new Alone();
    alone.campaign();
    alone.permit({ mayLead: false });
    expect(alone.role).toBe("follower");
    expect(sent(alone.voted("preVoteReply"), "vote")).toEqual([]);
    expect(alone.raft.view.term).toBe(1);
  });

  test("may lead: taken away before the votes come: it does not lead", () => {
    const alone = new Alone();
    alone.campaign();
    alone.voted("preVoteReply");
    const request = alone.raft.state.electionRequest as RequestId;
    alone.permit({ mayLead: false });
    alone.durable();
    alone.hear(3, "voteReply", { request, granted: true });
    expect(alone.role).toBe("follower");
  });

  test("may lead: given back: it campaigns at its next timeout", () => {
    const alone = new Alone();
    alone.campaign();
    alone.permit({ mayLead: false });
    expect(sent(alone.campaign(), "preVote")).toEqual([]);
    alone.permit({ mayLead: true });
    expect(sent(alone.campaign(), "preVote")).toHaveLength(2);
  });
});

describe("unknown entry", () => {
  test("unknown entry: a follower: never campaigns, also when its leader asks it to", () => {
    const alone = stoppedByUnknown();
    expect(sent(alone.campaign(), "preVote")).toEqual([]);
    alone.hear(1, "heartbeat", { session: 1, commit: 2 as never });
    expect(sent(alone.hear(1, "timeoutNow", {}), "vote")).toEqual([]);
    expect(alone.role).toBe("follower");
  });

  test("unknown entry: met while it campaigns: it does not win", () => {
    const alone = new Alone({ entries: [entryAt(1), entryAt(2, 1, unknownType)], commit: 2 });
    alone.campaign();
    alone.step({ kind: "applied", index: entryAt(1).index });
    expect(sent(alone.voted("preVoteReply"), "vote")).toEqual([]);
    expect(alone.role).toBe("follower");
  });

  test("unknown entry: a leader: looks for a successor at its next beat, then steps down", () => {
    const alone = new Alone({ entries: [entryAt(1), entryAt(2, 1, unknownType)] });
    alone.lead();
    alone.durable();
    alone.acknowledge();
    alone.step({ kind: "applied", index: entryAt(1).index });
    expect(alone.raft.state.unknownTypeAt).toBe(2);
    expect(sent(alone.timerAfter(100_000), "timeoutNow")).toMatchObject([{ to: 3 }]);
    const proposal = { request: 9 as RequestId, type: 1 as never, payload: new Uint8Array(1) };
    const [answer] = only(alone.step({ kind: "propose", ...proposal }), "answer");
    expect(answer!.result).toMatchObject({ kind: "refused", reason: "transferring" });
    alone.timerAfter(longUs);
    expect(alone.role).toBe("follower");
  });

  test("unknown entry: a configuration of an unknown format: not taken, and said", () => {
    const alone = new Alone();
    const effects = alone.append(1, 0, [{ ...entryAt(1, 1, 2), payload: Uint8Array.of(200) }], 0);
    expect(sent(effects, "appendReply")).toEqual([]);
    const events = only(effects, "event").map(({ event }) => event);
    expect(events).toContainEqual({ name: "unknownConfiguration", index: 1 });
  });
});

describe("may apply", () => {
  test("may apply: taken away while entries are read back: they are not applied", () => {
    const alone = new Alone({ entries: entriesTo(10, 1_000), raft: { cacheBytesMax: 1_000 } });
    alone.permit({ mayApply: false });
    alone.append(1, 10, [], 10);
    const [read] = only(alone.permit({ mayApply: true }), "readLog");
    alone.permit({ mayApply: false });
    const { request } = read!;
    const entries = entriesTo(3, 1_000);
    expect(only(alone.step({ kind: "logRead", request, entries }), "apply")).toEqual([]);
    const [again] = only(alone.permit({ mayApply: true }), "readLog");
    expect(again).toMatchObject({ from: 1 });
    const answer = { request: again!.request, entries };
    expect(only(alone.step({ kind: "logRead", ...answer }), "apply")).toHaveLength(1);
  });

  test("may apply: taken away while a snapshot is written: it is restored all the same", () => {
    const alone = new Alone();
    const [write] = only(alone.chunk(1, snapshotAt(8)), "writeChunk");
    alone.permit({ mayApply: false });
    const { request } = write!;
    const written = alone.step({ kind: "chunkWritten", request, ok: true });
    expect(only(written, "restore")).toHaveLength(1);
  });

  test("may apply: taken away in the midst of a batch: what is left comes again, and a snapshot goes first", () => {
    const alone = new Alone({ entries: entriesTo(4), commit: 0 });
    const [batch] = only(alone.append(1, 4, [], 4), "apply");
    expect(batch!.entries).toHaveLength(4);
    alone.permit({ mayApply: false });
    expect(only(alone.step({ kind: "applied", index: entryAt(2).index }), "apply")).toEqual([]);
    const [again] = only(alone.permit({ mayApply: true }), "apply");
    expect(again!.entries.map(({ index }) => index)).toEqual([3, 4]);
    alone.permit({ mayApply: false });
    alone.step({ kind: "applied", index: entryAt(2).index });
    const [write] = only(alone.chunk(1, snapshotAt(8)), "writeChunk");
    const written = alone.step({ kind: "chunkWritten", request: write!.request, ok: true });
    expect(only(written, "restore")).toHaveLength(1);
  });

  test("may apply: a peer refuses snapshot after snapshot: chunks come ever more seldom", () => {
    const raft = { trailingEntries: 0, snapshotEveryEntries: 5 };
    const alone = new Alone({ entries: entriesTo(10), commit: 10, raft });
    const [taking] = only(
      alone.step({ kind: "applied", index: entryAt(10).index }),
      "takeSnapshot",
    );
    const { request } = taking!;
    alone.step({ kind: "snapshotTaken", request, snapshot: snapshotAt(10) });
    alone.lead();
    const untilUs = alone.nowUs + 30_000_000;
    let refusals = 0;
    while (alone.nowUs < untilUs) {
      for (const read of only(alone.timerAfter(50_000), "readChunk")) {
        const bytes = new Uint8Array(4);
        const chunks = alone.step({ kind: "chunkRead", request: read.request, bytes });
        for (const { to, session, snapshot, request: asked } of sent(chunks, "snapshotChunk")) {
          const answer = { snapshotIndex: snapshot.index, offset: 0 };
          alone.hear(to, "snapshotReply", {
            request: asked,
            session,
            outcome: "refused",
            ...answer,
          });
          refusals++;
        }
      }
      alone.answerBeats();
    }
    expect(alone.role).toBe("leader");
    expect(refusals).toBeGreaterThan(10);
    expect(refusals).toBeLessThan(40);
  });
});
