import { describe, expect, it } from "vitest";
import { index } from "../../../src/core/ids.js";
import type { RaftMessage } from "../../../src/core/raft/messages.js";
import type { Oracle } from "../../../src/lab/oracle.js";
import { erasedIsGone } from "../../../src/lab/oracles/erased-is-gone.js";
import { noPlaintext } from "../../../src/lab/oracles/no-plaintext.js";
import { nonceOnce } from "../../../src/lab/oracles/nonce-once.js";
import { sealedForOnePlace } from "../../../src/lab/oracles/sealed-for-one-place.js";
import { entry, first, judge, node1, node2, operation, persist, recovered, view } from "./fakes.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const key = Uint8Array.from({ length: 32 }, (_, at) => 7 * at + 1);
const secret = "the-value-that-nobody-else-may-read";

const hex = (of: Uint8Array): string => Buffer.from(of).toString("hex");
const base64 = (of: Uint8Array): string => Buffer.from(of).toString("base64");

/** Of a longer text, with `before` other bytes in the group where it begins. */
const inBase64 = (of: Uint8Array, before: number): string =>
  base64(Uint8Array.from([...Array<number>(before).fill(0xaa), ...of, 0xaa, 0xaa]));

/** The values of a run are told before they are sent. */
const told = (oracle: Required<Oracle>): void => {
  oracle.keyHeld(node1, "k1", key);
  oracle.invoked(operation("1.1", "put", [0, 1], { value: secret }), 0);
};

describe("no-plaintext", () => {
  const written = (what: string) =>
    judge(noPlaintext, (oracle) => {
      told(oracle);
      oracle.wrote(node1, "segment.1", bytes(`some other text, ${what}, and what follows`));
    });
  const report = ["a secret is written in clear"];

  it("no-plaintext: files: a value or a key is found raw, in hex and in base64, whole or in part", () => {
    expect(written("nothing that is secret")).toEqual([]);
    expect(written(secret)).toEqual(report);
    expect(written(secret.slice(9, 17))).toEqual(report);
    expect(written(hex(bytes(secret)))).toEqual(report);
    expect(written(hex(key).toUpperCase())).toEqual(report);
    for (const skip of [0, 1, 2]) {
      expect(written(base64(bytes(secret).subarray(skip)))).toEqual(report);
    }
  });

  it("no-plaintext: files: any eight bytes in a row are found, wherever they begin and whatever they are", () => {
    // With bytes that are alike, and digits that are.
    const sameish = Uint8Array.from([
      1, 2, 3, 4, 5, 9, 9, 9, 9, 9, 9, 7, 8, 0x33, 0x33, 0x44, 0x55, 0x55, 0xff, 0xff, 0, 0, 0, 0,
      0, 1, 2, 3, 0x20, 0x20, 0x20, 0x20,
    ]);
    for (let at = 0; at + 8 <= sameish.length; at++) {
      const part = sameish.subarray(at, at + 8);
      const texts = [
        hex(part),
        hex(part).toUpperCase(),
        ...[0, 1, 2].map((n) => inBase64(part, n)),
      ];
      for (const found of [part, ...texts.map(bytes)]) {
        const judged = judge(noPlaintext, (oracle) => {
          oracle.keyHeld(node1, "k1", sameish);
          oracle.wrote(node1, "segment.1", Uint8Array.from([...bytes("before:"), ...found, 0]));
        });
        expect([at, judged]).toEqual([at, report]);
      }
    }
  });

  it("no-plaintext: files: seven bytes may be chance, and a filling of one byte is in every file", () => {
    expect(written(secret.slice(9, 16))).toEqual([]);
    const filled = judge(noPlaintext, (oracle) => {
      oracle.keyHeld(node1, "k1", new Uint8Array(32));
      oracle.wrote(node1, "segment.1", new Uint8Array(64));
    });
    expect(filled).toEqual([]);
  });

  it("no-plaintext: nothing is looked for where no data key was ever held", () => {
    const judged = judge(noPlaintext, (oracle) => {
      oracle.invoked(operation("1.1", "put", [0, 1], { value: secret }), 0);
      oracle.wrote(node1, "segment.1", bytes(secret));
    });
    expect(judged).toEqual([]);
  });

  it("no-plaintext: messages: appends and snapshots are looked into, requests of clients are not", () => {
    const sent = (kind: string, text: string) =>
      judge(noPlaintext, (oracle) => {
        told(oracle);
        const message = { kind, group: 1 } as unknown as RaftMessage;
        oracle.released(node1, node2, message, bytes(text));
      });
    expect(sent("append", "sealed")).toEqual([]);
    expect(sent("append", secret)).toEqual(["a secret is sent in clear in append"]);
    expect(sent("snapshotChunk", secret)).toEqual(["a secret is sent in clear in snapshotChunk"]);
    expect(sent("forward", secret)).toEqual([]);
  });
});

describe("nonce-once and sealed-for-one-place", () => {
  const nonce = (last: number): Uint8Array => Uint8Array.of(1, 2, 3, last);
  const place = (last: number): Uint8Array => Uint8Array.of(9, last);

  it("nonce-once: a nonce may come again under another key, not under the same one", () => {
    const sealed = (...of: readonly (readonly [id: string, nonce: number])[]) =>
      judge(nonceOnce, (oracle) => {
        for (const [at, [id, last]] of of.entries()) oracle.sealed(id, nonce(last), place(at));
      });
    expect(sealed(["k1", 1], ["k1", 2], ["k2", 1])).toEqual([]);
    expect(sealed(["k1", 1], ["k2", 1], ["k1", 1])).toEqual(["a nonce is used twice"]);
  });

  it("sealed-for-one-place: two messages with the same associated data, under whatever keys", () => {
    const sealed = (...of: readonly (readonly [id: string, place: number])[]) =>
      judge(sealedForOnePlace, (oracle) => {
        for (const [at, [id, last]] of of.entries()) oracle.sealed(id, nonce(at), place(last));
      });
    expect(sealed(["k1", 1], ["k1", 2], ["k2", 3])).toEqual([]);
    expect(sealed(["k1", 1], ["k1", 1])).toEqual(["two messages are sealed for one place"]);
    expect(sealed(["k1", 1], ["k2", 1])).toEqual(["two messages are sealed for one place"]);
  });
});

describe("erased-is-gone", () => {
  const nonce = Uint8Array.from({ length: 24 }, (_, at) => 200 - at);
  const file = (of: Uint8Array): Uint8Array => Uint8Array.of(1, 2, 3, ...of, 4);
  const left = ["something sealed under an erased key is left"];
  const kept = ["an erased data key is still held"];

  const scanned = (
    drive: (oracle: Required<Oracle>) => void,
    content: Uint8Array = file(nonce),
    node: typeof node1 = node1,
  ) =>
    judge(erasedIsGone, (oracle) => {
      oracle.sealed("k1", nonce, Uint8Array.of(1));
      drive(oracle);
      oracle.scanned(node, "segment.1", content);
    });

  it("erased-is-gone: disks: what was sealed under an erased key is found by its nonce", () => {
    expect(scanned(() => {})).toEqual([]);
    expect(scanned((oracle) => oracle.erased(node1, "k1"))).toEqual(left);
    expect(scanned((oracle) => oracle.erased(node1, "k2"))).toEqual([]);
    expect(scanned((oracle) => oracle.erased(node1, "k1"), file(nonce.subarray(1)))).toEqual([]);
  });

  it("erased-is-gone: disks: another node has not erased it, and a new disk has nothing to answer for", () => {
    expect(scanned((oracle) => oracle.erased(node1, "k1"), file(nonce), node2)).toEqual([]);
    const replaced = scanned((oracle) => {
      oracle.erased(node1, "k1");
      oracle.diskLost(node1);
    });
    expect(replaced).toEqual([]);
  });

  /** Node 1 applies the erasure at 5; what is held then is judged at the end. */
  const remembered = (drive: (oracle: Required<Oracle>) => void) =>
    judge(erasedIsGone, (oracle) => {
      oracle.keyHeld(node1, "k1", key);
      oracle.keyHeld(node2, "k1", key);
      oracle.keyDropped(node1, "k1");
      oracle.erased(node1, "k1");
      oracle.applied(node1, view({ replica: 1 }), [entry(4, 1), entry(5, 1)], [0, 0]);
      drive(oracle);
      oracle.finished([]);
    });

  it("erased-is-gone: memory: who has applied the erasure, or a snapshot of after it, holds the key no more", () => {
    expect(remembered(() => {})).toEqual([]);
    const early = remembered((oracle) => {
      oracle.applied(node2, view({ replica: 2 }), [entry(4, 1)], [0, 0]);
    });
    expect(early).toEqual([]);
    const restored = (dropped: boolean) =>
      remembered((oracle) => {
        if (dropped) oracle.keyDropped(node2, "k1");
        oracle.restored(node2, view({ replica: 2 }), index(6), [0, 0]);
      });
    expect(restored(true)).toEqual([]);
    expect(restored(false)).toEqual(kept);
    expect(remembered((oracle) => oracle.keyHeld(node1, "k1", key))).toEqual(kept);
  });

  it("erased-is-gone: memory: a process that is gone holds nothing; another replica here may need the key yet", () => {
    const crashed = remembered((oracle) => {
      oracle.restored(node2, view({ replica: 2 }), index(6), [0, 0]);
      oracle.crashed(node2);
    });
    expect(crashed).toEqual([]);
    const besideAnOlder = (removed: boolean) =>
      remembered((oracle) => {
        oracle.replicaStarted(node2, first, view({ replica: 3, applied: 2 }), recovered({}));
        oracle.restored(node2, view({ replica: 2 }), index(6), [0, 0]);
        if (removed) oracle.submitted(node2, 1, [persist(3, { removed: true })]);
      });
    expect(besideAnOlder(false)).toEqual([]);
    expect(besideAnOlder(true)).toEqual(kept);
  });
});
