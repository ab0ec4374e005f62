import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changesMax } from "../../../src/core/consensus.js";
import { groupId, incarnation, index, replicaId } from "../../../src/core/ids.js";
import { nodeKind } from "../../../src/core/node/node-requests.js";
import {
  adminKind,
  decodeAdminRequest,
  encodeAdminRequest,
} from "../../../src/core/store/admin-protocol.js";
import {
  answerKind,
  clientRefusals,
  decodeClientAnswer,
  decodeClientRequest,
  encodeClientAnswer,
  encodeClientRequest,
  requestKind,
} from "../../../src/core/store/client-protocol.js";
import {
  decodeAdminEntry,
  decodeDataEntry,
  decodeSessionEntry,
  encodeAdminEntry,
  encodeDataEntry,
  encodeSessionEntry,
  whoBytesMax,
} from "../../../src/core/store/entries.js";
import {
  decodeGroupLifeEntry,
  encodeGroupLifeEntry,
  lifeOp,
} from "../../../src/core/store/group-life.js";
import { decodeGroupStatus, encodeGroupStatus } from "../../../src/core/store/group-status.js";
import { decodeSlotsPiece, encodeSlotsPiece } from "../../../src/core/store/slots-piece.js";
import { undecodableCodes } from "../../../src/core/undecodable.js";

const number = fc.oneof(fc.maxSafeNat(), fc.nat(5));
const group = fc.oneof(fc.nat(5), fc.constant(0xffff_ffff));
const bytes = fc.uint8Array({ maxLength: 20 });
const slot = fc.nat(0xffff_ffff);
const word = fc.nat(0xffff_ffff);
const epoch = number;
const plain = { noNullPrototype: true };
const session = fc.record({ group, incarnation: group, index: number }, plain);
const serials = fc
  .tuple(number, number)
  .map(([a, b]) => ({ serial: Math.max(a, b, 1), ackBelow: Math.min(a, b) }));
const leader = number;

function kind<T>(name: string, fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<T> {
  return fc.record({ kind: fc.constant(name), ...fields }, plain) as unknown as fc.Arbitrary<T>;
}

const change = fc.oneof(
  fc.record({ op: fc.constantFrom("addVoter", "addLearner"), node: number, disk: number }, plain),
  fc.record({ op: fc.constantFrom("promote", "demote", "remove"), replica: number }, plain),
);

const request = fc.oneof(
  kind("openSession", { group, nonce: bytes }),
  kind("closeSession", { group, session }),
  serials.chain((both) =>
    kind<object>("command", { group, session, slot, epoch, command: bytes }).map((command) => ({
      ...command,
      ...both,
    })),
  ),
  kind("read", {
    group,
    mode: fc.constantFrom("index", "lease", "follower"),
    slot,
    epoch,
    question: bytes,
  }),
  kind("map", { known: number }),
);

const adminRequest = fc.oneof(
  kind("change", { group, changes: fc.array(change, { maxLength: 5 }), at: fc.option(number) }),
  kind("transfer", { group, to: number }),
  kind("life", { group, payload: bytes }),
  kind("status", { group }),
  kind("map", { group, bytes }),
  kind("readSlots", {
    group,
    slots: fc.record({ from: word, to: word }, plain),
    epoch,
    offset: number,
    bytesMax: word,
  }),
);

const answer = fc.oneof(
  kind("opened", { session }),
  kind("done", { bytes }),
  kind("readResult", { bytes }),
  kind("refused", { reason: fc.constantFrom(...clientRefusals), leader }),
  kind("unknown", { leader }),
  kind("sessionExpired", {}),
  kind("moved", { epoch }),
  kind("map", { version: number, bytes }),
  kind("malformed", { code: fc.constantFrom(...undecodableCodes) }),
);

const data = serials.chain((both) =>
  kind<object>("data", { session, slot, epoch, command: bytes }).map((one) => ({
    ...one,
    ...both,
  })),
);
const sessionEntry = fc.oneof(kind("open", { nonce: bytes }), kind("close", { session }));
const slots = fc.tuple(fc.nat(999), fc.nat(999)).map(([from, more]) => ({
  from,
  to: from + 1 + more,
}));
const piece = fc.uint8Array({ minLength: 1, maxLength: 20 });
const life = fc.oneof(
  kind("exportSlots", { slots, epoch }),
  kind("dropSlots", { slots, epoch }),
  kind("abandonSlots", { slots, epoch }),
  fc.tuple(slots, fc.nat(9), fc.integer({ min: 1, max: 9 })).map(([range, at, more]) => ({
    kind: "keepSlots",
    slots: range,
    epoch: at,
    next: at + more,
  })),
  kind("acceptSlots", { slots, epoch, total: fc.integer({ min: 1, max: 9 }), checksum: word }),
  kind("acceptSlots", { slots, epoch, total: fc.constant(0), checksum: fc.constant(0) }),
  fc.tuple(piece, fc.nat(9), fc.nat(9)).chain(([part, offset, rest]) =>
    kind("stageSlots", {
      slots,
      epoch,
      total: fc.constant(offset + part.length + rest),
      checksum: word,
      offset: fc.constant(offset),
      bytes: fc.constant(part),
    }),
  ),
  kind("retire", {}),
);
const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((unit) => String.fromCharCode(unit)),
  maxLength: whoBytesMax,
});
const adminEntry = kind("admin", { who: printable, atUs: number, bytes });
const status = kind("status", {
  term: number,
  leader: number,
  configuration: bytes,
  configurationIndex: number,
  commit: number,
  members: fc.array(fc.record({ replica: number, match: number }, plain), { maxLength: 4 }),
});
const slotsPiece = fc.tuple(bytes, fc.nat(9)).chain(([part, more]) =>
  kind("piece", {
    total: fc.constant(part.length + more),
    checksum: word,
    bytes: fc.constant(part),
  }),
);

type Decoded = { readonly kind: string };

const codecs: [string, fc.Arbitrary<unknown>, unknown, (from: Uint8Array) => Decoded][] = [
  ["client request", request, encodeClientRequest, decodeClientRequest],
  ["admin request", adminRequest, encodeAdminRequest, decodeAdminRequest],
  ["client answer", answer, encodeClientAnswer, decodeClientAnswer],
  ["data entry", data, encodeDataEntry, decodeDataEntry],
  ["session entry", sessionEntry, encodeSessionEntry, decodeSessionEntry],
  ["group life entry", life, encodeGroupLifeEntry, decodeGroupLifeEntry],
  ["admin entry", adminEntry, encodeAdminEntry, decodeAdminEntry],
  ["group status", status, encodeGroupStatus, decodeGroupStatus],
  ["piece of slots", slotsPiece, encodeSlotsPiece, decodeSlotsPiece],
];

it("admin request: as many changes as a proposal may have, and no more", () => {
  const ask = (count: number) => {
    const changes = Array.from({ length: count }, (_, at) => ({ op: "remove", replica: at + 1 }));
    const request = { kind: "change", group: 1, changes, at: null };
    return decodeAdminRequest(encodeAdminRequest(request as never));
  };
  expect(ask(changesMax)).toMatchObject({ changes: { length: changesMax } });
  expect(ask(changesMax + 1)).toMatchObject({ kind: "undecodable" });
});

describe.each(codecs)("%s", (_name, arbitrary, encoder, decode) => {
  const encode = encoder as (given: unknown) => Uint8Array;

  it("codec: any of them: a round trip", () => {
    fc.assert(
      fc.property(arbitrary, (given) => {
        expect(decode(encode(given))).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  it("codec: cut, lengthened, garbled or random bytes: a canonical one or a typed error", () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.uint8Array({ maxLength: 20 }), (given, at, noise) => {
        const sound = encode(given);
        expect(decode(sound.subarray(0, at % sound.length))).toMatchObject({ kind: "undecodable" });
        expect(decode(Uint8Array.of(...sound, 0)).kind).toBe("undecodable");
        const garbled = sound.slice();
        garbled.set(noise.subarray(0, sound.length - (at % sound.length)), at % sound.length);
        for (const bytes of [garbled, noise]) {
          const decoded = decode(bytes);
          if (decoded.kind === "undecodable") expect(decoded).toHaveProperty("code");
          else expect(encode(decoded)).toEqual(bytes);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("client protocol", () => {
  it("client protocol: an ackBelow above the serial, a serial of 0: refused", () => {
    const ids = { group: 1, incarnation: 1, index: 1 };
    const command = {
      kind: "command",
      group: 1,
      session: ids,
      slot: 0,
      epoch: 0,
      command: new Uint8Array(0),
    };
    for (const [serial, ackBelow] of [
      [0, 0],
      [1, 2],
    ]) {
      const bytes = encodeClientRequest({ ...command, serial, ackBelow } as never);
      expect(decodeClientRequest(bytes)).toEqual({ kind: "undecodable", code: "field" });
    }
  });

  it("client protocol: a group or incarnation of 2^32: no request, for no frame can name it", () => {
    const large = 2 ** 32;
    const question = { mode: "index", slot: 0, epoch: 0, question: new Uint8Array(0) } as const;
    const read = { kind: "read", group: groupId(0), ...question } as const;
    expect(decodeClientRequest(encodeClientRequest(read))).toEqual(read);
    const ids = { group: groupId(1), incarnation: incarnation(1), index: index(1) };
    for (const wrong of [
      { ...read, group: large as never },
      { kind: "closeSession", group: groupId(1), session: { ...ids, group: large as never } },
      { kind: "closeSession", group: groupId(1), session: { ...ids, incarnation: large as never } },
    ] as const) {
      expect(decodeClientRequest(encodeClientRequest(wrong)).kind).toBe("undecodable");
    }
    const transfer = { kind: "transfer", group: large as never, to: replicaId(1) } as const;
    expect(decodeAdminRequest(encodeAdminRequest(transfer)).kind).toBe("undecodable");
  });

  it("group life: nothing is larger than it may be, and no step goes back", () => {
    const at = { slots: { from: 0, to: 1 }, epoch: 5 };
    const wrong = [
      { kind: "exportSlots", slots: { from: 1, to: 1 }, epoch: 5 },
      { kind: "keepSlots", ...at, next: 5 },
      { kind: "acceptSlots", ...at, total: 0, checksum: 1 },
      { kind: "stageSlots", ...at, total: 3, checksum: 1, offset: 2, bytes: new Uint8Array(2) },
      { kind: "stageSlots", ...at, total: 3, checksum: 1, offset: 2, bytes: new Uint8Array(0) },
    ] as const;
    for (const entry of wrong) {
      const decoded = decodeGroupLifeEntry(encodeGroupLifeEntry(entry));
      expect(decoded).toEqual({ kind: "undecodable", code: "field" });
    }
  });

  it("admin entry: a name that is too long, or not of printable ASCII: refused", () => {
    for (const who of ["x".repeat(whoBytesMax + 1), "a\nb", "\u00e9"]) {
      const decoded = decodeAdminEntry(
        encodeAdminEntry({ who, atUs: 0, bytes: new Uint8Array(0) }),
      );
      expect(decoded).toEqual({ kind: "undecodable", code: "field" });
    }
  });

  it("client protocol: what an admin may ask comes as a client's, or the other way round: refused", () => {
    const refused = { kind: "undecodable", code: "kind" };
    fc.assert(
      fc.property(adminRequest, (given) => {
        expect(decodeClientRequest(encodeAdminRequest(given as never))).toEqual(refused);
      }),
    );
    fc.assert(
      fc.property(request, (given) => {
        expect(decodeAdminRequest(encodeClientRequest(given as never))).toEqual(refused);
      }),
    );
  });

  it("client protocol: the page for people: its six tables are those of the code", () => {
    const page = readFileSync("docs/reference/client-protocol.md", "utf8");
    const tables = page.split(/^Reasons of|^## /m).map((section) => {
      const rows = [...section.matchAll(/^\| (\d+) \| `(\w+)` \| .+ \|$/gm)];
      return Object.fromEntries(rows.map((row) => [row[2], Number(row[1])]));
    });
    const refusals = Object.fromEntries(clientRefusals.map((name, at) => [name, at]));
    const documented = tables.filter((table) => Object.keys(table).length > 0);
    expect(documented).toEqual([requestKind, adminKind, lifeOp, nodeKind, answerKind, refusals]);
  });
});
