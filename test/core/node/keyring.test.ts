import { describe, expect, test } from "vitest";
import { nodeId } from "../../../src/core/ids.js";
import { type KeyOwner, Keyring } from "../../../src/core/node/keyring.js";
import { WakeHeap } from "../../../src/core/node/wake-heap.js";
import type { DataKeyId } from "../../../src/core/ports/aead.js";
import type { Hsm, HsmErrorCode, HsmRequest, HsmResult } from "../../../src/core/ports/hsm.js";
import { CountedMarks } from "../counted-marks.js";
import { TestAead, testKeyId } from "../keys/test-aead.js";

type Unwrap = Extract<HsmRequest, { kind: "unwrap" }>;

const kek = { label: "node-3-kek", version: 1 } as unknown as Unwrap["kek"];
const publicKey = Uint8Array.of(3, 3, 3);
const blob = Uint8Array.of(1, 2);

class Owner implements KeyOwner {
  told = 0;

  keyCame(): void {
    this.told++;
  }
}

/** A keyring whose HSM answers by hand, on a clock moved by hand. */
class Rig implements Hsm {
  nowUs = 1_000_000;
  readonly aead = new TestAead();
  readonly marks = new CountedMarks();
  readonly wakes = new WakeHeap();
  /** Asked and not answered. */
  readonly open = new Map<number, HsmRequest>();
  readonly keyring = new Keyring({
    node: nodeId(3),
    hsm: this,
    aead: this.aead,
    marks: this.marks,
    nowUs: () => this.nowUs,
    wakeAt: (sleeper, atUs) => this.wakes.wakeAt(sleeper, atUs),
  });

  submit(op: number, request: HsmRequest): void {
    this.open.set(op, request);
  }

  /** Started, and told of its own key. */
  static ready(): Rig {
    const rig = new Rig();
    rig.keyring.start();
    rig.tellOwn();
    return rig;
  }

  want(owner: Owner, ...numbers: readonly number[]): void {
    for (const n of numbers) this.keyring.want(owner, testKeyId(n), blob);
  }

  get ops(): readonly number[] {
    return [...this.open.keys()];
  }

  /** Of the unwraps that are open. */
  get wanted(): readonly DataKeyId[] {
    return [...this.open.values()].flatMap((request) =>
      request.kind === "unwrap" && request.into.kind === "dataKey" ? [request.into.id] : [],
    );
  }

  answer(op: number, result: HsmResult): boolean {
    this.open.delete(op);
    return this.keyring.hsmDone(op, result);
  }

  tellOwn(op = this.ops[0]!): void {
    const key = { reference: kek, publicKey } as never;
    this.answer(op, { ok: true, value: { kind: "key", key } });
  }

  refuse(code: HsmErrorCode, op = this.ops[0]!): void {
    const error = { code, rv: 0, policy: null, during: "a test" } as const;
    this.answer(op, { ok: false, error });
  }

  /** The key is there then, as when a real HSM has unwrapped it. */
  unwrap(op = this.ops[0]!): void {
    const request = this.open.get(op) as Unwrap;
    if (request.into.kind === "dataKey") this.aead.held.add(request.into.id);
    this.answer(op, { ok: true, value: { kind: "done" } });
  }

  /** Time passes, and who is due is woken. */
  pass(us: number): void {
    const untilUs = this.nowUs + us;
    for (;;) {
      const dueUs = this.wakes.soonestUs;
      if (dueUs > untilUs) break;
      this.nowUs = Math.max(this.nowUs, dueUs);
      this.wakes.takeDue(this.nowUs)!.woken();
    }
    this.nowUs = untilUs;
  }

  /** After how long something is asked again; null: nothing is, in a minute. */
  asksAgainAfterUs(): number | null {
    const fromUs = this.nowUs;
    for (let n = 0; n < 60_000 && this.open.size === 0; n++) this.pass(1_000);
    return this.open.size === 0 ? null : this.nowUs - fromUs;
  }
}

describe("a node's own key", () => {
  test("is asked for before anything else, by its name, and made only where it is missing", () => {
    const rig = new Rig();
    rig.keyring.start();
    rig.want(new Owner(), 1);
    expect([...rig.open.values()]).toMatchObject([
      { kind: "generate", name: { label: "node-3-kek", version: 1 }, ifMissing: true },
    ]);
    const [made] = rig.open.values();
    expect(made).toMatchObject({ spec: { algorithm: "rsa", exportable: false, purpose: "wrap" } });
    expect(rig.keyring.publicKey).toBeNull();
    rig.tellOwn();
    expect(rig.keyring.publicKey).toEqual(publicKey);
    expect(rig.wanted).toEqual([testKeyId(1)]);
    expect([...rig.open.values()]).toMatchObject([{ kind: "unwrap", kek, blob }]);
  });

  test("is asked for again, ever more seldom, as long as the HSM is away", () => {
    const rig = new Rig();
    rig.keyring.start();
    const waits: (number | null)[] = [];
    for (let n = 0; n < 8; n++) {
      rig.refuse("unavailable");
      waits.push(rig.asksAgainAfterUs());
    }
    expect(waits.slice(0, 3)).toEqual([50_000, 100_000, 200_000]);
    expect(waits.slice(-2)).toEqual([2_000_000, 2_000_000]);
    expect(rig.open.size).toBe(1);
    rig.tellOwn();
    expect(rig.keyring.publicKey).toEqual(publicKey);
    expect(rig.asksAgainAfterUs()).toBeNull();
  });

  test("without a public half is no key to go on with", () => {
    const rig = new Rig();
    rig.keyring.start();
    const key = { reference: kek, publicKey: null } as never;
    rig.answer(rig.ops[0]!, { ok: true, value: { kind: "key", key } });
    expect(rig.keyring.publicKey).toBeNull();
    expect(rig.asksAgainAfterUs()).not.toBeNull();
  });
});

describe("data keys", () => {
  test("one request for each, whoever wants it and how often", () => {
    const rig = Rig.ready();
    const owners = [new Owner(), new Owner()];
    for (const owner of [...owners, ...owners]) rig.want(owner, 1, 2);
    expect(rig.wanted).toEqual([testKeyId(1), testKeyId(2)]);
    expect(rig.keyring.size).toBe(2);
  });

  test("owners are told once, between two steps, and only those of that key", () => {
    const rig = Rig.ready();
    const [both, first, second] = [new Owner(), new Owner(), new Owner()];
    rig.want(both, 1, 2);
    rig.want(first, 1);
    rig.want(second, 2);
    rig.unwrap();
    expect(first.told).toBe(0);
    expect(rig.keyring.settle()).toBe(true);
    expect([both, first, second].map(({ told }) => told)).toEqual([1, 1, 0]);
    expect(rig.keyring.settle()).toBe(false);
    rig.unwrap();
    expect(rig.keyring.settle()).toBe(true);
    expect([both, first, second].map(({ told }) => told)).toEqual([2, 1, 1]);
    expect(rig.keyring.size).toBe(0);
    expect(rig.asksAgainAfterUs()).toBeNull();
  });

  test("who wants anew while it is told is heard", () => {
    const rig = Rig.ready();
    const owner = new Owner();
    const eager: KeyOwner = { keyCame: () => rig.want(owner, 2) };
    rig.keyring.want(eager, testKeyId(1), blob);
    rig.unwrap();
    rig.keyring.settle();
    expect(rig.wanted).toEqual([testKeyId(2)]);
  });

  test("so many at once, the others when one is through", () => {
    const rig = Rig.ready();
    const owner = new Owner();
    rig.want(owner, ...Array.from({ length: 40 }, (_, n) => n));
    expect(rig.open.size).toBe(16);
    rig.unwrap();
    expect(rig.open.size).toBe(16);
    for (let n = 0; n < 39; n++) {
      expect(rig.open.size).toBeLessThanOrEqual(rig.keyring.askedMax);
      rig.unwrap();
    }
    expect(rig.keyring.size).toBe(0);
    expect(rig.aead.held.size).toBe(40);
  });

  test("an answer that does not come is asked for again after its deadline", () => {
    const rig = Rig.ready();
    const owner = new Owner();
    rig.want(owner, 1);
    const [lost] = rig.ops;
    rig.pass(1_999_999);
    expect(rig.ops).toEqual([lost]);
    rig.open.clear();
    rig.pass(1);
    expect(rig.marks.of("hsmAnswerLost")).toBe(1);
    expect(rig.asksAgainAfterUs()).toBe(50_000);
    // The lost one comes after all: it is no answer to anything.
    expect(rig.answer(lost!, { ok: true, value: { kind: "done" } })).toBe(false);
    expect(rig.keyring.size).toBe(1);
    rig.unwrap();
    rig.keyring.settle();
    expect(owner.told).toBe(1);
  });

  test("an answer that was never asked for is none", () => {
    const rig = Rig.ready();
    expect(rig.answer(77, { ok: true, value: { kind: "done" } })).toBe(false);
  });

  test.each<HsmErrorCode>([
    "unavailable",
    "timeout",
    "unknownOutcome",
    "overloaded",
    "pinRejected",
    "failed",
  ])("%s: asked again after growing waits, and soon again once it has worked", (code) => {
    const rig = Rig.ready();
    rig.want(new Owner(), 1);
    const waits: (number | null)[] = [];
    for (let n = 0; n < 8; n++) {
      rig.refuse(code);
      waits.push(rig.asksAgainAfterUs());
    }
    expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000].map((ms) => 1_000 * ms));
    expect(rig.marks.of("hsmAway")).toBe(8);
    rig.unwrap();
    rig.want(new Owner(), 2);
    rig.refuse(code);
    expect(rig.asksAgainAfterUs()).toBe(50_000);
  });

  test("one outage is one, however many keys it keeps away", () => {
    const rig = Rig.ready();
    rig.want(new Owner(), ...Array.from({ length: 12 }, (_, n) => n));
    for (const op of rig.ops) rig.refuse("unavailable", op);
    expect(rig.asksAgainAfterUs()).toBe(50_000);
    expect(rig.open.size).toBe(12);
    rig.open.clear();
    rig.pass(2_000_000);
    expect(rig.asksAgainAfterUs()).toBe(100_000);
  });

  test("said to be there and not there: as if the HSM had been away", () => {
    const rig = Rig.ready();
    rig.want(new Owner(), 1);
    rig.answer(rig.ops[0]!, { ok: true, value: { kind: "done" } });
    expect(rig.keyring.settle()).toBe(false);
    expect(rig.asksAgainAfterUs()).toBe(50_000);
  });

  test("one that does not open is put aside, and holds up no other", () => {
    const rig = Rig.ready();
    const owner = new Owner();
    rig.want(owner, 1, 2);
    rig.refuse("authenticationFailed");
    expect(rig.marks.of("dataKeyNotOpened")).toBe(1);
    rig.unwrap();
    rig.want(owner, 3);
    expect(rig.wanted).toEqual([testKeyId(3)]);
    rig.unwrap();
    expect(rig.asksAgainAfterUs()).toBe(5_000_000);
    expect(rig.wanted).toEqual([testKeyId(1)]);
    rig.unwrap();
    rig.keyring.settle();
    expect(rig.keyring.size).toBe(0);
  });

  test("without the node's own key in the token that one is asked for anew", () => {
    const rig = Rig.ready();
    rig.want(new Owner(), 1);
    rig.refuse("notFound");
    expect([...rig.open.values()]).toMatchObject([{ kind: "generate" }]);
    rig.tellOwn();
    expect(rig.open.size).toBe(0);
    rig.pass(5_000_000);
    expect(rig.wanted).toEqual([testKeyId(1)]);
  });

  test("a newer blob is the one that is asked with", () => {
    const rig = new Rig();
    rig.keyring.start();
    rig.want(new Owner(), 1);
    const newer = Uint8Array.of(9);
    rig.keyring.want(new Owner(), testKeyId(1), newer);
    rig.tellOwn();
    expect([...rig.open.values()]).toMatchObject([{ blob: newer }]);
  });
});

describe("owners that are gone", () => {
  test("what nobody else wants is not asked for any more", () => {
    const rig = Rig.ready();
    const [gone, stays] = [new Owner(), new Owner()];
    rig.want(gone, 1, 2);
    rig.want(stays, 2);
    for (const op of rig.ops) rig.refuse("unavailable", op);
    rig.keyring.forget(gone);
    expect(rig.keyring.size).toBe(1);
    rig.asksAgainAfterUs();
    expect(rig.wanted).toEqual([testKeyId(2)]);
    rig.unwrap();
    rig.keyring.settle();
    expect([gone.told, stays.told]).toEqual([0, 1]);
  });

  test("nor told, whether the key comes later, then to be dropped, or has come already", () => {
    const rig = Rig.ready();
    const gone = new Owner();
    rig.want(gone, 1, 2);
    rig.unwrap();
    rig.keyring.forget(gone);
    rig.unwrap();
    expect(rig.keyring.settle()).toBe(false);
    expect(gone.told).toBe(0);
    expect(rig.keyring.aead.holds(testKeyId(2))).toBe(false);
  });

  test("wanted again by another while the first request is open, it comes once", () => {
    const rig = Rig.ready();
    const [gone, next] = [new Owner(), new Owner()];
    rig.want(gone, 1);
    rig.keyring.forget(gone);
    rig.want(next, 1);
    for (const op of rig.ops) rig.unwrap(op);
    rig.keyring.settle();
    expect([gone.told, next.told]).toEqual([0, 1]);
    expect(rig.keyring.size).toBe(0);
  });

  test("wanted again by another, and refused twice, it is asked for once", () => {
    const rig = Rig.ready();
    const [gone, next] = [new Owner(), new Owner()];
    rig.want(gone, 1);
    rig.keyring.forget(gone);
    rig.want(next, 1);
    for (const op of rig.ops) rig.refuse("unavailable", op);
    rig.asksAgainAfterUs();
    expect(rig.wanted).toEqual([testKeyId(1)]);
  });
});
