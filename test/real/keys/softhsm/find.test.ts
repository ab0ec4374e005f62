import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, inject, test } from "vitest";
import { findSoftHsm } from "../../../../src/real/keys/softhsm/find.js";
import { SoftHsmMissingError } from "../../../../src/real/keys/softhsm/missing.js";
import {
  cacheFolder,
  makePrivateFolder,
  whyNotPrivate,
} from "../../../../src/real/keys/softhsm/private-folder.js";
import { makeSoftHsmToken } from "../../../../src/real/keys/softhsm/token.js";
import { unpackedLibrary } from "../../../../src/real/keys/softhsm/unpack.js";

const folder = mkdtempSync(join(tmpdir(), "quorumlab-softhsm-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nowhere = { environment: {}, places: [] };

describe("finding SoftHSM", () => {
  test("what SOFTHSM2_MODULE names is taken before all else", async () => {
    const library = join(folder, "named.so");
    writeFileSync(library, "");
    const environment = { SOFTHSM2_MODULE: library };
    expect(await findSoftHsm({ environment })).toEqual({ library, from: "SOFTHSM2_MODULE" });
  });

  test("a name that leads nowhere is an error, even where another one is installed", async () => {
    const found = findSoftHsm({ environment: { SOFTHSM2_MODULE: join(folder, "absent.so") } });
    await expect(found).rejects.toThrow(/SOFTHSM2_MODULE names .*absent\.so/);
  });

  test("what is installed is taken", async () => {
    const library = join(folder, "installed.so");
    writeFileSync(library, "");
    const places = [join(folder, "absent.so"), library];
    expect(await findSoftHsm({ environment: {}, places })).toEqual({ library, from: "installed" });
  });

  test("the error is typed and names the command that helps", async () => {
    const error = await findSoftHsm({ ...nowhere, cache: null }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SoftHsmMissingError);
    expect((error as SoftHsmMissingError).command).toMatch(/^\S+ .*install .*softhsm/);
  });

  test("a cache in which others may write is not used", async () => {
    const open = join(folder, "open");
    const library = plantedLibrary(open);
    expect(unpackedLibrary(open)).toBe(library);
    chmodSync(open, 0o777);
    expect(unpackedLibrary(open)).toBeNull();
    await expect(findSoftHsm({ ...nowhere, cache: open })).rejects.toThrow(/written by others/);
  });

  test("a library in the cache that others may write is not used", () => {
    const cache = join(folder, "file");
    chmodSync(plantedLibrary(cache), 0o666);
    expect(unpackedLibrary(cache)).toBeNull();
  });
});

describe("private folders", () => {
  test("are made for their owner alone", () => {
    const made = makePrivateFolder(join(folder, "a", "b"));
    expect(statSync(made).mode & 0o777).toBe(0o700);
    expect(whyNotPrivate(made)).toBeNull();
  });

  test("are none when a folder above can be written by others", () => {
    const made = makePrivateFolder(join(folder, "above", "below"));
    chmodSync(join(folder, "above"), 0o770);
    expect(whyNotPrivate(made)).toMatch(/above can be written by others/);
  });

  test("in the cache where XDG_CACHE_HOME says, if it says an absolute path", () => {
    expect(cacheFolder({ XDG_CACHE_HOME: "/c" })).toBe("/c/quorumlab");
    expect(cacheFolder({ XDG_CACHE_HOME: "c" })).toMatch(/\/\.cache\/quorumlab$/);
  });
});

describe.skipIf(inject("softhsm") === null)("SoftHSM tokens", () => {
  const library = inject("softhsm")!;

  test("are made beside each other, and nobody else can read them", async () => {
    const own = join(folder, "tokens");
    const pins = { soPin: "12345678", pin: "1234" };
    const one = await makeSoftHsmToken(own, { library, label: "one", ...pins });
    const two = await makeSoftHsmToken(own, { library, label: "two", ...pins });
    expect(one.serial).toMatch(/^[0-9a-f]{16}$/);
    expect(two.serial).not.toBe(one.serial);
    expect(two.environment).toEqual(one.environment);
    expect(statSync(one.tokens).mode & 0o777).toBe(0o700);
  });

  test("a refused PIN is an error that says so", async () => {
    const token = { library, label: "short", soPin: "1", pin: "1234" };
    await expect(makeSoftHsmToken(join(folder, "refused"), token)).rejects.toThrow(/CKR_PIN/);
  });
});

function plantedLibrary(cache: string): string {
  const lib = join(cache, "softhsm2", "usr", "lib", "some-linux-gnu", "softhsm");
  mkdirSync(lib, { recursive: true, mode: 0o700 });
  chmodSync(cache, 0o700);
  const library = join(lib, "libsofthsm2.so");
  writeFileSync(library, "", { mode: 0o644 });
  return library;
}
