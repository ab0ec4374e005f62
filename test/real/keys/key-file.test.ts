/** The file that `SoftwareHsm` keeps its keys in: what is refused, what survives, what leaks. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  createKeyFile,
  openKeyFile,
  type KeyFile,
} from "../../../src/real/keys/software/key-file.js";
import { decodeKeyFile, deriveKey } from "../../../src/real/keys/software/key-file-format.js";
import { KeyFileError } from "../../../src/real/keys/software/key-file-error.js";
import {
  decodeRecords,
  encodeRecords,
  type KeyRecord,
} from "../../../src/real/keys/software/key-records.js";

const passphrase = "correct horse battery";
const given =
  (text = passphrase) =>
  () =>
    Promise.resolve(new Uint8Array(Buffer.from(text)));
const secret = new Uint8Array(Buffer.from("a secret that is nowhere in clear"));

function record(n: number, changes: Partial<KeyRecord> = {}): KeyRecord {
  return {
    id: n.toString(16).padStart(32, "0"),
    name: { label: "disk", version: n },
    spec: { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false },
    createdMs: 1_700_000_000_000,
    encryptionsReserved: 16_384,
    material: new Uint8Array(secret),
    ...changes,
  };
}

const folder = mkdtempSync(join(tmpdir(), "quorumlab-key-file-"));
const sound = join(folder, "sound.keys");
const path = join(folder, "keys");
const add = (file: KeyFile, n: number): Promise<void> =>
  file.update(({ keys, tombstones }) => ({ keys: [...keys, record(n)], tombstones }));

async function problemOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => "none",
    (reason: unknown) => reason,
  );
  return error instanceof KeyFileError ? error.code : String(error);
}

/** scrypt takes tenths of a second, as it should: one file is made, and copied. */
beforeAll(async () => {
  const file = await createKeyFile({ path: sound, passphrase: given() });
  await add(file, 1);
  await file.close();
});
beforeEach(() => {
  rmSync(path, { force: true });
  copyFileSync(sound, path);
  chmodSync(path, 0o600);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("key file: refused with a reason, and kept as it is", () => {
  const damaged = (at: number): void => {
    const bytes = readFileSync(path);
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    writeFileSync(path, bytes);
  };
  /** As a hand that knows the format would leave it. */
  const forged = (at: number, value: number): void => {
    const bytes = readFileSync(path);
    bytes[at] = value;
    writeFileSync(path, resealed(bytes));
  };
  test.each([
    ["missing", () => rmSync(path)],
    ["foreign", () => writeFileSync(path, "-----BEGIN PRIVATE KEY-----\n")],
    ["truncated", () => truncateSync(path, 0)],
    ["truncated", () => truncateSync(path, statSync(path).size - 1)],
    ["truncated", () => truncateSync(path, 40)],
    ["damaged", () => writeFileSync(path, "x", { flag: "a" })],
    ["damaged", () => damaged(-1)],
    ["damaged", () => damaged(-40)],
    ["damaged", () => damaged(30)],
    ["unsupported", () => damaged(8)],
    ["unsupported", () => forged(11, 16)],
    ["unsupported", () => forged(11, 30)],
    ["unsupported", () => forged(12, 255)],
    ["unsupported", () => forged(16, 5)],
    ["unsupported", () => forged(10, 2)],
    ["tooPermissive", () => chmodSync(path, 0o640)],
    ["tooPermissive", () => chmodSync(path, 0o604)],
    [
      "notAFile",
      () => {
        rmSync(path);
        symlinkSync(sound, path);
      },
    ],
  ])("%s (%#)", async (code, spoil) => {
    spoil();
    const before = existsSync(path) ? readFileSync(path) : null;
    expect(await problemOf(openKeyFile({ path, passphrase: given() }))).toBe(code);
    expect(existsSync(path) ? readFileSync(path) : null).toEqual(before);
  });

  test.skipIf(process.getuid?.() !== 0)("notOwned: another user's", async () => {
    chownSync(path, 65_534, 65_534);
    expect(await problemOf(openKeyFile({ path, passphrase: given() }))).toBe("notOwned");
  });

  test("a folder in its place", async () => {
    const place = join(folder, "place");
    mkdirSync(place);
    expect(await problemOf(openKeyFile({ path: place, passphrase: given() }))).toBe("notAFile");
  });

  test("a header changed by a hand that mends the digest: the seal notices", async () => {
    const bytes = readFileSync(path);
    // The nonce: it is no input of scrypt.
    bytes[90]! ^= 1;
    writeFileSync(path, resealed(bytes));
    expect(await problemOf(openKeyFile({ path, passphrase: given() }))).toBe("damaged");
  });

  test("another passphrase; and a file is never made over one that is there", async () => {
    expect(await problemOf(openKeyFile({ path, passphrase: given("Correct horse") }))).toBe(
      "wrongPassphrase",
    );
    const before = readFileSync(path);
    expect(await problemOf(createKeyFile({ path, passphrase: given() }))).toBe("exists");
    expect(readFileSync(path)).toEqual(before);
  });

  test("of two that make it at once one wins, and the other does not replace its file", async () => {
    const place = join(folder, "raced");
    const made = [given("one of two"), given("two of two")].map((each) =>
      problemOf(createKeyFile({ path: place, passphrase: each }).then((file) => file.close())),
    );
    expect((await Promise.all(made)).sort((a, b) => a.localeCompare(b))).toEqual([
      "exists",
      "none",
    ]);
  });

  test("a passphrase that is too short makes no file", async () => {
    const place = join(folder, "short");
    const made = createKeyFile({ path: place, passphrase: given("seven77") });
    await expect(made).rejects.toMatchObject({ name: "PassphraseError", code: "tooShort" });
    expect(existsSync(place)).toBe(false);
  });
});

describe("key file: what is written", () => {
  test("mode 0600, scrypt 2^17 8 1 in the header, and no secret in clear", () => {
    expect(statSync(sound).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(sound);
    const decoded = decodeKeyFile(bytes);
    expect(typeof decoded === "string" ? decoded : decoded.header.scrypt).toEqual({
      log2N: 17,
      r: 8,
      p: 1,
    });
    for (const hidden of [secret, Buffer.from("disk"), Buffer.from(passphrase)]) {
      expect(bytes.includes(Buffer.from(hidden))).toBe(false);
    }
    expect(readdirSync(folder).filter((name) => /\.(?:lock|new)$/.test(name))).toEqual([]);
  });

  test("the header is authenticated: without it, or with another, the seal does not open", async () => {
    const decoded = decodeKeyFile(readFileSync(sound));
    if (typeof decoded === "string") throw new Error(decoded);
    const { header, nonce, associatedData, sealed } = decoded;
    const { cipher } = await deriveKey(Buffer.from(passphrase), header.salt, header.scrypt);
    expect(cipher.open(nonce, associatedData, sealed)).not.toBeNull();
    expect(cipher.open(nonce, new Uint8Array(0), sealed)).toBeNull();
    for (let at = 0; at < associatedData.length; at++) {
      const other = associatedData.with(at, associatedData[at]! ^ 1);
      expect(cipher.open(nonce, other, sealed)).toBeNull();
    }
  });

  test("nowhere to write: what was there stays, and so does what is held", async () => {
    const away = join(folder, "away");
    mkdirSync(away);
    copyFileSync(sound, join(away, "keys"));
    chmodSync(join(away, "keys"), 0o600);
    const file = await openKeyFile({ path: join(away, "keys"), passphrase: given() });
    rmSync(away, { recursive: true });
    expect(await problemOf(add(file, 2))).toBe("unwritable");
    expect(file.records.keys.length).toBe(1);
    await file.close();
  });

  test("two that have it open: neither loses what the other wrote", async () => {
    const one = await openKeyFile({ path, passphrase: given() });
    const other = await openKeyFile({ path, passphrase: given() });
    await Promise.all([add(one, 2), add(other, 3), add(one, 4), add(other, 5)]);
    await Promise.all([one.refresh(), other.refresh()]);
    const versions = (file: KeyFile): number[] =>
      file.records.keys.map(({ name }) => name.version).sort((a, b) => a - b);
    expect([versions(one), versions(other)]).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ]);
    await Promise.all([one.close(), other.close()]);
  });

  test("damage while it is open: the next change is refused, and nothing is written over it", async () => {
    const file = await openKeyFile({ path, passphrase: given() });
    truncateSync(path, 100);
    expect(await problemOf(add(file, 2))).toBe("truncated");
    expect(statSync(path).size).toBe(100);
    rmSync(path);
    expect(await problemOf(add(file, 2))).toBe("missing");
    expect(existsSync(path)).toBe(false);
    await file.close();
  });

  test("a lock left behind by a process that died is taken over", async () => {
    const file = await openKeyFile({ path, passphrase: given() });
    writeFileSync(`${path}.lock`, "");
    utimesSync(`${path}.lock`, 1, 1);
    await add(file, 2);
    expect(existsSync(`${path}.lock`)).toBe(false);
    await file.close();
  });

  test("closed: materials are wiped, and nothing goes on", async () => {
    const file = await openKeyFile({ path, passphrase: given() });
    const { material } = file.records.keys[0]!;
    expect(Buffer.from(material).equals(secret)).toBe(true);
    await file.close();
    expect(material.every((byte) => byte === 0)).toBe(true);
    expect(await problemOf(add(file, 2))).toBe("closed");
  });

  test("the passphrase is wiped, also when it was wrong", async () => {
    const typed = Buffer.from(passphrase);
    const wrong = Buffer.from("something else");
    const file = await openKeyFile({ path, passphrase: () => Promise.resolve(typed) });
    await problemOf(openKeyFile({ path, passphrase: () => Promise.resolve(wrong) }));
    expect(Buffer.concat([typed, wrong]).every((byte) => byte === 0)).toBe(true);
    await file.close();
  });

  test("scrypt leaves the event loop alone", async () => {
    let turns = 0;
    const beat = setInterval(() => turns++, 1);
    const file = await openKeyFile({ path, passphrase: given() });
    clearInterval(beat);
    await file.close();
    expect(turns).toBeGreaterThan(5);
  });
});

describe("key records: hostile bytes are null, never a throw", () => {
  const records = {
    keys: [record(1), record(2)],
    tombstones: [{ id: "f".repeat(32), name: { label: "gone", version: 1 }, deletedMs: 5 }],
  };
  const encoded = (given = records): Uint8Array => new Uint8Array(encodeRecords(given).written());

  test("there and back", () => {
    expect(decodeRecords(encoded())).toEqual(records);
  });

  test("every prefix, and one byte more", () => {
    const whole = encoded();
    for (let length = 0; length < whole.length; length++) {
      expect(decodeRecords(whole.subarray(0, length))).toBeNull();
    }
    expect(decodeRecords(Uint8Array.of(...whole, 0))).toBeNull();
  });

  test("an id or a name twice, also of the dead; a name or kind that is none", () => {
    const wrong = [
      [record(1), record(1, { name: { label: "x", version: 1 } })],
      [record(1), record(2, { name: { label: "disk", version: 1 } })],
      [record(1, { name: { label: "gone", version: 1 } })],
      [record(1, { name: { label: "a/b", version: 1 } })],
      [record(1, { spec: { algorithm: "aes", bits: 128, purpose: "encrypt", exportable: false } })],
      [record(1, { spec: { algorithm: "ec", bits: 256, purpose: "wrap", exportable: false } })],
      [record(1, { material: new Uint8Array(0) })],
    ];
    for (const keys of wrong) expect(decodeRecords(encoded({ ...records, keys }))).toBeNull();
  });
});

/** The digest at the end, made right again. */
function resealed(bytes: Buffer): Buffer {
  const body = bytes.subarray(0, -32);
  return Buffer.concat([body, createHash("sha256").update(body).digest()]);
}
