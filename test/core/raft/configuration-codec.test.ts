import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvariantError } from "../../../src/core/assert.js";
import { idMax, nodeId, replicaId } from "../../../src/core/ids.js";
import {
  type ConfigurationError,
  configurationBytesMax,
  decodeConfiguration,
  encodeConfiguration,
} from "../../../src/core/raft/configuration-codec.js";
import { emptyConfiguration, replicasMax } from "../../../src/core/raft/configuration.js";
import { anySeries, first, member } from "./configurations.js";

const any = anySeries.map((series) => series.at(-1)!);

describe("configuration codec", () => {
  it("codec: any configuration: comes back the same, joint halves and all", () => {
    fc.assert(
      fc.property(any, (config) => {
        expect(decodeConfiguration(encodeConfiguration(config))).toEqual({ ok: config });
      }),
      { numRuns: 500 },
    );
  });

  it("codec: the largest numbers and the most members: come back, within the bound", () => {
    const edge = {
      ...first(replicasMax),
      nextReplicaId: replicaId(idMax),
      learners: [],
    };
    const voters = edge.voters.map((voter, at) =>
      at < replicasMax - 1
        ? voter
        : { replica: replicaId(idMax - 1), node: nodeId(idMax), disk: idMax },
    );
    const bytes = encodeConfiguration({ ...edge, voters });
    expect(bytes.length).toBe(configurationBytesMax);
    expect(decodeConfiguration(bytes)).toEqual({ ok: { ...edge, voters } });
  });

  it("codec: a joint configuration: these very bytes", () => {
    const bytes = encodeConfiguration({
      voters: [member(2, 0x102, 0x1_0000_0003)],
      outgoing: [member(1)],
      learners: [],
      learnersNext: [member(1)],
      autoLeave: true,
      nextReplicaId: replicaId(3),
    });
    expect(hex(bytes)).toBe(
      "010102" +
        "0300000000000000" +
        "0a" +
        "0100000000000000" +
        "0100000000000000" +
        "0000000000000000" +
        "01" +
        "0200000000000000" +
        "0201000000000000" +
        "0300000001000000",
    );
  });

  it("codec: a view into a larger buffer: read from where it stands", () => {
    const bytes = encodeConfiguration(first(3));
    const larger = new Uint8Array(bytes.length + 14).fill(0xff);
    larger.set(bytes, 7);
    const decoded = decodeConfiguration(larger.subarray(7, 7 + bytes.length));
    expect(decoded).toEqual({ ok: first(3) });
  });

  it("codec: cut at any place, or with bytes after it: refused as a wrong end", () => {
    const bytes = encodeConfiguration(first(3));
    for (let length = 0; length < bytes.length; length++) {
      expect(errorOf(bytes.subarray(0, length))).toEqual({ code: "end", offset: length });
    }
    const longer = Uint8Array.from([...bytes, 0]);
    expect(errorOf(longer)).toEqual({ code: "end", offset: bytes.length });
  });

  const planted: [string, number, number, ConfigurationError][] = [
    ["another version", 0, 2, { code: "version", offset: 0 }],
    ["an unknown flag", 1, 2, { code: "flags", offset: 1 }],
    ["too many members", 2, replicasMax + 1, { code: "members", offset: 2 }],
    ["nextReplicaId of 2^53", 3 + 6, 0x20, { code: "number", offset: 3 }],
    ["a part of no list", 11, 0, { code: "parts", offset: 11 }],
    ["an unknown part", 11, 17, { code: "parts", offset: 11 }],
    ["a replica of 2^53", 12 + 6, 0x20, { code: "number", offset: 12 }],
    ["a node of 2^53", 20 + 6, 0x20, { code: "number", offset: 20 }],
    ["a disk of 2^53", 28 + 6, 0x20, { code: "number", offset: 28 }],
    ["replica 0", 12, 0, { code: "order", offset: 12 }],
    ["a replica twice", 37, 1, { code: "order", offset: 37 }],
    ["autoLeave while not joint", 1, 1, { code: "unsound", broken: [5] }],
    ["voter and learner at once", 11, 5, { code: "unsound", broken: [3] }],
    ["one node twice", 45, 1, { code: "unsound", broken: [7] }],
    ["a next id in use", 3, 2, { code: "unsound", broken: [8] }],
  ];
  it.each(planted)("codec: %s: refused with its place", (_, offset, value, error) => {
    const bytes = encodeConfiguration(first(2));
    bytes[offset] = value;
    expect(errorOf(bytes)).toEqual(error);
  });

  it("codec: no voter: refused", () => {
    expect(errorOf(Uint8Array.from([1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]))).toEqual({
      code: "unsound",
      broken: [1],
    });
  });

  it("codec: any bytes changed: a typed error, or a configuration with exactly these bytes", () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(any, edits, (config, changes) => {
        const bytes = encodeConfiguration(config);
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        const decoded = decodeConfiguration(bytes);
        if ("ok" in decoded) expect(hex(encodeConfiguration(decoded.ok))).toBe(hex(bytes));
        else expect(decoded.error.code).toBeTypeOf("string");
      }),
      { numRuns: 2000 },
    );
  });

  it("codec: arbitrary bytes: never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect("ok" in decodeConfiguration(bytes)).toBe(false);
      }),
    );
  });

  it("codec: a configuration that is not sound: is never written", () => {
    expect(() => encodeConfiguration(emptyConfiguration)).toThrow(InvariantError);
  });
});

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function errorOf(bytes: Uint8Array): ConfigurationError {
  const decoded = decodeConfiguration(bytes);
  if ("ok" in decoded) throw new Error("decoded without an error");
  return decoded.error;
}
