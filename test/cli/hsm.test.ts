/** The verbs of keys, on a file of keys; each refusal says what to do. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newAdminCapability } from "../../src/real/keys/admin.js";
import { keyStoreOf } from "../../src/real/keys/key-store-of.js";
import { openKeyFile } from "../../src/real/keys/software/key-file.js";
import { passphraseFromFile } from "../../src/real/keys/software/passphrase.js";
import { SoftwareHsm } from "../../src/real/keys/software/software-hsm.js";
import { encryptSpec, p256, wrapSpec } from "../conformance/hsm-kit.js";
import { quorumlab, type Ran } from "./fake.js";

const folder = mkdtempSync(join(tmpdir(), "quorumlab-cli-hsm-"));
const secret = join(folder, "secret");
const passphrase = "a passphrase of the command line";
let dirs = 0;

beforeAll(() => writeFileSync(secret, `${passphrase}\n`, { mode: 0o600 }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const newDir = (): string => join(folder, `dir-${++dirs}`);
const hsm = (...typed: string[]): Promise<Ran> => quorumlab(["hsm", ...typed]);

async function made(): Promise<string> {
  const dir = newDir();
  const ran = await hsm("init", "--software", "--passphrase", `file:${secret}`, "--dir", dir);
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  return dir;
}

/** With keys in it, as a node would make them. */
async function withKeys(
  change: (file: Awaited<ReturnType<typeof openKeyFile>>) => Promise<void> = () =>
    Promise.resolve(),
): Promise<string> {
  const dir = await made();
  const file = await openKeyFile({
    path: join(dir, "hsm.keys"),
    passphrase: passphraseFromFile(secret),
  });
  const admin = newAdminCapability();
  const store = keyStoreOf((events) => new SoftwareHsm({ file, admin }, events));
  await store.generate({ label: "data", version: 1 }, encryptSpec);
  await store.generate({ label: "kek", version: 3 }, wrapSpec);
  await store.generate({ label: "signer", version: 1 }, p256);
  await change(file);
  await store.close();
  return dir;
}

describe("hsm init", () => {
  test("a file of keys and its description, which holds no secret", async () => {
    const dir = await made();
    const description = readFileSync(join(dir, "hsm.json"), "utf8");
    expect(JSON.parse(description)).toEqual({
      format: "quorumlab-hsm",
      version: 1,
      kind: "software",
      file: "hsm.keys",
      passphrase: { from: "file", path: secret },
    });
    expect(description).not.toContain(passphrase);
  });

  test("over what is there: refused, and nothing is touched", async () => {
    const dir = await made();
    const before = readFileSync(join(dir, "hsm.keys"));
    const again = await hsm("init", "--software", "--passphrase", `file:${secret}`, "--dir", dir);
    expect([again.code, again.stderr]).toEqual([73, expect.stringContaining("kept as it is")]);
    rmSync(join(dir, "hsm.json"));
    const third = await hsm("init", "--software", "--passphrase", `file:${secret}`, "--dir", dir);
    expect([third.code, third.stderr]).toEqual([73, expect.stringContaining("there is a file")]);
    expect(readFileSync(join(dir, "hsm.keys"))).toEqual(before);
  });

  test.each([
    [["init"], 64, "--software, --softhsm, --library"],
    [["init", "--software", "--softhsm"], 64, "one of --software, --softhsm, --library"],
    [["init", "--library", "/nowhere/p11.so"], 64, "say which token"],
    [
      ["init", "--library", "/p11.so", "--token-label", "t", "--token-serial", "1"],
      64,
      "say which token",
    ],
    [["init", "--library", "/p11.so", "--token-label", "t"], 64, "--pin file:PATH"],
    [["init", "--library", "/p11.so", "--token-label", "t", "--pin", "hunter2"], 64, "file:PATH"],
    [["init", "--library", "/p11.so", "--vendor", "acme"], 64, "Allowed choices are softhsm"],
    [["init", "--software", "--passphrase", "hunter2"], 64, "prompt, fd:N, file:PATH"],
    [["init", "--software", "--passphrase", "fd:x"], 64, "prompt, fd:N, file:PATH"],
    [["init", "--software", "--passphrase", "prompt:x"], 64, "prompt, fd:N, file:PATH"],
    [
      ["init", "--software", "--passphrase", "file:/nowhere/secret"],
      69,
      "no passphrase from /nowhere/secret",
    ],
    [
      ["init", "--software", "--passphrase", "credential:keys"],
      69,
      "CREDENTIALS_DIRECTORY is not set",
    ],
    [["inti"], 64, "Did you mean init?"],
    [[], 64, "hsm init, hsm probe, hsm list, hsm test, hsm advise"],
    [["list", "--label", "a b"], 64, "A label has 1 to 48"],
  ])("%j: exit %i", async (typed, code, words) => {
    const dir = newDir();
    const ran = await hsm(
      ...typed,
      ...(typed.length > 0 && typed[0] !== "inti" ? ["--dir", dir] : []),
    );
    expect([ran.code, ran.stdout]).toEqual([code, ""]);
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).not.toContain("hunter2");
    expect(existsSync(join(dir, "hsm.json"))).toBe(false);
  });

  test("a passphrase that is too short", async () => {
    const short = join(folder, "short");
    writeFileSync(short, "short\n", { mode: 0o600 });
    const ran = await hsm("init", "--software", "--passphrase", `file:${short}`, "--dir", newDir());
    expect([ran.code, ran.stderr]).toEqual([69, expect.stringContaining("at least 8 bytes")]);
  });
});

describe("hsm probe, list, test, advise", () => {
  test("probe: what works, by trial", async () => {
    const ran = await hsm("probe", "--dir", await made());
    const names = ran.records().map(({ name, works }) => (works === true ? name : "broken"));
    expect(names).toEqual(
      expect.arrayContaining(["encrypt aes-gcm", "wrap aes-kwp", "sign ecdsa-p256-sha256"]),
    );
    expect([ran.code, names.includes("broken")]).toEqual([0, false]);
  });

  test("list: names and attributes; one label; nothing", async () => {
    const dir = await withKeys();
    const all = await hsm("list", "--dir", dir);
    const named = ({ records }: Ran): string[] =>
      records().map(({ label, version }) => `${String(label)}/${String(version)}`);
    expect([all.code, named(all)]).toEqual([0, ["data/1", "kek/3", "signer/1"]]);
    expect(named(await hsm("list", "--label", "kek", "--dir", dir))).toEqual(["kek/3"]);
    expect(named(await hsm("list", "--label", "no-such", "--dir", dir))).toEqual([]);
    const pretty = await hsm("list", "--dir", dir, "--format", "pretty");
    expect(pretty.stdout).toMatch(/signer +1 +ec 256 +sign +[0-9a-f]{32} +.*neverExtractable/);
  });

  test("test: every operation holds, and leaves no key", async () => {
    const dir = await made();
    const ran = await hsm("test", "--dir", dir);
    expect([ran.code, ran.records().length]).toEqual([0, 6]);
    expect(ran.records().every(({ held }) => held === true)).toBe(true);
    expect((await hsm("list", "--dir", dir)).records()).toEqual([]);
  });

  test("advise: on what is there, and 1 for what is critical", async () => {
    const dir = await withKeys();
    const fine = await hsm("advise", "--dir", dir);
    expect(fine.code).toBe(0);
    const strict = await hsm("advise", "--dir", dir, "--fips", "--suite", "cnsa-1");
    expect(strict.records().map(({ rule }) => rule)).toEqual(expect.arrayContaining(["P6", "P14"]));
    expect(strict.code).toBe(1);
    const used = await withKeys((file) =>
      file.update(({ keys, tombstones }) => ({
        keys: keys.map((key) => ({ ...key, createdMs: 0, encryptionsReserved: 2 ** 31 })),
        tombstones,
      })),
    );
    const old = await hsm("advise", "--dir", used);
    expect(
      old.records().map(({ rule, severity }) => `${String(rule)} ${String(severity)}`),
    ).toEqual(expect.arrayContaining(["P1 critical", "P2 critical", "P3 critical", "P4 warning"]));
    expect(old.code).toBe(1);
  });
});

describe("hsm: a token", () => {
  const softhsm = inject("softhsm");

  test.skipIf(softhsm === null)("a token of SoftHSM, from init to advice", async () => {
    const dir = newDir();
    const init = await hsm("init", "--softhsm", "--dir", dir);
    expect([init.code, init.stderr]).toEqual([0, ""]);
    const pin = readFileSync(join(dir, "softhsm", "pin"), "utf8").trim();
    expect(statSync(join(dir, "softhsm", "pin")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dir, "hsm.json"), "utf8")).not.toContain(pin);
    const probe = await hsm("probe", "--dir", dir);
    const names = probe.records().filter(({ works }) => works === true);
    expect([probe.code, names.map(({ name }) => name)]).toEqual([
      0,
      expect.arrayContaining(["wrap aes-kwp", "sign ecdsa-p256-sha256"]),
    ]);
    const tested = await hsm("test", "--dir", dir);
    expect(tested.records().filter(({ held }) => held !== true)).toEqual([]);
    expect(tested.code).toBe(0);
    expect((await hsm("list", "--dir", dir)).records()).toEqual([]);
    const advice = await hsm("advise", "--dir", dir);
    expect(advice.code).toBe(0);
    expect(advice.records().map(({ rule }) => rule)).toContain("P16");
    expect([probe, tested, advice].map(({ stderr }) => stderr).join("")).not.toContain(pin);
    const again = await hsm("init", "--softhsm", "--dir", dir);
    expect(again.code).toBe(73);
  });

  test("a library that is not there: said at once", async () => {
    const dir = newDir();
    const typed = ["--library", "/nowhere/p11.so", "--token-label", "t", "--pin", `file:${secret}`];
    expect((await hsm("init", ...typed, "--dir", dir)).code).toBe(0);
    const ran = await hsm("list", "--dir", dir);
    expect([ran.code, ran.stdout]).toEqual([69, ""]);
    expect(ran.stderr).toMatch(/p11\.so|pkcs11js/);
  });
});

describe("hsm: what cannot be opened", () => {
  const spoilt: readonly [string, (dir: string) => void, number, string][] = [
    ["no description", (dir) => rmSync(join(dir, "hsm.json")), 66, "npx quorumlab hsm init"],
    ["a description that is none", (dir) => writeFileSync(join(dir, "hsm.json"), "{"), 65, "JSON"],
    [
      "a description with more in it",
      (dir) => {
        const path = join(dir, "hsm.json");
        writeFileSync(path, readFileSync(path, "utf8").replace("{", '{ "pin": "1234",'));
      },
      65,
      "pin",
    ],
    ["no keys", (dir) => rmSync(join(dir, "hsm.keys")), 66, "no such file"],
    ["keys cut short", (dir) => truncateSync(join(dir, "hsm.keys"), 90), 65, "its end is missing"],
    [
      "keys that others may read",
      (dir) => chmodSync(join(dir, "hsm.keys"), 0o644),
      65,
      "mode 0600",
    ],
    ["another passphrase", () => writeFileSync(secret, "another one\n"), 65, "not the one"],
    ["a passphrase that others may read", () => chmodSync(secret, 0o644), 69, "mode 0600"],
  ];
  test.each(spoilt)("%s", async (_name, spoil, code, words) => {
    writeFileSync(secret, `${passphrase}\n`, { mode: 0o600 });
    chmodSync(secret, 0o600);
    const dir = await made();
    spoil(dir);
    const ran = await hsm("list", "--dir", dir);
    writeFileSync(secret, `${passphrase}\n`);
    chmodSync(secret, 0o600);
    expect([ran.code, ran.stdout]).toEqual([code, ""]);
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).not.toContain(passphrase);
  });

  test("help: each verb has an example", async () => {
    for (const verb of ["init", "probe", "list", "test", "advise"]) {
      const ran = await hsm(verb, "--help");
      expect([ran.code, ran.stdout]).toEqual([
        0,
        expect.stringContaining(`Example:\n  npx quorumlab hsm ${verb}`),
      ]);
    }
    expect((await quorumlab(["help", "hsm"])).stdout).toContain("hsm init --software");
  });
});
