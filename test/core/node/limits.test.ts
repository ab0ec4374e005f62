import { expect, test } from "vitest";
import { InvariantError } from "../../../src/core/assert.js";
import { frameBytesMaxDefault } from "../../../src/core/framing/frame-types.js";
import { jsonCodec } from "../../../src/core/framing/json-codec.js";
import { beyondFrames, raftOptions } from "../../../src/core/node/limits.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import { raftDefaults } from "../../../src/core/raft/options.js";
import { entryExtraBytes } from "../../../src/core/wal/batch.js";
import { walDefaults } from "../../../src/core/wal/options.js";
import { World } from "./world.js";

const frame = frameBytesMaxDefault;

test("limits: the defaults fit each other, as binary frames and as text", () => {
  expect(beyondFrames(raftDefaults, frame)).toEqual([]);
  expect(beyondFrames(raftDefaults, jsonCodec().binaryBytesMax)).toHaveLength(2);
  expect(beyondFrames(raftDefaults, jsonCodec({ bytesMax: 8 << 20 }).binaryBytesMax)).toEqual([]);
});

test.each([
  ["appendBytesMax", frame - 111],
  ["entryBytesMax", frame - 111 - 4096],
  ["snapshotChunkBytes", frame - 112 - 11 - 25 * 64],
] as const)("limits: %s: up to what a frame holds, and not a byte more", (name, most) => {
  expect(beyondFrames({ ...raftDefaults, [name]: most }, frame)).toEqual([]);
  const words = `${name} is above the ${most} bytes`;
  const wrong = beyondFrames({ ...raftDefaults, [name]: most + 1 }, frame);
  expect(wrong).toEqual([expect.stringContaining(words)]);
});

test("limits: an entry that no batch of the log can hold: the limit gives way", () => {
  const small = raftOptions({ entryBytesMax: 64_000 }, 32_768, frame);
  expect(small.entryBytesMax).toBe(16_384 - 4096);
  expect(small.storedEntryBytesMax).toBe(16_384 - entryExtraBytes);
  const usual = raftOptions({}, walDefaults.batchBytesMax, frame);
  const storedEntryBytesMax = walDefaults.batchBytesMax / 2 - entryExtraBytes;
  expect(usual).toEqual({ ...raftDefaults, storedEntryBytesMax });
});

test("limits: a node whose appends fit no frame: does not begin", () => {
  const node = new World(1).node(1);
  expect(() => node.start(multiRaft({ raft: { appendBytesMax: frame } }))).toThrow(InvariantError);
});
