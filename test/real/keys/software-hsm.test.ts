/** What is `SoftwareHsm`'s own: its file, its counts, its warnings, its vault. What all do is in conformance. */
import type { BinaryLike, ScryptOptions } from "node:crypto";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeBlob, encodeHead } from "../../../src/core/hsm/blob.js";
import type { DataKeyId } from "../../../src/core/ports/aead.js";
import { newAdminCapability } from "../../../src/real/keys/admin.js";
import { keyStoreOf } from "../../../src/real/keys/key-store-of.js";
import type { EnvelopeKeyStore } from "../../../src/real/keys/key-store.js";
import {
  createKeyFile,
  openKeyFile,
  type KeyFile,
} from "../../../src/real/keys/software/key-file.js";
import { gcmOpen } from "../../../src/real/keys/software/primitives.js";
import {
  ringOf,
  SoftwareHsm,
  type PolicyWarning,
  type SoftwareHsmParts,
} from "../../../src/real/keys/software/software-hsm.js";
import { Vault } from "../../../src/real/keys/vault.js";
import {
  encryptSpec,
  exportableSpec,
  p256,
  refused,
  rsaWrap,
  text,
  value,
  wrapSpec,
} from "../../conformance/hsm-kit.js";
import { subjectOf } from "../../conformance/hsm-subjects.js";

/** Files are opened in dozens here; what scrypt costs, and must, is a matter of `key-file.test.ts`. */
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  const scrypt = (
    password: BinaryLike,
    salt: BinaryLike,
    length: number,
    options: ScryptOptions,
    done: (error: Error | null, key: Buffer) => void,
  ): void => crypto.scrypt(password, salt, length, { ...options, N: 2 }, done);
  return { ...crypto, scrypt };
});
const folder = mkdtempSync(join(tmpdir(), "quorumlab-software-hsm-"));
const empty = join(folder, "empty.keys");
const passphrase = (): Promise<Uint8Array> => Promise.resolve(text("a passphrase of tests"));
const admin = newAdminCapability();
let files = 0;

beforeAll(async () => {
  await (await createKeyFile({ path: empty, passphrase })).close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function newPath(): string {
  const path = join(folder, `keys-${++files}`);
  copyFileSync(empty, path);
  chmodSync(path, 0o600);
  return path;
}

interface Opened {
  readonly store: EnvelopeKeyStore;
  readonly hsm: SoftwareHsm;
  readonly file: KeyFile;
}

async function opened(path: string, parts: Partial<SoftwareHsmParts> = {}): Promise<Opened> {
  const file = await openKeyFile({ path, passphrase });
  let hsm: SoftwareHsm;
  const store = keyStoreOf((events) => (hsm = new SoftwareHsm({ file, admin, ...parts }, events)));
  return { store, hsm: hsm!, file };
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "fine",
    ({ code, policy }: { code: string; policy: string | null }) =>
      policy === null ? code : `${code} ${policy}`,
  );
const named = (label: string, version = 1): { label: string; version: number } => ({
  label,
  version,
});

describe("SoftwareHsm: its file", () => {
  test("keys survive, with what they encrypted; exportable ones live for the session", async () => {
    const path = newPath();
    const one = await opened(path);
    const keys = await Promise.all([
      one.store.generate(named("data"), encryptSpec),
      one.store.generate(named("kek"), wrapSpec),
      one.store.generate(named("ec"), p256),
    ]);
    const session = await one.store.generate(named("dek"), exportableSpec);
    expect(session.attributes.token).toBe(false);
    const blob = await one.store.encrypt(keys[0].reference, text("kept"));
    await one.store.close();
    const other = await opened(path);
    expect(await other.store.list()).toEqual([keys[0], keys[2], keys[1]]);
    expect([...(await other.store.decrypt(keys[0].reference, blob))]).toEqual([...text("kept")]);
    await other.store.delete(keys[0].reference, admin);
    await other.store.close();
    const third = await opened(path);
    expect(await codeOf(third.store.find(named("data")))).toBe("notFound");
    expect(await codeOf(third.store.generate(named("data"), encryptSpec))).toBe(
      "refusedByPolicy P19",
    );
    await third.store.close();
  });

  test("two processes' worth of it: each sees what the other made, and one wins a race", async () => {
    const path = newPath();
    const [one, other] = await Promise.all([opened(path), opened(path)]);
    const raced = await Promise.all(
      [one, other, one, other].map(({ store }) =>
        store.generate(named("raced"), encryptSpec, { ifMissing: true }),
      ),
    );
    expect(new Set(raced.map(({ reference }) => reference.id)).size).toBe(1);
    const made = await one.store.generate(named("one"), p256);
    expect(await other.store.find(named("one"))).toEqual(made);
    await one.store.delete(made.reference, admin);
    expect(await codeOf(other.store.find(named("one")))).toBe("notFound");
    await Promise.all([one.store.close(), other.store.close()]);
  });

  test("damage under a running store: health says so, nothing is made, keys at hand go on", async () => {
    const path = newPath();
    const { store } = await opened(path);
    const { reference } = await store.generate(named("data"), encryptSpec);
    await store.encrypt(reference, text("before"));
    truncateSync(path, 100);
    expect(await store.health()).toMatchObject({ working: false, state: "key file truncated" });
    expect(await codeOf(store.generate(named("more"), encryptSpec))).toBe("failed");
    await store.encrypt(reference, text("after"));
    await store.close();
  });

  test("the name of a deleted session key is not given again while the store is open", async () => {
    const { store } = await opened(newPath());
    const { reference } = await store.generate(named("dek"), exportableSpec);
    await store.delete(reference, admin);
    expect(await codeOf(store.generate(named("dek"), exportableSpec))).toBe("refusedByPolicy P19");
    expect(await codeOf(store.encrypt(reference, text("x")))).toBe("notFound");
    await store.close();
  });

  test("a key that is deleted while it encrypts never encrypts as a key of zeros", async () => {
    const { store, hsm } = await opened(newPath());
    for (let turns = 0; turns < 12; turns++) {
      const { reference } = await store.generate(named("dek", turns + 1), exportableSpec);
      const key = ringOf(hsm).get(reference);
      const answer = store.encrypt(reference, text("plain")).catch(() => null);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      ringOf(hsm).dropFromSession(key);
      const bytes = await answer;
      if (bytes === null) continue;
      const blob = decodeBlob(bytes)!;
      expect(gcmOpen(new Uint8Array(32), blob.iv, encodeHead(blob), blob.body)).toBeNull();
    }
    await store.close();
  });

  test("an answer never comes within the call that asks, not even a refusal", async () => {
    const file = await openKeyFile({ path: newPath(), passphrase });
    const answered: number[] = [];
    const hsm = new SoftwareHsm({ file }, { hsmDone: (op) => answered.push(op) });
    const key = { ...named("none"), id: "0".repeat(32), spec: encryptSpec, publicDigest: null };
    hsm.submit(1, { kind: "encrypt", key, associatedData: text(""), bytes: text("") });
    for (let op = 2; op <= 1_100; op++) hsm.submit(op, { kind: "health" });
    expect(answered).toEqual([]);
    await hsm.close();
    hsm.submit(1_101, { kind: "open" });
    expect(answered.length).toBe(1_100);
    await hsm.close();
  });

  test("more than may wait: refused at once, and all others are answered", async () => {
    const file = await openKeyFile({ path: newPath(), passphrase });
    const codes: string[] = [];
    const hsm = new SoftwareHsm(
      { file },
      { hsmDone: (_op, result) => codes.push(result.ok ? "ok" : result.error.code) },
    );
    for (let op = 1; op <= 1_030; op++) hsm.submit(op, { kind: "health" });
    await hsm.close();
    expect(codes.filter((code) => code === "overloaded").length).toBe(6);
    expect(codes.filter((code) => code === "ok").length).toBe(1_024);
  });

  test("without a capability nobody deletes", async () => {
    const file = await openKeyFile({ path: newPath(), passphrase });
    const store = keyStoreOf((events) => new SoftwareHsm({ file }, events));
    const { reference } = await store.generate(named("data"), encryptSpec);
    expect(await codeOf(store.delete(reference, { secret: "" }))).toBe("notAdmin");
    await store.close();
  });
});

describe("SoftwareHsm: encryptions are counted (policy P4)", () => {
  /** As if so many had been made in the past. */
  async function counted(
    encryptionsReserved: number,
    warnings: PolicyWarning[] = [],
  ): Promise<Opened> {
    const path = newPath();
    const before = await opened(path);
    await before.store.generate(named("data"), encryptSpec);
    await before.file.update(({ keys, tombstones }) => ({
      keys: keys.map((record) => ({ ...record, encryptionsReserved })),
      tombstones,
    }));
    await before.store.close();
    return opened(path, { onWarning: (warning) => warnings.push(warning) });
  }

  test("at 2^32 it is refused, at 2^32 - 1 it is not", async () => {
    const { store, hsm } = await counted(2 ** 32 - 1);
    const { reference } = await store.find(named("data"));
    await store.encrypt(reference, text("the last"));
    expect(hsm.usage()[0]!.encryptions).toBe(2 ** 32);
    expect(await codeOf(store.encrypt(reference, text("one more")))).toBe("refusedByPolicy P4");
    await store.close();
  });

  test("at 2^31 there is a warning, once", async () => {
    const warnings: PolicyWarning[] = [];
    const { store } = await counted(2 ** 31 - 2, warnings);
    const { reference } = await store.find(named("data"));
    await store.encrypt(reference, text("before"));
    expect(warnings).toEqual([]);
    await store.encrypt(reference, text("half"));
    await store.encrypt(reference, text("beyond"));
    expect(warnings).toEqual([{ policy: "P4", key: reference }]);
    await store.close();
  });

  test("a crash counts what was reserved, and two stores never count in one block", async () => {
    const path = newPath();
    const [one, other] = await Promise.all([opened(path), opened(path)]);
    const { reference } = await one.store.generate(named("data"), encryptSpec);
    await other.store.find(named("data"));
    for (const { store } of [one, other, one, other]) await store.encrypt(reference, text("x"));
    expect(one.hsm.usage()[0]!.encryptions).toBe(2);
    expect(other.hsm.usage()[0]!.encryptions).toBe(16_384 + 2);
    const after = await opened(path);
    expect(after.hsm.usage()[0]!.encryptions).toBe(2 * 16_384);
    await Promise.all([one, other, after].map(({ store }) => store.close()));
  });
});

describe("SoftwareHsm: wrapping", () => {
  test("only mechanisms that are allowed, each refusal with its policy", async () => {
    const path = newPath();
    const all = [
      "aes-cbc-pad-hmac",
      "aes-gcm",
      "aes-kwp",
      "rsa-oaep-sha1",
      "rsa-oaep-sha256",
    ] as const;
    const setUp = await opened(path);
    const { reference: aes } = await setUp.store.generate(named("aes"), wrapSpec);
    const { reference: rsa } = await setUp.store.generate(named("rsa"), rsaWrap);
    await setUp.store.close();
    const expected = {
      "aes-cbc-pad-hmac": "refusedByPolicy P7",
      "aes-gcm": "refusedByPolicy P7",
      "aes-kwp": "fine",
      "rsa-oaep-sha1": "refusedByPolicy P16",
      "rsa-oaep-sha256": "fine",
    };
    for (const mechanism of all) {
      const legacy = await opened(path, { wraps: [mechanism] });
      const kek = mechanism.startsWith("rsa-") ? rsa : aes;
      const blob = await legacy.store.wrap(kek, text("thirty-two bytes, more or less.."));
      expect(Buffer.from(await legacy.store.unwrapToBytes(kek, blob)).toString()).toContain(
        "thirty",
      );
      const spoilt = blob.with(-1, blob.at(-1)! ^ 1);
      expect(await codeOf(legacy.store.unwrapToBytes(kek, spoilt))).toBe("authenticationFailed");
      await legacy.store.close();
      const strict = await opened(path);
      expect(await codeOf(strict.store.unwrapToBytes(kek, blob))).toBe(expected[mechanism]);
      await strict.store.close();
    }
  });

  test("P10: a KEK weaker than what it wraps is warned of, once", async () => {
    const warnings: PolicyWarning[] = [];
    const { store } = await opened(newPath(), { onWarning: (warning) => warnings.push(warning) });
    const { reference: aes } = await store.generate(named("aes"), wrapSpec);
    const { reference: rsa } = await store.generate(named("rsa"), rsaWrap);
    await store.wrap(aes, text("x"));
    expect(warnings).toEqual([]);
    for (let n = 0; n < 2; n++) await store.wrap(rsa, text("x"));
    expect(warnings).toEqual([{ policy: "P10", key: rsa }]);
    await store.close();
  });

  test("a data key goes from vault to vault, and opens there what was sealed here", async () => {
    const [ours, theirs] = [new Vault(), new Vault()];
    const file = await openKeyFile({ path: newPath(), passphrase });
    const node = subjectOf({
      connect: (events) => new SoftwareHsm({ file, vault: theirs }, events),
      admin,
      rsaBits: [],
      clean: () => {},
    });
    const make = {
      kind: "generate",
      name: named("node"),
      spec: rsaWrap,
      ifMissing: false,
    } as const;
    const { key } = await value(node, make, "key");
    const kek = key.reference;
    const id = ours.generate();
    const sealed = ours.seal(id, text("header"), text("entry"));
    const into = { kind: "dataKey", id } as const;
    const blob = ours.wrapFor(id, key.publicKey!)!;
    await value(node, { kind: "unwrap", kek, blob, into }, "done");
    expect([...theirs.open(id, text("header"), sealed)!]).toEqual([...text("entry")]);
    // And the other way: wrapped by the HSM of whoever holds it.
    const again = await value(node, { kind: "wrap", kek, material: into }, "bytes");
    theirs.drop(id);
    await refused(node, { kind: "wrap", kek, material: into }, "notFound");
    await value(node, { kind: "unwrap", kek, blob: again.bytes, into }, "done");
    expect(theirs.holds(id)).toBe(true);
    const short = { kind: "bytes", bytes: text("no data key") } as const;
    const wrong = await value(node, { kind: "wrap", kek, material: short }, "bytes");
    const other = { kind: "dataKey", id: "0".repeat(32) as DataKeyId } as const;
    await refused(node, { kind: "unwrap", kek, blob: wrong.bytes, into: other });
    await node.close();
  });
});
