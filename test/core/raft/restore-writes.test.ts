/** What is written when a received snapshot takes the place of the head of a log (thesis figure 5.3). */
import { describe, expect, test } from "vitest";
import type { Token } from "../../../src/core/ids.js";
import { Alone, type Effect, entriesTo, entryAt, only, snapshotAt } from "./alone.js";

/** A follower that was sent entries 1 to 12, none of which is durable; the token of their write. */
function appended(): { alone: Alone; token: Token } {
  const alone = new Alone();
  const [write] = only(alone.append(1, 0, entriesTo(12), 0), "persist");
  return { alone, token: write!.token };
}

/** A snapshot at `index` comes whole and is restored. */
function install(alone: Alone, index: number, term = 1): Effect[] {
  const snapshot = snapshotAt(index, term);
  const [chunk] = only(alone.chunk(1, snapshot), "writeChunk");
  const written = alone.step({ kind: "chunkWritten", request: chunk!.request, ok: true });
  const [restore] = only(written, "restore");
  return alone.step({ kind: "restored", request: restore!.request, snapshot });
}

describe("restore", () => {
  test("restore: entries behind it are on their way to disk: none of them is written again", () => {
    const { alone, token } = appended();
    const effects = install(alone, 2);
    expect(only(effects, "persist")).toEqual([]);
    // Nothing is on disk yet that could leave the log.
    expect(only(effects, "compact")).toEqual([]);
    alone.step({ kind: "persisted", token });
    expect(alone.raft.view.durable).toBe(12);
    expect(alone.raft.view.commit).toBe(2);
    expect(alone.raft.view.termAt(12 as never)).toBe(1);
  });

  test("restore: it says that it is installed when the entries that it stands for are durable", () => {
    const { alone, token } = appended();
    const [reply] = only(install(alone, 2), "send");
    expect(reply).toMatchObject({
      message: { kind: "snapshotReply", outcome: "installed" },
      after: token,
    });
  });

  test("restore: what of the log is durable leaves it, up to the snapshot", () => {
    const { alone, token } = appended();
    alone.step({ kind: "persisted", token });
    const effects = install(alone, 5);
    expect(only(effects, "compact")).toMatchObject([{ through: 5 }]);
    expect(only(effects, "persist")).toEqual([]);
    expect(alone.raft.view.first).toBe(6);
  });

  test("restore: a write of what it covers finds no room afterwards: it is written again, without a hole", () => {
    const { alone, token } = appended();
    install(alone, 2);
    alone.step({ kind: "persistFailed", token });
    const [again] = only(alone.timerAfter(2_000_000), "persist");
    expect(again!.truncateFrom).toBe(1);
    expect(again!.entries.map(({ index }) => index)).toEqual(
      entriesTo(12).map(({ index }) => index),
    );
  });

  test("restore: what it covers had found no room before: it stands for that, and the rest follows", () => {
    const { alone, token } = appended();
    alone.step({ kind: "persistFailed", token });
    const [written] = only(install(alone, 2), "persist");
    expect(written).toMatchObject({ installed: { index: 2 }, truncateFrom: 0, entries: [] });
    expect(alone.raft.state.unwrittenFrom).toBe(3);
    alone.durable();
    const [rest] = only(alone.timerAfter(2_000_000), "persist");
    expect(rest!.truncateFrom).toBe(3);
    expect(rest!.entries.at(-1)!.index).toBe(12);
  });

  test("restore: one that was installed finds no room after the next is restored: the newer is written", () => {
    const alone = new Alone();
    alone.append(1, 0, entriesTo(3), 0);
    alone.durable();
    const [first] = only(install(alone, 5), "persist");
    const more = [6, 7, 8, 9, 10, 11, 12].map((index) => entryAt(index));
    alone.append(1, 5, more, 5);
    expect(only(install(alone, 8), "persist")).toEqual([]);
    const [again] = only(alone.step({ kind: "persistFailed", token: first!.token }), "persist");
    expect(again).toMatchObject({ installed: { index: 8 }, truncateFrom: 0, entries: [] });
    const [rest] = only(alone.timerAfter(2_000_000), "persist");
    // Nothing that the snapshot covers: on disk the log begins behind it.
    expect(rest!.truncateFrom).toBe(9);
    expect(rest!.entries.map(({ index }) => index)).toEqual([9, 10, 11, 12]);
  });

  test("restore: the log does not agree with it: what comes to disk of that counts no more", () => {
    const { alone, token } = appended();
    const [written] = only(install(alone, 5, 2), "persist");
    expect(written).toMatchObject({ installed: { index: 5, term: 2 }, entries: [] });
    alone.step({ kind: "persisted", token });
    expect(alone.raft.view.last).toBe(5);
    expect(alone.raft.view.durable).toBeLessThan(5);
    alone.durable();
    expect(alone.raft.view.durable).toBe(5);
  });
});
