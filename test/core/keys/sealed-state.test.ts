import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../src/core/bytes.js";
import { groupId, incarnation } from "../../../src/core/ids.js";
import { GroupKeys } from "../../../src/core/keys/group-keys.js";
import {
  type ClosedState,
  type SealedStateHeader,
  chunkBytes,
  openState,
  readClosedState,
  sealState,
} from "../../../src/core/keys/sealed-state.js";
import { GroupSealer } from "../../../src/core/keys/sealing.js";
import { applied, rotate } from "./entries.js";
import { TestAead } from "./test-aead.js";

const at: SealedStateHeader = { index: 40, term: 3, id: [1, 2, 3] };

class Rig {
  readonly aead = new TestAead();
  readonly sealer: GroupSealer;

  constructor(epochs: number, group = 5) {
    const rotations = Array.from({ length: epochs }, (_, n) => rotate(n + 1, [1]));
    for (let n = 0; n < epochs; n++) this.aead.generate();
    const keys = applied(...rotations);
    this.sealer = new GroupSealer(keys, this.aead, groupId(group), incarnation(1));
  }

  seal(state: Uint8Array, header = at): ClosedState {
    return readClosedState(sealState(this.sealer, header, state))!;
  }

  open(closed: ClosedState, header: { index: number; term: number } = at): Uint8Array | null {
    return openState(this.sealer, header, closed);
  }
}

/** Bytes that tell where they are from. */
function stateOf(length: number, salt = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, n) => (n * 31 + (n >>> 8) + salt) & 0xff);
}

const three = stateOf(2 * chunkBytes + 100);

function withChunks(closed: ClosedState, ...chunks: readonly number[]): ClosedState {
  return { ...closed, chunks: chunks.map((n) => closed.chunks[n]!) };
}

describe("sealed states", () => {
  test.each([0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 2 * chunkBytes])(
    "of %i bytes: opens as it was",
    (length) => {
      const rig = new Rig(2);
      const state = stateOf(length);
      const closed = rig.seal(state);
      expect(closed.chunks.length).toBe(Math.max(1, Math.ceil(length / chunkBytes)));
      expect(rig.open(closed)).toEqual(state);
    },
  );

  test("what is known of the keys stands in front, in clear, and is no use without one", () => {
    const { sealer } = new Rig(2);
    const closed = readClosedState(sealState(sealer, at, three))!;
    expect(closed.keyEpoch).toBe(2);
    expect(closed.id).toEqual(at.id);
    expect(closed.keys.keys).toEqual(sealer.keys.keys);
    expect(closed.keys.holders).toEqual(sealer.keys.holders);
  });

  test("a state of a group that has no key yet is in clear", () => {
    const rig = new Rig(0);
    const closed = rig.seal(three);
    expect(closed.keyEpoch).toBe(0);
    expect(closed.chunks[0]).toEqual(three.subarray(0, chunkBytes));
    expect(rig.open(closed)).toEqual(three);
  });

  test("chunks that are swapped, dropped, doubled or added do not open", () => {
    const rig = new Rig(1);
    const closed = rig.seal(three);
    expect(rig.open(withChunks(closed, 0, 1, 2))).toEqual(three);
    const wrong = [
      [1, 0, 2],
      [0, 2, 1],
      [2, 1, 0],
      [0, 1],
      [0],
      [1, 2],
      [0, 2],
      [2],
      [0, 0, 1, 2],
      [0, 1, 2, 2],
      [0, 1, 2, 0],
    ];
    for (const chunks of wrong) expect(rig.open(withChunks(closed, ...chunks))).toBeNull();
  });

  test("a state of exactly one chunk more is no longer one", () => {
    const rig = new Rig(1);
    const closed = rig.seal(stateOf(2 * chunkBytes));
    expect(rig.open(withChunks(closed, 0))).toBeNull();
  });

  test("a chunk of another snapshot does not open, of the same state and place too", () => {
    const rig = new Rig(1);
    const closed = rig.seal(three);
    const others = [{ index: 41 }, { term: 4 }, { id: [2, 2, 3] }, { id: [1, 2, 4] }] as const;
    for (const other of others) {
      const foreign = rig.seal(three, { ...at, ...other });
      const mixed = {
        ...closed,
        chunks: [closed.chunks[0]!, foreign.chunks[1]!, closed.chunks[2]!],
      };
      expect(rig.open(mixed)).toBeNull();
    }
  });

  test("a snapshot of another place, epoch or group does not open", () => {
    const rig = new Rig(2);
    const closed = rig.seal(three);
    expect(rig.open(closed, { ...at, index: 41 })).toBeNull();
    expect(rig.open(closed, { ...at, term: 4 })).toBeNull();
    expect(rig.open({ ...closed, keyEpoch: 1 })).toBeNull();
    expect(rig.open({ ...closed, id: [1, 2, 4] })).toBeNull();
    expect(new Rig(2, 6).open(closed)).toBeNull();
  });

  test("cut short, or with a byte more, it is no state", () => {
    const { sealer } = new Rig(1);
    const bytes = sealState(sealer, at, stateOf(50));
    for (let length = 0; length < bytes.length; length++) {
      expect(readClosedState(bytes.subarray(0, length))).toBeNull();
    }
    expect(readClosedState(Uint8Array.from([...bytes, 0]))).toBeNull();
    expect(readClosedState(bytes.with(0, 2))).toBeNull();
  });

  test("any byte changed: not read, or not opened, or nothing of the state is different", () => {
    const rig = new Rig(1);
    const state = stateOf(50);
    const bytes = sealState(rig.sealer, at, state);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (where, flip) => {
        const closed = readClosedState(bytes.with(where, bytes[where]! ^ flip));
        if (closed === null || !rig.sealer.holds(closed.keyEpoch)) return;
        const opened = rig.open(closed);
        if (opened !== null) expect(opened).toEqual(state);
      }),
      { numRuns: 1_000 },
    );
  });

  test("whatever bytes there are, they are refused or read, never more", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const closed = readClosedState(Uint8Array.from([1, ...bytes]));
        if (closed !== null) expect(closed.chunks.length).toBeGreaterThan(0);
      }),
    );
  });

  test("a state in clear of a group that has keys is none: nobody here made it", () => {
    const { sealer } = new Rig(1);
    const state = (epoch: number): Uint8Array => {
      const writer = new ByteWriter();
      writer.u8(1);
      sealer.keys.write(writer);
      writer.u16(epoch);
      for (const part of at.id) writer.u53(part);
      writer.u32(1);
      writer.varbytes(stateOf(10));
      return writer.finish();
    };
    expect(readClosedState(state(0))).toBeNull();
    expect(readClosedState(state(2))).toBeNull();
    expect(readClosedState(state(1))).not.toBeNull();
  });

  test("the first key comes later than the first snapshot", () => {
    const rig = new Rig(0);
    const before = rig.seal(stateOf(10));
    rig.sealer.keys = applied(rotate(1, [1]));
    rig.aead.generate();
    const after = rig.seal(stateOf(10));
    expect([before.keyEpoch, after.keyEpoch]).toEqual([0, 1]);
    expect(rig.open(before)).toEqual(stateOf(10));
    expect(rig.open(after)).toEqual(stateOf(10));
    expect(before.keys.keys).toEqual(new GroupKeys().keys);
  });
});
