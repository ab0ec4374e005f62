import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Handle } from "../../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckm, ckr } from "../../../../src/core/hsm/cryptoki/constants.js";
import { softhsm } from "../../../../src/core/hsm/profiles/softhsm.js";
import { restartDelayMs } from "../../../../src/real/keys/pkcs11/module-process.js";
import { Driver, type Place, aesTemplate, makePlace } from "./driver.js";
import { type Proxy, proxyFor } from "./proxy.js";

const library = inject("softhsm");

describe("the wait before a process", () => {
  const limits = { backoffMs: 100, backoffMaxMs: 1_000 };

  test("grows with those that died young, to its bound, and is drawn below", () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 5_000].map((deaths) => restartDelayMs(deaths, limits, 1));
    expect(longest).toEqual([0, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
    expect(restartDelayMs(3, limits, 0.25)).toBe(100);
  });
});

describe("a process that cannot start", () => {
  const folder = mkdtempSync(join(tmpdir(), "quorumlab-start-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("says so, with its code and what is wrong", async () => {
    const path = join(folder, "no-library.so");
    writeFileSync(path, "this is no library");
    const driver = new Driver({
      library: path,
      profile: softhsm,
      pin: null,
      pinGuardFolder: folder,
    });
    const loss = driver.nextLoss();
    driver.module.restart();
    const { code, message } = await loss;
    // Without pkcs11js that is what is said first.
    expect(["libraryUnusable", "pkcs11jsMissing"]).toContain(code);
    expect(message).toMatch(/no-library\.so|npm (install|rebuild) pkcs11js/);
    await driver.module.close();
  });
});

describe.skipIf(library === null)("a process that fails", () => {
  let place: Place;
  let proxy: Proxy;

  beforeAll(async () => {
    place = await makePlace(library!);
    proxy = proxyFor(place);
  });
  afterAll(() => place.remove());

  interface Ready {
    readonly driver: Driver;
    readonly session: Handle;
    readonly key: Handle;
  }

  const gcm = {
    type: ckm.aesGcm,
    parameter: {
      kind: "gcm",
      iv: Buffer.alloc(12, 1),
      associatedData: Buffer.alloc(0),
      tagBits: 128,
    },
  } as const;
  const data = Buffer.from("data");

  async function ready(limits = {}): Promise<Ready> {
    const { options } = proxy;
    const driver = new Driver({ ...options, limits: { ...options.limits, ...limits } });
    const session = await driver.login(place.token.label);
    const key = await driver.ask({
      fn: "generateKey",
      session,
      mechanism: { type: ckm.aesKeyGen },
      template: aesTemplate(),
    });
    return { driver, session, key };
  }

  test("a call that never returns: the process is killed, what waits is lost, the next one works", async () => {
    const { driver, session, key } = await ready({ callDeadlineMs: 700 });
    proxy.harm("hang", "encrypt");
    const lost = driver.nextLoss();
    const encrypt = { fn: "encrypt", session, mechanism: gcm, key, data } as const;
    const hanging = driver.rv(encrypt);
    const behind = driver.rv({ fn: "sessionInfo", session });
    expect(await Promise.all([hanging, behind])).toEqual(["lost", "lost"]);
    expect((await lost).code).toBe("deadline");
    expect(proxy.pending("hang", "encrypt")).toBe(false);
    expect(await driver.login(place.token.label)).toMatch(/./);
    await driver.module.close();
  });

  test("what was done before a call that hangs is answered", async () => {
    const { driver, session, key } = await ready({ callDeadlineMs: 700 });
    proxy.harm("hang", "generateKey");
    const encrypt = { fn: "encrypt", session, mechanism: gcm, key, data } as const;
    const generate = {
      fn: "generateKey",
      session,
      mechanism: { type: ckm.aesKeyGen },
      template: aesTemplate(),
    } as const;
    const rvs = [encrypt, encrypt, generate, encrypt].map((call) => driver.rv(call));
    // The deadline of the third is a longer one, and passes long after this test.
    expect(await Promise.all(rvs.slice(0, 2))).toEqual([ckr.ok, ckr.ok]);
    while (proxy.pending("hang", "generateKey")) await turn();
    driver.module.restart();
    await driver.module.close();
  });

  test("a crash is told, also when the deed was done", async () => {
    const { driver, session } = await ready();
    proxy.harm("crash-after", "generateKey");
    const template = aesTemplate([
      { type: cka.token, value: true },
      { type: cka.label, value: Buffer.from("made and lost") },
    ]).filter(({ type, value }) => type !== cka.token || value !== false);
    const mechanism = { type: ckm.aesKeyGen };
    const lost = driver.nextLoss();
    expect(await driver.rv({ fn: "generateKey", session, mechanism, template })).toBe("lost");
    expect(await lost).toMatchObject({ code: "died", message: expect.stringContaining("SIGSEGV") });
    const again = await driver.login(place.token.label);
    const named = [{ type: cka.label, value: Buffer.from("made and lost") }];
    expect(await driver.ask({ fn: "find", session: again, template: named, max: 9 })).toHaveLength(
      1,
    );
    await driver.module.close();
  });

  test("a library that writes into our channel is not believed any more", async () => {
    const { driver, session, key } = await ready();
    proxy.harm("scribble", "encrypt");
    const lost = driver.nextLoss();
    expect(await driver.rv({ fn: "encrypt", session, mechanism: gcm, key, data })).toBe("lost");
    expect((await lost).code).toBe("unreadable");
    await driver.login(place.token.label);
    await driver.module.close();
  });

  test("a call while no process is there is dropped, not queued", async () => {
    const driver = new Driver(proxy.options);
    void driver.rv({ fn: "initialize" });
    await driver.start();
    await driver.ask({ fn: "initialize" });
    expect(driver.answered).toEqual([2]);
    await driver.module.close();
  });

  test("process after process may die", async () => {
    const { driver } = await ready();
    for (let death = 0; death < 4; death++) {
      proxy.harm("crash", "initialize");
      const lost = driver.nextLoss();
      await driver.start();
      void driver.rv({ fn: "initialize" });
      expect((await lost).code).toBe("died");
    }
    expect(driver.losses).toHaveLength(4);
    await driver.login(place.token.label);
    await driver.module.close();
  });

  test("an end in order finalizes; one that hangs is cut short", async () => {
    const first = await ready();
    proxy.harm("crash-after", "finalize");
    await first.driver.module.close();
    expect(proxy.pending("crash-after", "finalize")).toBe(false);
    expect(first.driver.losses).toEqual([]);
    const second = await ready({ closeGraceMs: 100 });
    proxy.harm("hang", "finalize");
    await second.driver.module.close();
    expect(proxy.pending("hang", "finalize")).toBe(false);
  });

  test("a hung process does not outlive a node that was killed", async () => {
    proxy.harm("hang", "initialize");
    const module = new URL("../../../../dist/real/keys/pkcs11/module-process.js", import.meta.url);
    const program = `
      const { TokenModuleProcess } = await import(${JSON.stringify(module.href)});
      const ignore = () => undefined;
      const ready = () => one.call(1, { fn: "initialize" });
      const options = JSON.parse(process.argv[1]);
      const one = new TokenModuleProcess(options, { ready, answered: ignore, lost: ignore });
      one.restart();`;
    const words = ["--input-type=module", "-e", program, JSON.stringify(proxy.options)];
    const node = spawn(process.execPath, words, { stdio: "inherit" });
    while (proxy.pending("hang", "initialize")) await turn();
    const [child] = proxy.processes();
    expect(child).toBeGreaterThan(0);
    node.kill("SIGKILL");
    while (proxy.processes().length > 0) await turn();
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
