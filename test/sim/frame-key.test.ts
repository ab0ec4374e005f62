/** What a draw about a frame is about: the same for a frame sent again, another for its neighbours. */
import { describe, expect, test } from "vitest";
import { encodeRaftFrame } from "../../src/core/framing/raft-encode.js";
import type { RaftMessage } from "../../src/core/raft/messages.js";
import { kindAndGroupOf, kindOf, placeOf } from "../../src/sim/frame-key.js";

const envelope = { group: 3, incarnation: 1, from: 1, to: 2, term: 5, request: 9 };
const append = { kind: "append", session: 1, prevIndex: 70_000, prevTerm: 4, commit: 2 };

function keyOf(of: object, id = 1): string {
  const frame = encodeRaftFrame({ ...envelope, entries: [], ...of } as unknown as RaftMessage, id);
  return `${kindAndGroupOf(frame)}:${placeOf(frame)}`;
}

describe("frame key", () => {
  test("the same message sent again, with another id: the same", () => {
    expect(keyOf({ ...append, request: 10 }, 2)).toBe(keyOf(append));
  });

  test.each([
    { what: "kind", of: { ...append, kind: "heartbeat" } },
    { what: "group", of: { ...append, group: 4 } },
    { what: "high byte of the group", of: { ...append, group: 259 } },
    { what: "term", of: { ...append, term: 6 } },
    { what: "high bits of the term", of: { ...append, term: 5 + 256 } },
    { what: "index", of: { ...append, prevIndex: 70_001 } },
    { what: "high bits of the index", of: { ...append, prevIndex: 70_000 + 65_536 } },
  ])("another $what: another one", ({ of }) => {
    expect(keyOf(of)).not.toBe(keyOf(append));
  });

  test("an append's answer: by the index that it speaks of", () => {
    const reply = { kind: "appendReply", session: 1, accepted: true, hintIndex: 0, hintTerm: 0 };
    const [one, other] = [7, 8].map((match) => keyOf({ ...reply, damaged: false, match }));
    expect(one).not.toBe(other);
  });

  test("a heartbeat: by its term, and by nothing that changes with every one", () => {
    const beat = { kind: "heartbeat", session: 1, commit: 7 };
    expect(keyOf({ ...beat, session: 2, commit: 8 })).toBe(keyOf(beat));
    expect(keyOf({ ...beat, term: 6 })).not.toBe(keyOf(beat));
  });

  test("frames too short for what they say: no key, and no harm", () => {
    for (let length = 0; length < 80; length++) {
      const frame = new Uint8Array(length).fill(5);
      for (const key of [kindOf(frame), kindAndGroupOf(frame), placeOf(frame)]) {
        expect(Number.isSafeInteger(key)).toBe(true);
      }
    }
    expect(kindOf(Uint8Array.of(1, 2))).toBe(0);
    expect(placeOf(new Uint8Array(40).fill(5))).toBe(0);
  });
});
