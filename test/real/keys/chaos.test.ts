/**
 * Chaos on a real library: whatever happens to token, process or calls, the store comes back by itself,
 * loses no key, sends no wrong PIN twice, and the process that uses it lives.
 */
import { createPublicKey, verify } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { cka } from "../../../src/core/hsm/cryptoki/constants.js";
import type { HsmEvent } from "../../../src/core/hsm/events.js";
import type { KeyDescription, KeySpec } from "../../../src/core/hsm/keys.js";
import { newAdminCapability } from "../../../src/real/keys/admin.js";
import type { EnvelopeKeyStore } from "../../../src/real/keys/key-store.js";
import { keyStoreOf } from "../../../src/real/keys/key-store-of.js";
import { Pkcs11Hsm, type Pkcs11HsmOptions } from "../../../src/real/keys/pkcs11/pkcs11-hsm.js";
import { resetPinGuard } from "../../../src/real/keys/pkcs11/pin-guard.js";
import type { ModuleLoss } from "../../../src/real/keys/pkcs11/token-module.js";
import { Driver, type Place, makePlace, pin } from "./pkcs11/driver.js";
import { type Proxy, proxyFor } from "./pkcs11/proxy.js";

const library = inject("softhsm");

const aes: KeySpec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: false };
const p256: KeySpec = { algorithm: "ec", bits: 256, purpose: "sign", exportable: false };
const message = Buffer.from("a message");
/** Quick where the defaults are patient; deadlines of requests stay far away. */
const times = {
  callTimeoutUs: 1_500_000,
  backoffUs: 20_000,
  backoffMaxUs: 200_000,
  checkEveryUs: 300_000,
  deadlineUs: 120_000_000,
};

interface Opened {
  readonly store: EnvelopeKeyStore;
  readonly losses: ModuleLoss[];
  readonly events: HsmEvent[];
}

describe.skipIf(library === null)("chaos on SoftHSM", () => {
  let place: Place;
  let proxy: Proxy;
  const open: EnvelopeKeyStore[] = [];

  beforeEach(async () => {
    place = await makePlace(library!);
    proxy = proxyFor(place);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
    place.remove();
  });

  function opened(more: Partial<Pkcs11HsmOptions> = {}): Opened {
    const losses: ModuleLoss[] = [];
    const events: HsmEvent[] = [];
    const { limits, ...module } = proxy.options;
    const options: Pkcs11HsmOptions = {
      ...module,
      processLimits: limits,
      slot: { by: "label", label: place.token.label },
      admin: newAdminCapability(),
      times,
      watch: { lost: (loss) => losses.push(loss), event: (event) => events.push(event) },
      ...more,
    };
    const store = keyStoreOf((to) => new Pkcs11Hsm(options, to), { deadlineMs: 150_000 });
    open.push(store);
    return { store, losses, events };
  }

  const ecKey = (store: EnvelopeKeyStore, label: string): Promise<KeyDescription> =>
    store.generate({ label, version: 1 }, p256);

  async function signs(store: EnvelopeKeyStore, key: KeyDescription): Promise<void> {
    const signature = await store.sign(key.reference, "ecdsa-p256-sha256", message);
    const spki = Buffer.from(key.publicKey!);
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(verify("sha256", message, publicKey, signature)).toBe(true);
  }

  test("the token's folder moves away and back: requests wait, every key is there again", async () => {
    const { store, events } = opened();
    const keys = [await ecKey(store, "one"), await ecKey(store, "two")];
    const away = `${place.token.tokens}-away`;
    renameSync(place.token.tokens, away);
    // Found by the check that comes by itself; down to the level of a new process.
    await until(() => events.some((event) => event.name === "state" && event.to === "restart"));
    expect((await store.health()).working).toBe(false);
    const waiting = keys.map((key) => signs(store, key));
    renameSync(away, place.token.tokens);
    await Promise.all(waiting);
    const labels = (await store.list()).map(({ reference }) => reference.label);
    expect(labels).toEqual(expect.arrayContaining(["one", "two"]));
    expect((await store.health()).working).toBe(true);
  });

  test("the process is killed in the middle of calls, again and again: all of them are answered", async () => {
    const { store, losses } = opened();
    const key = await ecKey(store, "one");
    for (let kill = 1; kill <= 3; kill++) {
      const work = Array.from({ length: 40 }, () => signs(store, key));
      const [child] = proxy.processes();
      process.kill(child!, "SIGKILL");
      await Promise.all(work);
      expect(losses).toHaveLength(kill);
    }
    expect(losses.map(({ code }) => code)).toEqual(["died", "died", "died"]);
  });

  test("calls that never return, and calls that crash: the request is done all the same", async () => {
    const { store, losses } = opened();
    const signing = await ecKey(store, "one");
    const encrypting = await store.generate({ label: "two", version: 1 }, aes);
    proxy.harm("hang", "sign");
    await signs(store, signing);
    expect(proxy.pending("hang", "sign")).toBe(false);
    proxy.harm("crash", "sign");
    proxy.harm("crash-after", "encrypt");
    await Promise.all([
      signs(store, signing),
      store.encrypt(encrypting.reference, message).then(async (blob) => {
        expect(Buffer.compare(await store.decrypt(encrypting.reference, blob), message)).toBe(0);
      }),
    ]);
    expect(proxy.pending("crash", "sign")).toBe(false);
    // The hung one was given up by the machine, which needs no telling.
    expect(
      losses.every(({ code, message: why }) => code === "died" && why.includes("SIGSEGV")),
    ).toBe(true);
    expect(losses.length).toBeGreaterThan(0);
  });

  test("a library that dies while it starts, and while it logs in", async () => {
    proxy.harm("crash", "initialize");
    const { store, losses } = opened();
    const key = await ecKey(store, "one");
    expect(losses).toHaveLength(1);
    proxy.harm("crash-after", "login");
    process.kill(proxy.processes()[0]!, "SIGKILL");
    await signs(store, key);
    expect(losses).toHaveLength(3);
  });

  test("a key is made and the answer lost: it is found, and there is one", async () => {
    const { store } = opened();
    await store.health();
    await ecKey(store, "before");
    proxy.harm("crash-after", "generateKey");
    const name = { label: "made", version: 1 };
    const made = await store
      .generate(name, aes)
      .catch(() => store.generate(name, aes, { ifMissing: true }));
    expect(proxy.pending("crash-after", "generateKey")).toBe(false);
    expect(await store.list("made")).toEqual([made]);
    const blob = await store.encrypt(made.reference, message);
    expect(Buffer.compare(await store.decrypt(made.reference, blob), message)).toBe(0);
  });

  test("a key is destroyed by another process: it is missing, and nothing else is", async () => {
    const { store } = opened();
    const keys = [await ecKey(store, "one"), await ecKey(store, "two")];
    await signs(store, keys[0]!);
    const other = new Driver(place.options);
    const session = await other.login(place.token.label);
    const template = [{ type: cka.id, value: Buffer.from(keys[0]!.reference.id, "hex") }];
    const objects = await other.ask({ fn: "find", session, template, max: 9 });
    expect(objects).toHaveLength(2);
    for (const object of objects) await other.ask({ fn: "destroyObject", session, object });
    await other.module.close();
    await expect(signs(store, keys[0]!)).rejects.toMatchObject({ code: "notFound" });
    await signs(store, keys[1]!);
  });

  test("a wrong PIN is sent once, over requests, opens, processes and stores", async () => {
    const path = join(place.folder, "pin");
    writeFileSync(path, "9999");
    const name = { label: "one", version: 1 };
    for (let start = 0; start < 3; start++) {
      const { store } = opened();
      for (let request = 0; request < 3; request++) {
        await expect(store.generate(name, aes)).rejects.toMatchObject({ code: "pinRejected" });
      }
      await store.close();
    }
    expect(proxy.logins()).toEqual(["9999"]);
    writeFileSync(path, pin);
    await ecKey(opened().store, "two");
    // Whoever resets the guard may send it again.
    resetPinGuard(place.options.pinGuardFolder, place.token.serial);
    writeFileSync(path, "9999");
    const again = opened().store.generate(name, aes);
    await expect(again).rejects.toMatchObject({ code: "pinRejected" });
    const { length } = proxy.logins().filter((sent) => sent !== pin);
    expect(length).toBe(2);
  });

  test("two processes make the same key at once: there is one, and both have it", async () => {
    const one = opened();
    const two = opened({ pinGuardFolder: join(place.folder, "another-guard") });
    for (let round = 1; round <= 8; round++) {
      const name = { label: "shared", version: round };
      const spec = round % 2 === 0 ? aes : p256;
      const made = await Promise.all(
        [one, two].map(({ store }) => store.generate(name, spec, { ifMissing: true })),
      );
      expect(made[0]!.reference).toEqual(made[1]!.reference);
      const listed = (await one.store.list("shared")).filter(
        ({ reference }) => reference.version === round,
      );
      expect(listed).toHaveLength(1);
    }
  });
});

/** Bounded by the deadline of the test alone. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
