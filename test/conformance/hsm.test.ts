/** Every `Hsm` that there is keeps the contract of the port; and the contract can be broken. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HsmRequest, HsmResult, HsmValue } from "../../src/core/ports/hsm.js";
import { hsmChecks } from "./hsm.js";
import type { HsmCheck, HsmSubject } from "./hsm-kit.js";
import { hsmMakers, softwareHsm, subjectOf } from "./hsm-subjects.js";

for (const { name, make } of hsmMakers) {
  const made = await make();
  describe.skipIf(made === null)(`hsm: ${name}`, () => {
    let subject: ReturnType<typeof subjectOf>;
    beforeAll(() => {
      subject = subjectOf(made!);
    });
    afterAll(() => subject.close());

    test.each(hsmChecks)("$name", ({ check }) => check(subject));
  });
}

/** The names of checks that this subject does not pass. */
async function failed(subject: HsmSubject): Promise<string[]> {
  const verdicts = hsmChecks.map(async ({ name, check }: HsmCheck) => {
    const passes = await check(subject).then(
      () => true,
      () => false,
    );
    return passes ? [] : [name];
  });
  return (await Promise.all(verdicts)).flat();
}

describe("hsm: the suite fails what is bad on purpose", () => {
  let sound: ReturnType<typeof subjectOf>;
  beforeAll(async () => {
    sound = subjectOf({ ...(await softwareHsm()), rsaBits: [2048] });
  });
  afterAll(() => sound.close());

  test("one that refuses everything passes nothing", async () => {
    const error = { code: "refusedByPolicy", rv: 0, policy: "P5", during: "anything" } as const;
    const refuses: HsmSubject = { ...sound, ask: () => Promise.resolve({ ok: false, error }) };
    expect(await failed(refuses)).toEqual(hsmChecks.map(({ name }) => name));
  });

  test("one that accepts everything fails wherever something must be refused", async () => {
    const accepts: HsmSubject = {
      ...sound,
      ask: async (request) => {
        const result = await sound.ask(request);
        const value = result.ok ? result.value : made(request);
        return { ok: true, value: value.kind === "verified" ? { ...value, valid: true } : value };
      },
    };
    const onlyWorks = [
      "open: ready, again and again",
      "generate: every kind of key, described as it is",
      "find: every version of a label, all labels, and nothing",
      "encrypt: any length comes back, and no two ciphertexts are the same",
      "wrap: other lengths come back as they were, or are refused",
      "capabilities and health: found by trial, and working",
      "many at once: each has its own answer",
    ];
    const passed = hsmChecks
      .map(({ name }) => name)
      .filter(
        (
          (names) => (name: string) =>
            !names.includes(name)
        )(await failed(accepts)),
      );
    expect(passed).toEqual(onlyWorks);
  });

  /** One bug each, over what is sound. */
  const bugs: readonly [
    string,
    (request: HsmRequest) => HsmRequest,
    (result: HsmResult) => HsmResult,
  ][] = [
    [
      "decrypt: one answer for whatever is wrong",
      (request) =>
        request.kind === "encrypt" || request.kind === "decrypt"
          ? { ...request, associatedData: new Uint8Array(0) }
          : request,
      (result) => result,
    ],
    [
      "delete: for administrators; the key is gone and its name with it",
      (request) => (request.kind === "delete" ? { ...request, admin: sound.admin } : request),
      (result) => result,
    ],
    [
      "generate: if it is missing, else the same; never another in its place",
      (request) => (request.kind === "generate" ? { ...request, ifMissing: true } : request),
      (result) => result,
    ],
    [
      "many at once: each has its own answer",
      (request) => request,
      (() => {
        let last: Extract<HsmValue, { kind: "bytes" }> | null = null;
        return (result: HsmResult): HsmResult => {
          if (!result.ok || result.value.kind !== "bytes") return result;
          const before = last ?? result.value;
          last = result.value;
          return { ok: true, value: before };
        };
      })(),
    ],
  ];
  test.each(bugs)("a bug against %s", async (name, asked, answered) => {
    const buggy: HsmSubject = {
      ...sound,
      ask: async (request) => answered(await sound.ask(asked(request))),
    };
    const { check } = hsmChecks.find((each) => each.name === name)!;
    await expect(check(buggy)).rejects.toThrow();
  });
});

/** A value of the kind that was asked for. */
function made(request: HsmRequest): HsmValue {
  const key = {
    reference: {
      label: "made-up",
      version: 1,
      id: "0".repeat(32),
      spec: { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false },
      publicDigest: null,
    },
    publicKey: null,
    attributes: {
      token: true,
      private: true,
      sensitive: true,
      extractable: false,
      alwaysSensitive: true,
      neverExtractable: true,
      local: true,
      uses: [],
    },
  } as const;
  switch (request.kind) {
    case "generate":
      return { kind: "key", key };
    case "find":
      return { kind: "keys", keys: [key] };
    case "unwrap":
      return request.into.kind === "key"
        ? { kind: "key", key }
        : { kind: "bytes", bytes: new Uint8Array(32) };
    case "verify":
      return { kind: "verified", valid: true };
    case "open":
    case "delete":
      return { kind: "done" };
    default:
      return { kind: "bytes", bytes: new Uint8Array(32) };
  }
}
