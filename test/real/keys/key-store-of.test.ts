/** The adapter alone, over an HSM that answers what it is told to, when it is told to. */
import { describe, expect, test, vi } from "vitest";
import type { HsmEvents, HsmRequest, HsmResult } from "../../../src/core/ports/hsm.js";
import { keyStoreOf, type KeyStoreOptions } from "../../../src/real/keys/key-store-of.js";
import { KeyStoreError, type EnvelopeKeyStore } from "../../../src/real/keys/key-store.js";
import type { KeyDescription, KeyReference } from "../../../src/core/hsm/keys.js";

const spec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false } as const;
const key: KeyReference = { label: "k", version: 1, id: "0".repeat(32), spec, publicDigest: null };
const described: KeyDescription = {
  reference: key,
  publicKey: null,
  attributes: {
    token: true,
    private: true,
    sensitive: true,
    extractable: false,
    alwaysSensitive: true,
    neverExtractable: true,
    local: true,
    uses: ["encrypt", "decrypt"],
  },
};

interface Told {
  readonly store: EnvelopeKeyStore;
  readonly asked: { readonly op: number; readonly request: HsmRequest }[];
  readonly answer: (result: HsmResult) => void;
  closed: number;
}

/** With the answers of `answers`, in order, as each request comes; without: none until told. */
function told(options: KeyStoreOptions = {}, ...answers: HsmResult[]): Told {
  let events: HsmEvents;
  const self = { asked: [] as Told["asked"], closed: 0 };
  const store = keyStoreOf((sink) => {
    events = sink;
    return {
      submit: (op, request) => {
        self.asked.push({ op, request });
        const result = answers.shift();
        if (result !== undefined) events.hsmDone(op, result);
      },
      close: () => Promise.resolve(void self.closed++),
    };
  }, options);
  return Object.assign(self, {
    store,
    answer: (result: HsmResult) => events.hsmDone(self.asked.at(-1)!.op, result),
  });
}

const bytes = (value: number[]): HsmResult => ({
  ok: true,
  value: { kind: "bytes", bytes: Uint8Array.from(value) },
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => "not rejected",
    (reason: unknown) => reason,
  );
  return error instanceof KeyStoreError ? error.code : String(error);
}

describe("key store: what is asked and answered", () => {
  test("answers find their promises, in any order", async () => {
    let events: HsmEvents;
    const store = keyStoreOf((sink) => {
      events = sink;
      return { submit: () => {}, close: () => Promise.resolve() };
    });
    const first = store.encrypt(key, Uint8Array.of(1));
    const second = store.encrypt(key, Uint8Array.of(2));
    events!.hsmDone(2, bytes([22]));
    events!.hsmDone(1, bytes([11]));
    expect([[...(await first)], [...(await second)]]).toEqual([[11], [22]]);
  });

  test("the bytes that are asked with are the caller's again at once", async () => {
    const { store, asked, answer } = told();
    const plaintext = Uint8Array.of(1, 2, 3);
    const done = store.encrypt(key, plaintext);
    plaintext.fill(0);
    answer(bytes([]));
    await done;
    expect((asked[0]!.request as { bytes: Uint8Array }).bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("find: one of that version, none, or more than one", async () => {
    const version = (n: number): KeyDescription => ({
      ...described,
      reference: { ...key, version: n },
    });
    const keys = (...found: KeyDescription[]): HsmResult => ({
      ok: true,
      value: { kind: "keys", keys: found },
    });
    const { store } = told(
      {},
      keys(version(1), version(2)),
      keys(version(2)),
      keys(version(1), version(1)),
    );
    expect((await store.find({ label: "k", version: 1 })).reference.version).toBe(1);
    expect(await codeOf(store.find({ label: "k", version: 1 }))).toBe("notFound");
    expect(await codeOf(store.find({ label: "k", version: 1 }))).toBe("ambiguous");
  });
});

describe("key store: every rejection is a KeyStoreError", () => {
  test("a refusal keeps its number and its policy", async () => {
    const error = { code: "refusedByPolicy", rv: 0x68, policy: "P11", during: "wrap" } as const;
    const { store } = told({}, { ok: false, error });
    const caught = await store.wrap(key, Uint8Array.of(1)).catch((reason: unknown) => reason);
    expect(caught).toBeInstanceOf(KeyStoreError);
    expect(caught).toMatchObject({ code: "refusedByPolicy", rv: 0x68, policy: "P11" });
    expect((caught as Error).message).toBe("wrap: refusedByPolicy (0x68)");
  });

  test("an answer of another kind, and a port that throws", async () => {
    const { store } = told({}, { ok: true, value: { kind: "done" } });
    expect(await codeOf(store.encrypt(key, Uint8Array.of(1)))).toBe("failed");
    const broken = keyStoreOf(() => ({
      submit: () => {
        throw new Error("out of order");
      },
      close: () => Promise.reject(new Error("stuck")),
    }));
    expect(await codeOf(broken.health())).toBe("failed");
    expect(await codeOf(broken.close())).toBe("failed");
  });

  test("names and bytes that are none never reach the HSM", async () => {
    const { store, asked } = told();
    const wrong = "no such" as unknown as Uint8Array;
    const codes = [
      codeOf(store.find({ label: "", version: 1 })),
      codeOf(store.find({ label: "a b", version: 1 })),
      codeOf(store.find({ label: "a".repeat(49), version: 1 })),
      codeOf(store.find({ label: "a", version: 0 })),
      codeOf(store.list("../x")),
      codeOf(store.generate(undefined as never, spec)),
      codeOf(store.encrypt(key, wrong)),
    ];
    expect(new Set(await Promise.all(codes))).toEqual(new Set(["badInput"]));
    expect(await codeOf(store.delete(key, {} as never))).toBe("notAdmin");
    expect(asked).toEqual([]);
  });
});

describe("key store: bounds", () => {
  test("one more than may be in flight is refused, and room comes back", async () => {
    const { store, answer } = told({ inFlightMax: 1 });
    const first = store.health();
    expect(await codeOf(store.health())).toBe("overloaded");
    answer(bytes([]));
    expect(await codeOf(first)).toBe("failed");
    const next = store.encrypt(key, Uint8Array.of(1));
    answer(bytes([5]));
    expect([...(await next)]).toEqual([5]);
  });

  test("no answer by the deadline: a timeout, or unknown for what changes something", async () => {
    vi.useFakeTimers();
    try {
      const { store, answer } = told({ deadlineMs: 100, generateDeadlineMs: 100 });
      const all = [
        codeOf(store.sign(key, "rsa-pss-sha256", Uint8Array.of(1))),
        codeOf(store.generate({ label: "k", version: 1 }, spec)),
        codeOf(store.delete(key, { secret: "s" })),
      ];
      vi.advanceTimersByTime(99);
      answer({ ok: true, value: { kind: "done" } });
      vi.advanceTimersByTime(1);
      expect(await Promise.all(all)).toEqual(["timeout", "unknownOutcome", "not rejected"]);
      answer({ ok: true, value: { kind: "done" } });
    } finally {
      vi.useRealTimers();
    }
  });

  test("close: what waits is rejected, later calls too, and the HSM is ended once", async () => {
    const self = told();
    const waiting = [codeOf(self.store.health()), codeOf(self.store.delete(key, { secret: "s" }))];
    await Promise.all([self.store.close(), self.store.close()]);
    expect(await Promise.all(waiting)).toEqual(["unavailable", "unknownOutcome"]);
    expect(await codeOf(self.store.health())).toBe("unavailable");
    expect(self.closed).toBe(1);
  });
});
