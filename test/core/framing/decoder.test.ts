import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../src/core/assert.js";
import { putU32 } from "../../../src/core/bytes.js";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import { FrameDecoder } from "../../../src/core/framing/decoder.js";
import {
  earlyFrameBytesMax,
  frameType,
  frameTypeOf,
} from "../../../src/core/framing/frame-types.js";
import { type Malformed, encodeFrame } from "../../../src/core/framing/frame.js";
import { kinds, messageOf } from "./arbitrary.js";

const codec = binaryCodec();
const peerKinds = kinds.filter((kind) => frameType(frameTypeOf[kind])!.roles.includes("node"));
const peerMessage = fc.constantFrom(...peerKinds).chain(messageOf);

function greeted(): FrameDecoder {
  const decoder = new FrameDecoder({ role: "node" });
  decoder.greeted();
  return decoder;
}

/** All that the decoder gives after a piece. */
function feed(decoder: FrameDecoder, piece: Uint8Array): (Uint8Array | Malformed)[] {
  decoder.push(piece);
  const taken: (Uint8Array | Malformed)[] = [];
  for (let next = decoder.next(); next !== null; next = decoder.next()) {
    taken.push(next);
    if (!(next instanceof Uint8Array)) break;
  }
  return taken;
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(frames.flatMap((frame) => [...frame]));
}

const machineFrame = (payloadBytes: number): Uint8Array =>
  codec.encode({ kind: "machine", bytes: new Uint8Array(payloadBytes) }, 1);

describe("frame decoder", () => {
  it("decoder: every way to cut a stream into pieces: the same frames", () => {
    fc.assert(
      fc.property(
        fc.array(peerMessage, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(300), { maxLength: 20 }),
        (messages, sizes) => {
          const stream = joined(messages.map((message, id) => codec.encode(message, id)));
          const decoder = greeted();
          const frames: (Uint8Array | Malformed)[] = [];
          let at = 0;
          for (const size of [...sizes, stream.length]) {
            frames.push(...feed(decoder, stream.slice(at, at + size)));
            at += size;
          }
          expect(frames.map((frame) => codec.decode(frame as Uint8Array))).toEqual(messages);
          expect(decoder.heldBytes).toBe(0);
        },
      ),
    );
  });

  it("decoder: byte by byte, with a frame larger than its first room: the same frames", () => {
    const frames = [machineFrame(0), machineFrame(20_000), machineFrame(1)];
    const decoder = greeted();
    const taken: (Uint8Array | Malformed)[] = [];
    for (const byte of joined(frames)) taken.push(...feed(decoder, Uint8Array.of(byte)));
    expect(taken).toEqual(frames);
  });

  it("decoder: a flipped bit: whole frames before it, then one error for good", () => {
    fc.assert(
      fc.property(fc.array(peerMessage, { minLength: 2, maxLength: 4 }), fc.nat(), (all, flip) => {
        const frames = all.map((message, id) => codec.encode(message, id));
        const stream = joined(frames);
        const at = flip % stream.length;
        stream[at]! ^= 1 << (flip & 7);
        const decoder = greeted();
        const taken = feed(decoder, stream);
        let before = 0;
        for (let end = frames[0]!.length; end <= at; end += frames[before]!.length) before++;
        const last = taken.at(-1);
        // A length that grew may wait for more; nothing wrong is ever given.
        if (last instanceof Uint8Array || last === undefined) {
          expect(taken).toEqual(frames.slice(0, before));
          expect(decoder.heldBytes).toBeGreaterThan(0);
          return;
        }
        expect(taken.slice(0, -1)).toEqual(frames.slice(0, before));
        expect(feed(decoder, frames[0]!)).toEqual([last]);
        expect(decoder.roomBytes).toBe(0);
      }),
    );
  });

  it("decoder: garbage: frames or an error, never a throw, and bounded room", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), (pieces) => {
        const decoder = greeted();
        let pushed = 0;
        for (const piece of pieces) {
          feed(decoder, piece);
          pushed += piece.length;
          expect(decoder.roomBytes).toBeLessThanOrEqual(Math.max(4096, 2 * pushed));
        }
      }),
    );
  });

  it("decoder: a length of 4 GiB or of 100 MB: refused with no room made for it", () => {
    for (const lengthBytes of [0xffff_ffff, 100_000_000]) {
      const decoder = greeted();
      const prefix = machineFrame(0).slice(0, 6);
      putU32(prefix, 0, lengthBytes);
      expect(feed(decoder, prefix.subarray(0, 5))).toEqual([]);
      expect(decoder.roomBytes).toBeLessThanOrEqual(4096);
      expect(feed(decoder, prefix.subarray(5))).toMatchObject([{ code: "tooLarge" }]);
      expect(decoder.roomBytes).toBe(0);
    }
  });

  it("decoder: a length within the limit whose bytes do not come: no room made for them", () => {
    const decoder = greeted();
    const prefix = machineFrame(0).slice(0, 20);
    putU32(prefix, 0, 4_000_000);
    expect(feed(decoder, prefix)).toEqual([]);
    expect(decoder.roomBytes).toBeLessThanOrEqual(4096);
  });

  it("decoder: before the greeting: greetings only, and small ones", () => {
    const early = codec.encode(
      { kind: "hello", cluster: 1, node: 2 as never, boot: 3 as never, disk: 4 },
      1,
    );
    expect(feed(new FrameDecoder({ role: "node" }), early)).toEqual([early]);
    const machine = feed(new FrameDecoder({ role: "node" }), machineFrame(0));
    expect(machine).toMatchObject([{ code: "early" }]);
    const large = machineFrame(earlyFrameBytesMax);
    expect(feed(new FrameDecoder({ role: "node" }), large)).toMatchObject([{ code: "tooLarge" }]);
    const decoder = new FrameDecoder({ role: "node" });
    decoder.push(joined([early, large]));
    expect(decoder.next()).toEqual(early);
    decoder.greeted();
    expect(decoder.next()).toEqual(large);
  });

  it.each([
    ["a client's append", "client", "append", "role"],
    ["an admin's hello", "admin", "hello", "role"],
    ["a node's request", "node", "request", "role"],
    ["a client's adminRequest", "client", "adminRequest", "role"],
    ["a node's adminRequest", "node", "adminRequest", "role"],
  ] as const)("decoder: %s: refused before its body is there", (_title, role, name, code) => {
    const decoder = new FrameDecoder({ role });
    decoder.greeted();
    const frame = encodeFrame({
      type: frameTypeOf[name],
      flags: 0,
      group: 0,
      incarnation: 0,
      id: 0,
      payload: new Uint8Array(0),
    });
    expect(feed(decoder, frame.subarray(0, 6))).toMatchObject([{ code }]);
  });

  it.each([
    [0, 1, "short"],
    [4, 2, "version"],
    [5, 250, "type"],
    [6, 2, "flags"],
    [7, 1, "flags"],
    [23, 1, "number"],
    [24, 9, "checksum"],
  ])("decoder: byte %i set to %i: %s", (at, value, code) => {
    const frame = machineFrame(3);
    frame[at] = value;
    expect(feed(greeted(), frame)).toMatchObject([{ kind: "malformed", code }]);
  });

  it("decoder: a vote as large as an append may be: refused by its own limit", () => {
    const vote = machineFrame(2000).slice();
    vote[5] = frameTypeOf.vote;
    expect(feed(greeted(), vote.subarray(0, 6))).toMatchObject([{ code: "tooLarge" }]);
  });

  it("decoder: wrong use: a broken invariant", () => {
    const decoder = greeted();
    decoder.push(machineFrame(0));
    expect(() => decoder.push(machineFrame(0))).toThrow(InvariantError);
    expect(() => new FrameDecoder({ role: "node", bytesMax: 100_000_001 })).toThrow(InvariantError);
  });
});
