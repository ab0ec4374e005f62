import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../../src/core/bytes.js";
import type {
  AttributeValue,
  Mechanism,
  TokenAnswer,
  TokenCall,
} from "../../../../src/core/hsm/cryptoki/calls.js";
import { readAnswer, writeAnswer } from "../../../../src/real/keys/pkcs11/answer-codec.js";
import { readCall, writeCall } from "../../../../src/real/keys/pkcs11/call-codec.js";
import { FrameCutter, functions, writeFrame } from "../../../../src/real/keys/pkcs11/wire.js";

const bytes = fc.uint8Array({ maxLength: 40 });
const u32 = fc.nat({ max: 2 ** 32 - 1 });
const whole = fc.maxSafeNat();
const handle = fc.stringMatching(/^[0-9a-f]{1,30}$/);
const value: fc.Arbitrary<AttributeValue> = fc.oneof(fc.boolean(), whole, bytes, fc.array(whole));
const template = fc.array(fc.record({ type: u32, value }), { maxLength: 5 });
const mechanism: fc.Arbitrary<Mechanism> = fc.oneof(
  fc.record({ type: u32 }),
  fc.record({
    type: u32,
    parameter: fc.oneof(
      fc.record({ kind: fc.constant("bytes" as const), bytes }),
      fc.record({
        kind: fc.constant("gcm" as const),
        iv: fc.option(bytes),
        associatedData: bytes,
        tagBits: u32,
      }),
      fc.record({ kind: fc.constant("oaep" as const), hash: u32, mgf: u32, label: bytes }),
      fc.record({ kind: fc.constant("pss" as const), hash: u32, mgf: u32, saltBytes: u32 }),
    ),
  }),
);

const fn = <Name extends TokenCall["fn"]>(...names: Name[]): fc.Arbitrary<Name> =>
  fc.constantFrom(...names);
const inSession = { session: handle };
const keyed = { ...inSession, mechanism, key: handle };
const call: fc.Arbitrary<TokenCall> = fc.oneof(
  fc.record({ fn: fn("initialize", "finalize", "slots") }),
  fc.record({ fn: fn("mechanisms", "openSession"), slot: whole }),
  fc.record({ fn: fn("closeSession", "sessionInfo", "login", "logout"), ...inSession }),
  fc.record({ fn: fn("find"), ...inSession, template, max: u32 }),
  fc.record({ fn: fn("attributes"), ...inSession, object: handle, types: fc.array(u32) }),
  fc.record({ fn: fn("setAttributes"), ...inSession, object: handle, template }),
  fc.record({ fn: fn("createObject"), ...inSession, template }),
  fc.record({ fn: fn("destroyObject"), ...inSession, object: handle }),
  fc.record({ fn: fn("generateKey"), ...inSession, mechanism, template }),
  fc.record({
    fn: fn("generateKeyPair"),
    ...inSession,
    mechanism,
    publicTemplate: template,
    privateTemplate: template,
  }),
  fc.record({ fn: fn("encrypt", "decrypt", "sign"), ...keyed, data: bytes }),
  fc.record({ fn: fn("verify"), ...keyed, data: bytes, signature: bytes }),
  fc.record({ fn: fn("wrapKey"), ...keyed, wrappingKey: handle }),
  fc.record({
    fn: fn("unwrapKey"),
    ...inSession,
    mechanism,
    unwrappingKey: handle,
    wrapped: bytes,
    template,
  }),
  fc.record({ fn: fn("generateRandom"), ...inSession, lengthBytes: u32 }),
);

describe("calls and answers as bytes", () => {
  test("every call comes back as it was", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(call, (made) => {
        seen.add(made.fn);
        const to = new ByteWriter();
        writeCall(to, made);
        const from = new ByteReader(to.finish());
        expect(readCall(from, made.fn)).toEqual(made);
        expect(from.complete).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect([...seen].sort()).toEqual([...functions].sort());
  });

  test("answers come back as they were", () => {
    const slot = { slot: 7, label: "ä", manufacturer: "m", model: "", serial: "s", flags: 1 };
    const mechanism = { type: 1, minKeySize: 2, maxKeySize: 3, flags: 0x8000_0000 };
    const answers: [TokenCall["fn"], TokenAnswer][] = [
      ["login", { rv: -1, value: null }],
      ["sign", { rv: 0x8000_0001, value: null }],
      ["verify", { rv: 0, value: null }],
      ["slots", { rv: 0, value: [slot, slot] }],
      ["mechanisms", { rv: 0, value: [mechanism] }],
      ["sessionInfo", { rv: 0, value: { slot: 2 ** 40, state: 3 } }],
      ["find", { rv: 0, value: ["a", "b"] }],
      ["attributes", { rv: 0, value: [new Uint8Array(0), new Uint8Array([1])] }],
      ["generateKeyPair", { rv: 0, value: { publicKey: "a", privateKey: "b" } }],
      ["encrypt", { rv: 0, value: new Uint8Array([1, 2]) }],
    ];
    for (const [name, answer] of answers) {
      const to = new ByteWriter();
      writeAnswer(to, name, answer);
      const from = new ByteReader(to.finish());
      expect(readAnswer(from, name)).toEqual(answer);
      expect(from.complete).toBe(true);
    }
  });

  test("any bytes are read without a throw, and without more memory than they have", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...functions), (raw, name) => {
        readCall(new ByteReader(raw), name);
        readAnswer(new ByteReader(raw), name);
      }),
      { numRuns: 3_000 },
    );
  });

  test("what is kept of a frame does not change with the frame", () => {
    const to = new ByteWriter();
    writeAnswer(to, "sign", { rv: 0, value: new Uint8Array([1, 2, 3]) });
    const frame = Buffer.from(to.finish());
    const { value } = readAnswer(new ByteReader(frame), "sign");
    frame.fill(0);
    expect(value).toEqual(new Uint8Array([1, 2, 3]));
  });

  test("frames are cut in whatever pieces they come", () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), pieces, (bodies, sizes) => {
        const to = new ByteWriter();
        for (const body of bodies) writeFrame(to, 1, 2, (into) => into.bytes(body));
        const stream = Buffer.from(to.finish());
        const cutter = new FrameCutter();
        const cut: Uint8Array[] = [];
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = sizes[n % sizes.length]!;
          // The chunk is wiped as soon as it was handed over.
          const chunk = Buffer.from(stream.subarray(at, at + size));
          expect(cutter.cut(chunk, (frame) => cut.push(new Uint8Array(frame.subarray(5))))).toBe(
            true,
          );
          chunk.fill(0);
          at += size;
        }
        expect(cut).toEqual(bodies);
      }),
    );
  });

  test("a frame longer than any may be ends the stream", () => {
    const cutter = new FrameCutter();
    expect(cutter.cut(Buffer.from([0xff, 0xff, 0xff, 0x7f]), () => undefined)).toBe(false);
  });
});
