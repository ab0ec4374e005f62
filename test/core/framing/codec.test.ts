import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../src/core/assert.js";
import { base64Decode, base64Encode } from "../../../src/core/base64.js";
import { ByteWriter, putU32 } from "../../../src/core/bytes.js";
import { crc32 } from "../../../src/core/crc32.js";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import { frameType, frameTypes } from "../../../src/core/framing/frame-types.js";
import {
  decodeFrame,
  encodeFrame,
  frameGroup,
  frameHeaderBytes,
  frameId,
  frameIncarnation,
  sealFrame,
} from "../../../src/core/framing/frame.js";
import { idMax } from "../../../src/core/ids.js";
import { jsonCodec, messageFromJson, messageToJson } from "../../../src/core/framing/json-codec.js";
import {
  type FieldType,
  type FramedMessage,
  goodbyeReasons,
  messageFields,
  namesGroup,
  snapshotOutcomes,
} from "../../../src/core/framing/messages.js";
import {
  entryPayloadBytesMax,
  snapshotChunkBytesMax,
} from "../../../src/core/framing/raft-encode.js";
import { configurationBytesMax } from "../../../src/core/raft/configuration-codec.js";
import { entryOverheadBytes } from "../../../src/core/raft/log.js";
import { kinds, message, messageOf } from "./arbitrary.js";

const codecs = [binaryCodec(), jsonCodec()];

/** The numbers of an append that take the most text. */
const largest = {
  group: 0xffff_ffff,
  incarnation: 0xffff_ffff,
  from: idMax,
  to: idMax,
  term: idMax,
  request: idMax,
  session: idMax,
  prevTerm: idMax,
  commit: idMax,
};
const binary = codecs[0]!;

/** The body as the table of fields describes it, written field by field. */
function bodyByTable(given: FramedMessage): Uint8Array {
  const writer = new ByteWriter();
  const fields = given as unknown as Record<string, never>;
  const put: Record<FieldType, (value: never) => void> = {
    u64: (n: number) => writer.u53(n),
    flag: (flag: boolean) => writer.u8(flag ? 1 : 0),
    bytes: (bytes: Uint8Array) => writer.varbytes(bytes),
    outcome: (name: "more") => writer.u8(snapshotOutcomes.indexOf(name)),
    reason: (name: "stopping") => writer.u8(goodbyeReasons.indexOf(name)),
    entries: (entries: (FramedMessage & { kind: "append" })["entries"]) => {
      writer.u32(entries.length);
      for (const entry of entries) {
        writer.u53(entry.term);
        writer.u8(entry.type);
        writer.u16(entry.keyEpoch);
        writer.varbytes(entry.payload);
      }
    },
    snapshot: (snapshot: (FramedMessage & { kind: "snapshotChunk" })["snapshot"]) => {
      writer.u53(snapshot.index);
      writer.u53(snapshot.term);
      writer.u53(snapshot.sizeBytes);
      writer.u32(snapshot.checksum);
      writer.varbytes(snapshot.configuration);
    },
  };
  for (const [name, type] of messageFields[given.kind]) put[type](fields[name]!);
  return writer.finish();
}

describe("codecs", () => {
  it.each(kinds)("codec: %s: a round trip in both codecs and between them", (kind) => {
    fc.assert(
      fc.property(messageOf(kind), fc.maxSafeNat(), (given, id) => {
        for (const codec of codecs) {
          const whole = codec.encode(given, id);
          expect(codec.decode(whole)).toEqual(given);
          expect(codec.decodeVerified(whole)).toEqual(given);
          expect(frameId(whole)).toBe(id);
          expect(whole.length).toBeLessThanOrEqual(frameType(whole[5]!)!.bytesMax ?? Infinity);
          if (!namesGroup(given)) continue;
          expect(frameGroup(whole)).toBe(given.group);
          expect(frameIncarnation(whole)).toBe(given.incarnation);
        }
        expect(messageFromJson(messageToJson(given))).toEqual(given);
      }),
      { numRuns: 50 },
    );
  });

  it.each(kinds)("codec: %s: the bytes are those that the table of fields gives", (kind) => {
    fc.assert(
      fc.property(messageOf(kind), fc.maxSafeNat(), (given, id) => {
        const frame = decodeFrame(binary.encode(given, id));
        expect(frame).toMatchObject({ flags: 0, id, payload: bodyByTable(given) });
      }),
      { numRuns: 50 },
    );
  });

  it("codec: cut, flipped or lengthened frames: a typed error, never a message", () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(), (given, cut, flip) => {
        for (const codec of codecs) {
          const whole = codec.encode(given, 7);
          const short = codec.decode(whole.slice(0, cut % whole.length));
          expect(short).toMatchObject({ kind: "malformed" });
          const long = codec.decode(Uint8Array.of(...whole, 0));
          expect(long).toMatchObject({ kind: "malformed", code: "length" });
          const flipped = whole.slice();
          flipped[flip % whole.length]! ^= 1 << (cut & 7);
          expect(codec.decode(flipped)).toMatchObject({ kind: "malformed" });
        }
      }),
      { numRuns: 500 },
    );
  });

  it("codec: garbage bodies under a sound checksum: a message or a typed error", () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.uint8Array({ maxLength: 30 }), (given, at, noise) => {
        for (const codec of codecs) {
          const whole = codec.encode(given, 7);
          const body = whole.slice(frameHeaderBytes, -4);
          const place = at % (body.length + 1);
          body.set(noise.subarray(0, body.length - place), place);
          for (const payload of [body, body.subarray(0, place), noise]) {
            const frame = decodeFrame(whole);
            if ("kind" in frame) throw new Error(frame.code);
            const garbled = encodeFrame({ ...frame, payload });
            const decoded = codec.decode(garbled);
            // What was accepted is canonical: no two frames say the same.
            if (codec.name === "binary" && decoded.kind !== "malformed") {
              expect(codec.encode(decoded, 7)).toEqual(garbled);
            }
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("codec: random bytes as a whole frame: a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const codec of codecs) {
          expect(codec.decode(bytes)).toMatchObject({ kind: "malformed" });
        }
      }),
    );
  });

  it("codec: a frame of the other codec: refused by its flag", () => {
    const json = codecs[1]!;
    const machine: FramedMessage = { kind: "machine", bytes: new Uint8Array(3) };
    expect(binary.decode(json.encode(machine, 1))).toMatchObject({ code: "flags" });
    expect(json.decode(binary.encode(machine, 1))).toMatchObject({ code: "flags" });
  });

  it("codec: an append that claims 2^32 - 1 entries: refused before there is room for them", () => {
    const given = fc.sample(messageOf("append"), 1)[0]! as FramedMessage & { kind: "append" };
    const whole = binary.encode({ ...given, entries: [] }, 1);
    putU32(whole, whole.length - 8, 0xffff_ffff);
    expect(binary.decode(sealFrame(whole))).toMatchObject({ code: "end" });
  });

  it("codec: entries that do not follow: a broken invariant of the sender", () => {
    const given = fc.sample(messageOf("append"), 1)[0]! as FramedMessage & { kind: "append" };
    const entry = { term: 1, index: given.prevIndex + 2, type: 1, keyEpoch: 0 };
    const entries = [{ ...entry, payload: new Uint8Array(0) }] as never;
    expect(() => binary.encode({ ...given, entries }, 1)).toThrow(InvariantError);
  });

  it("codec: the largest entry that an append takes: fits the frame exactly", () => {
    const bytesMax = 4096;
    const codec = binaryCodec({ bytesMax });
    const given = fc.sample(messageOf("append"), 1)[0]! as FramedMessage & { kind: "append" };
    const withPayload = (bytes: number): Uint8Array => {
      const entry = { term: 1, index: given.prevIndex + 1, type: 1, keyEpoch: 0 };
      const entries = [{ ...entry, payload: new Uint8Array(bytes) }] as never;
      return codec.encode({ ...given, entries }, 1);
    };
    const fits = withPayload(entryPayloadBytesMax(bytesMax));
    expect(fits).toHaveLength(bytesMax);
    expect(codec.decode(fits).kind).toBe("append");
    const over = withPayload(entryPayloadBytesMax(bytesMax) + 1);
    expect(codec.decode(over)).toMatchObject({ code: "tooLarge" });
  });

  it("codec: the largest chunk of a snapshot with the largest configuration: fits the frame exactly", () => {
    const bytesMax = 8192;
    const given = fc.sample(messageOf("snapshotChunk"), 1)[0]! as FramedMessage & {
      kind: "snapshotChunk";
    };
    const configuration = new Uint8Array(configurationBytesMax);
    const snapshot = { ...given.snapshot, configuration };
    const bytes = new Uint8Array(snapshotChunkBytesMax(bytesMax));
    expect(binaryCodec().encode({ ...given, snapshot, bytes }, 1)).toHaveLength(bytesMax);
  });

  it("codec: what a codec says that it can hold: fits its frame, also as text", () => {
    const bytesMax = 65_536;
    for (const codec of [binaryCodec({ bytesMax }), jsonCodec({ bytesMax })]) {
      const given = fc.sample(messageOf("append"), 1)[0]! as FramedMessage & { kind: "append" };
      const room = entryPayloadBytesMax(codec.binaryBytesMax);
      for (const payloadBytes of [0, 1, 700]) {
        const payload = new Uint8Array(payloadBytes);
        const count = Math.floor(room / (payloadBytes + entryOverheadBytes));
        const entry = { term: idMax, type: 255, keyEpoch: 0xffff, payload };
        const prevIndex = idMax - count;
        const entries = Array.from({ length: count }, (_, at) => {
          return { ...entry, index: prevIndex + 1 + at };
        });
        const message = { ...given, ...largest, prevIndex, entries } as never;
        expect(codec.decode(codec.encode(message, idMax)).kind).toBe("append");
      }
    }
  });

  it("codec: the checksum that is handed in: is the one that counts", () => {
    let calls = 0;
    const counting = binaryCodec({
      checksum: (...all) => {
        calls++;
        return crc32(...all);
      },
    });
    counting.decode(counting.encode({ kind: "machine", bytes: new Uint8Array(3) }, 1));
    expect(calls).toBe(2);
  });

  it.each([
    ["null", "json"],
    ["[]", "json"],
    ['{"kind":"toString"}', "type"],
    ['{"kind":"machine"}', "field"],
    ['{"kind":"machine","bytes":"A"}', "field"],
    ['{"kind":"machine","bytes":"AA==","more":1}', "field"],
    ['{"kind":"answer","to":-1,"bytes":""}', "number"],
    ['{"kind":"answer","to":1.5,"bytes":""}', "number"],
    ['{"kind":"answer","to":9007199254740992,"bytes":""}', "number"],
    ['{"kind":"answer","to":-0,"bytes":""}', "number"],
    [
      '{"kind":"invite","group":4294967296,"incarnation":0,"replica":1,"disk":1,"configuration":""}',
      "number",
    ],
  ])("json codec: %s: %s", (text, code) => {
    expect(messageFromJson(JSON.parse(text) as never)).toMatchObject({ kind: "malformed", code });
  });

  it("frame types: numbers and names: once each", () => {
    expect(new Set(frameTypes.map((known) => known.type)).size).toBe(frameTypes.length);
    expect(frameTypes.map((known) => known.name).sort()).toEqual([...kinds].sort());
  });
});

describe("base64", () => {
  it("base64: any bytes: as the platform's, and back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const text = base64Encode(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64"));
        expect(base64Decode(text)).toEqual(bytes);
      }),
    );
  });

  it("base64: any text: refused unless it is the one text of some bytes", () => {
    const unit = fc.constantFrom("A", "z", "9", "+", "/", "=", "-", "é", "B");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 9 }), (text) => {
        const bytes = base64Decode(text);
        const canonical = Buffer.from(text, "base64").toString("base64") === text;
        expect(bytes !== null).toBe(canonical);
      }),
      { numRuns: 2000 },
    );
  });
});
