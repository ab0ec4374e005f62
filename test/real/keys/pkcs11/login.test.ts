import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Handle, noCall } from "../../../../src/core/hsm/cryptoki/calls.js";
import { ckr } from "../../../../src/core/hsm/cryptoki/constants.js";
import { pinGuardFile, resetPinGuard } from "../../../../src/real/keys/pkcs11/pin-guard.js";
import type { PinSource } from "../../../../src/real/keys/pkcs11/pin.js";
import type { TokenModuleOptions } from "../../../../src/real/keys/pkcs11/token-module.js";
import { Driver, type Place, makePlace, pin } from "./driver.js";
import { type Proxy, proxyFor } from "./proxy.js";

const library = inject("softhsm");

describe.skipIf(library === null)("logging in", () => {
  let place: Place;
  let proxy: Proxy;
  let guard: string;
  let file: string;

  beforeAll(async () => {
    place = await makePlace(library!);
    proxy = proxyFor(place);
    file = pinGuardFile(place.options.pinGuardFolder, place.token.serial);
  });
  beforeEach(() => resetPinGuardIfMade());
  afterAll(() => place.remove());

  function resetPinGuardIfMade(): void {
    guard = place.options.pinGuardFolder;
    mkdirSync(guard, { recursive: true });
    resetPinGuard(guard, place.token.serial);
  }

  function pinFile(text: string | Uint8Array): PinSource {
    const path = join(place.folder, "some-pin");
    writeFileSync(path, text, { mode: 0o600 });
    return { from: "file", path };
  }

  /** In a fresh process, with another session before the login. */
  async function withSession<T>(
    options: Partial<TokenModuleOptions>,
    use: (driver: Driver, session: Handle) => Promise<T>,
  ): Promise<T> {
    const driver = new Driver({ ...proxy.options, ...options });
    await driver.start();
    await driver.ask({ fn: "initialize" });
    try {
      return await use(driver, await driver.session(place.token.label));
    } finally {
      await driver.module.close();
    }
  }

  const login = (options: Partial<TokenModuleOptions>): Promise<number | "lost"> =>
    withSession(options, (driver, session) => driver.rv({ fn: "login", session }));

  test("with a PIN from a file, a program, a descriptor, a variable", async () => {
    expect(await login({ pin: pinFile(`${pin}\r\n`) })).toBe(ckr.ok);
    expect(await login({ pin: { from: "program", path: "/bin/echo", args: [pin] } })).toBe(ckr.ok);
    const path = join(place.folder, "some-pin");
    const descriptor = openSync(path, "r");
    expect(await login({ pin: { from: "descriptor", descriptor } })).toBe(ckr.ok);
    // Read from its start every time.
    expect(await login({ pin: { from: "descriptor", descriptor } })).toBe(ckr.ok);
    closeSync(descriptor);
    process.env["QUORUMLAB_TEST_PIN"] = pin;
    await withSession(
      { pin: { from: "environment", variable: "QUORUMLAB_TEST_PIN" } },
      async (driver, session) => {
        expect(await driver.rv({ fn: "login", session })).toBe(ckr.ok);
        expect(driver.notices.join()).toMatch(/environment/);
      },
    );
    delete process.env["QUORUMLAB_TEST_PIN"];
    expect(proxy.logins()).toEqual(Array.from({ length: 5 }, () => pin));
  });

  test("the PIN is in no argument list and in no environment", async () => {
    process.env["QUORUMLAB_TEST_PIN"] = "a secret of the node";
    await withSession({}, async (driver, session) => {
      expect(await driver.rv({ fn: "login", session })).toBe(ckr.ok);
      const [child] = proxy.processes();
      const seen = ["environ", "cmdline"].map((name) =>
        readFileSync(`/proc/${child}/${name}`, "latin1"),
      );
      expect(seen.join()).toContain("PROXY_FOLDER");
      expect(seen.join()).not.toMatch(/a secret of the node/);
      expect(seen.join().split(/[\0,=]/)).not.toContain(pin);
    });
    delete process.env["QUORUMLAB_TEST_PIN"];
  });

  test("what is no PIN is never sent", async () => {
    const before = proxy.logins().length;
    const sources: (PinSource | null)[] = [
      null,
      { from: "file", path: join(place.folder, "absent") },
      { from: "program", path: "/bin/false", args: [] },
      { from: "program", path: "/nonexistent", args: [] },
      { from: "environment", variable: "QUORUMLAB_NOT_SET" },
    ];
    for (const source of sources) expect(await login({ pin: source })).toBe(noCall.pinMissing);
    for (const text of ["", "\n", "a\0b", Buffer.from([0xff, 0xfe]), "x".repeat(2000)]) {
      expect(await login({ pin: pinFile(text) })).toBe(noCall.pinMissing);
    }
    expect(proxy.logins()).toHaveLength(before);
  });

  test("a PIN is made as the vendor wants it", async () => {
    const before = proxy.logins().length;
    const profile = { ...place.options.profile, lockOut: null };
    const made = { ...profile, pinFormat: "user-password" } as const;
    expect(await login({ profile: made, user: "crypto", pin: pinFile("pass") })).toBe(
      ckr.pinIncorrect,
    );
    const keyed = { ...profile, pinFormat: "key-id-password" } as const;
    expect(await login({ profile: keyed, user: "0001", pin: pinFile("pass") })).toBe(
      ckr.pinIncorrect,
    );
    expect(proxy.logins().slice(before)).toEqual(["crypto:pass", "0001pass"]);
    expect(() => new Driver({ ...proxy.options, profile: made })).toThrow(/user's name/);
    expect(() => new Driver({ ...proxy.options, profile: keyed, user: "x" })).toThrow(/hex/);
  });

  test("a rejected PIN is sent once, whatever is restarted, until a person resets the guard", async () => {
    const before = proxy.logins().length;
    const wrong = { pin: pinFile("0000") };
    await withSession(wrong, async (driver, session) => {
      expect(await driver.rv({ fn: "login", session })).toBe(ckr.pinIncorrect);
      // On disk before the answer.
      expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ spent: 1, inDoubt: 0 });
      expect(await driver.rv({ fn: "login", session })).toBe(noCall.pinGuarded);
      expect(driver.notices.join()).toMatch(/rejected this PIN/);
    });
    for (let start = 0; start < 3; start++) expect(await login(wrong)).toBe(noCall.pinGuarded);
    expect(proxy.logins().slice(before)).toEqual(["0000"]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toContain("0000");
    // The right one is not held back by a wrong one.
    expect(await login({})).toBe(ckr.ok);
    resetPinGuard(guard, place.token.serial);
    expect(await login(wrong)).toBe(ckr.pinIncorrect);
  });

  test("a login that is killed each time is not repeated without end", async () => {
    const before = proxy.logins().length;
    const profile = { ...place.options.profile, lockOut: { attempts: 5, effect: "locked" } };
    for (let start = 0; start < 2; start++) {
      proxy.harm("crash-after", "login");
      expect(await login({ profile })).toBe("lost");
    }
    expect(await login({ profile })).toBe(noCall.pinGuarded);
    expect(proxy.logins().slice(before)).toEqual([pin, pin]);
    resetPinGuard(guard, place.token.serial);
    expect(await login({ profile })).toBe(ckr.ok);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ spent: 0, inDoubt: 0 });
  });

  test("a guard that cannot be read or written lets no PIN through", async () => {
    const before = proxy.logins().length;
    writeFileSync(file, '{"format":1}');
    expect(await login({})).toBe(noCall.pinGuarded);
    rmSync(file);
    const blocked = join(place.folder, "blocked");
    writeFileSync(blocked, "a file where a folder should be");
    expect(await login({ pinGuardFolder: blocked })).toBe(noCall.pinGuarded);
    expect(proxy.logins()).toHaveLength(before);
  });

  test("an answer that is about no PIN leaves no doubt behind", async () => {
    await withSession({}, async (driver, session) => {
      expect(await driver.rv({ fn: "login", session })).toBe(ckr.ok);
      expect(await driver.rv({ fn: "login", session })).toBe(ckr.userAlreadyLoggedIn);
    });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ spent: 0, inDoubt: 0 });
  });
});
