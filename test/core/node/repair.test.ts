import { identitySealer } from "../../../src/core/keys/sealing.js";
import { expect, test } from "vitest";
import { utf8Encode } from "../../../src/core/bytes.js";
import { type Entry, entryType } from "../../../src/core/entry.js";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import {
  boot,
  groupId,
  incarnation,
  index,
  nodeId,
  replicaId,
  requestId,
  term,
} from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import type { RaftEffect } from "../../../src/core/raft/core.js";
import type { RaftMessage } from "../../../src/core/raft/messages.js";
import { raftDefaults } from "../../../src/core/raft/options.js";
import { Raft, type RaftInput } from "../../../src/core/raft/raft.js";
import { type Node, World } from "./world.js";

const segment = "segment.0000000001";
const group = groupId(1);
const voters = [1, 2, 3];

/** The second of three voters, alone with what a test says to it in the name of the first. */
class Second {
  readonly world = new World(3);
  readonly node: Node = this.world.node(2);
  #frames = 0;

  constructor() {
    this.start();
  }

  start(): void {
    this.node.start(multiRaft({ founding: [this.world.founding(1, voters)] }));
    this.world.until("it runs", () => this.node.host!.viewOf(group) !== null);
  }

  /** By then the ring has proven the newest batch. */
  restart(): void {
    this.world.ticks(200);
    this.node.kill();
    this.start();
  }

  get damaged(): boolean {
    return this.node.host!.viewOf(group)!.damaged;
  }

  /** Gives the reply of the kind that answers it. */
  hear<K extends RaftMessage["kind"]>(given: object, answer: K): Extract<RaftMessage, { kind: K }> {
    const { node, world } = this;
    const id = ++this.#frames;
    const message = {
      group,
      incarnation: incarnation(1),
      from: replicaId(1),
      to: replicaId(2),
      request: requestId(id),
      ...given,
    } as RaftMessage;
    node.released.length = 0;
    node.host!.frameArrived(nodeId(1), binaryCodec().encode(message, id));
    const found = (): RaftMessage | undefined =>
      node.released.find((each) => each.message.kind === answer)?.message;
    world.until(`a ${answer}`, () => found() !== undefined);
    return found() as Extract<RaftMessage, { kind: K }>;
  }

  append(ofTerm: number, prev: readonly [number, number], entries: readonly Entry[]): void {
    const [prevIndex, prevTerm] = prev;
    const reply = this.hear(
      { kind: "append", term: ofTerm, session: 1, prevIndex, prevTerm, commit: 0, entries },
      "appendReply",
    );
    expect(reply).toMatchObject({ accepted: true, match: prevIndex + entries.length });
  }

  grantsVote(ofTerm: number, lastIndex: number, lastTerm: number): boolean {
    // A promise to the leader it heard last may stand against any vote.
    this.world.ticks(2000);
    const last = { lastIndex, lastTerm };
    return this.hear({ kind: "vote", term: ofTerm, ...last, transfer: false }, "voteReply").granted;
  }

  rot(entry: Entry): void {
    const bytes = this.node.disk.bytes(segment);
    const at = bytes.findIndex((_, from) =>
      entry.payload.every((byte, n) => bytes[from + n] === byte),
    );
    this.node.disk.rot(segment, at);
  }
}

function data(at: number, ofTerm: number): Entry {
  const payload = utf8Encode(`entry ${at} of term ${ofTerm}`);
  return { term: term(ofTerm), index: index(at), type: entryType.data, keyEpoch: 0, payload };
}

test("repair: a log that a later term repaired stays so, though it reaches no further", () => {
  const second = new Second();
  const first = Array.from({ length: 50 }, (_, at) => data(at + 1, 1));
  second.append(1, [0, 0], first);
  second.world.ticks(200);
  second.rot(first[19]!);
  second.restart();
  expect(second.damaged).toBe(true);
  expect(second.grantsVote(2, 50, 1)).toBe(false);
  // The leader of term 3 has only the first of them: the others were never acknowledged.
  second.append(3, [1, 1], [data(2, 3)]);
  expect(second.damaged).toBe(false);
  expect(second.grantsVote(4, 2, 3)).toBe(true);
  // The others are gone for good: an idle group writes nothing that could mend this one's log.
  second.restart();
  expect(second.damaged).toBe(false);
  expect(second.grantsVote(5, 2, 3)).toBe(true);
});

test("repair: there was no room to say so: it is said again", () => {
  const raft = new Raft({
    group,
    incarnation: incarnation(1),
    replica: replicaId(2),
    node: nodeId(2),
    boot: boot(1),
    options: raftDefaults,
    seed: [1, 2, 3, 4],
    sealer: identitySealer,
    marks: { hit: () => {} },
  });
  const step = (input: RaftInput): Extract<RaftEffect, { kind: "persist" }> | undefined => {
    const out: RaftEffect[] = [];
    raft.step(1_000, input, out);
    return out.find((effect) => effect.kind === "persist");
  };
  const hardState = { term: term(1), vote: 0, commit: index(0) };
  const entries = [data(1, 1)];
  const recovered = { hardState, snapshot: null, entries, damagedThrough: index(50) };
  step({ kind: "recovered", replica: recovered });
  const envelope = { group, incarnation: incarnation(1), from: replicaId(1), to: replicaId(2) };
  const before = { prevIndex: index(1), prevTerm: term(1), commit: index(0) };
  const append = { ...envelope, ...before, request: requestId(1), session: 1, term: term(2) };
  const message = { kind: "append", ...append, entries: [data(2, 2)] } as const;
  const written = step({ kind: "message", from: nodeId(1), message });
  expect(written).toMatchObject({ entries: message.entries, repaired: false });
  const repaired = step({ kind: "persisted", token: written!.token });
  expect(repaired).toMatchObject({ repaired: true });
  const again = step({ kind: "persistFailed", token: repaired!.token });
  expect(again).toMatchObject({ repaired: true });
  expect(step({ kind: "persisted", token: again!.token })).toBe(undefined);
});
