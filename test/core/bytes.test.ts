import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ByteReader,
  ByteWriter,
  allocateBytes,
  bytesKey,
  compareBytes,
  copyBytes,
  equalBytes,
  keyBytes,
  utf8Decode,
  utf8Encode,
} from "../../src/core/bytes.js";

describe("bytes", () => {
  it("bytes: every field: reads back as written", () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(0xffff),
        fc.nat(0xffff_ffff),
        fc.maxSafeNat(),
        fc.double(),
        fc.uint8Array({ maxLength: 400 }),
        fc.boolean(),
        (a, b, c, d, e, f, g) => {
          const writer = new ByteWriter(1);
          writer.u8(a);
          writer.u16(b);
          writer.u32(c);
          writer.u53(d);
          writer.f64(e);
          writer.varbytes(f);
          writer.u8(g ? 1 : 0);
          const reader = new ByteReader(writer.finish());
          const back = [reader.u8(), reader.u16(), reader.u32(), reader.u53(), reader.f64()];
          expect(back).toEqual([a, b, c, d, e]);
          expect(reader.varbytes()).toEqual(f);
          expect(reader.flag()).toBe(g);
          expect(reader.complete).toBe(true);
        },
      ),
    );
  });

  it("bytes: layout: little-endian, u64 for a safe integer", () => {
    const writer = new ByteWriter();
    writer.u16(0x0102);
    writer.u32(0x03040506);
    writer.u53(Number.MAX_SAFE_INTEGER);
    writer.patchU32(2, 0x0a0b0c0d);
    expect([...writer.finish()]).toEqual(
      [2, 1, 13, 12, 11, 10].concat([255, 255, 255, 255, 255, 255, 31, 0]),
    );
    writer.reset();
    expect(writer.finish()).toHaveLength(0);
  });

  it("bytes: past the end, 2^53, a flag of 2, a length too large: failed, and stays so", () => {
    const reads: [Uint8Array, (reader: ByteReader) => unknown][] = [
      [new Uint8Array(0), (reader) => reader.u8()],
      [new Uint8Array(1), (reader) => reader.u16()],
      [new Uint8Array(3), (reader) => reader.u32()],
      [new Uint8Array(7), (reader) => reader.u53()],
      [new Uint8Array(7), (reader) => reader.f64()],
      [Uint8Array.of(0, 0, 0, 0, 0, 0, 32, 0), (reader) => reader.u53()],
      [Uint8Array.of(2), (reader) => reader.flag()],
      [Uint8Array.of(255, 255, 255, 255, 1), (reader) => reader.varbytes()],
      [Uint8Array.of(2, 0, 0, 0, 1, 1), (reader) => reader.varbytes(1)],
      [new Uint8Array(3), (reader) => reader.bytes(4)],
    ];
    for (const [bytes, read] of reads) {
      const reader = new ByteReader(bytes);
      read(reader);
      expect(reader.failed).toBe(true);
      expect(reader.u8()).toBe(0);
      expect(reader.complete).toBe(false);
    }
  });

  it("bytes: order and keys: as byte by byte, both ways", () => {
    const bytes = fc.uint8Array({ maxLength: 6, max: 3 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const order = Math.sign(compareBytes(a, b));
        const [x, y] = [bytesKey(a), bytesKey(b)];
        expect(order).toBe(x < y ? -1 : x > y ? 1 : 0);
        expect(equalBytes(a, b)).toBe(x === y);
        expect(keyBytes(x)).toEqual(a);
      }),
    );
    const long = new Uint8Array(100_000).map((_, at) => at);
    expect(keyBytes(bytesKey(long))).toEqual(long);
  });

  it("bytes: allocated and copied arrays: never share a byte", () => {
    const arrays: Uint8Array[] = [];
    for (let n = 0; n < 3000; n++) {
      const size = (n * 7) % 600;
      arrays.push(allocateBytes(size), copyBytes(new Uint8Array(size)));
    }
    expect(arrays.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
    for (const [n, bytes] of arrays.entries()) bytes.fill(n & 255);
    const own = arrays.every((bytes, n) => bytes.every((byte) => byte === (n & 255)));
    expect(own).toBe(true);
    expect(allocateBytes(100_000)).toEqual(new Uint8Array(100_000));
  });

  it("utf8: any text: as the platform's encoder, and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const bytes = utf8Encode(text);
        expect(bytes).toEqual(Uint8Array.from(new TextEncoder().encode(text)));
        expect(utf8Decode(bytes)).toBe(text);
      }),
    );
    expect(utf8Decode(utf8Encode("a\ud800"))).toBe("a\ufffd");
  });

  it("utf8: any bytes: refused exactly when a strict decoder refuses them", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const lead = fc.constantFrom(0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5);
    fc.assert(
      fc.property(fc.array(fc.oneof(lead, fc.nat(255)), { maxLength: 8 }), (units) => {
        const bytes = Uint8Array.from(units);
        let expected: string | null = null;
        try {
          expected = strict.decode(bytes);
        } catch {
          // Refused.
        }
        expect(utf8Decode(bytes)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
