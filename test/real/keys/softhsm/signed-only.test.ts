/** A package that nobody signed is not taken, whatever the machine's settings allow. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { findSoftHsm } from "../../../../src/real/keys/softhsm/find.js";

const folder = mkdtempSync(join(tmpdir(), "quorumlab-apt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hasApt = existsSync("/usr/bin/apt-get") && existsSync("/usr/bin/dpkg-deb");

describe.skipIf(!hasApt)("a package without a signature", () => {
  test("is not unpacked, although apt was told to take such", async () => {
    const settings = unsignedRepository();
    const before = process.env["APT_CONFIG"];
    process.env["APT_CONFIG"] = settings;
    try {
      // With these settings alone it would be taken.
      const words = ["-o", `Dir::State=${emptyState()}`, "-o", "Dir::State::status=/dev/null"];
      execFileSync("apt-get", ["-qq", ...words, "update"], { stdio: "ignore" });
      execFileSync("apt-get", ["-qq", ...words, "download", "libsofthsm2"], {
        stdio: "ignore",
        cwd: folder,
      });
      const cache = join(folder, "cache");
      const found = findSoftHsm({ environment: {}, places: [], cache });
      await expect(found).rejects.toThrow(/apt did not give it/);
      expect(existsSync(join(cache, "softhsm2"))).toBe(false);
    } finally {
      if (before === undefined) delete process.env["APT_CONFIG"];
      else process.env["APT_CONFIG"] = before;
    }
  });
});

/** Path of settings of apt under which it knows this repository alone, and asks for no signature. */
function unsignedRepository(): string {
  const root = join(folder, "package");
  const library = join(root, "usr/lib/some-linux-gnu/softhsm");
  mkdirSync(join(root, "DEBIAN"), { recursive: true });
  mkdirSync(library, { recursive: true });
  writeFileSync(join(library, "libsofthsm2.so"), "not what it says");
  const architecture = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim();
  const control = [
    "Package: libsofthsm2",
    "Version: 99.0",
    `Architecture: ${architecture}`,
    "Maintainer: nobody <nobody@example.invalid>",
    "Description: not what it says",
  ].join("\n");
  writeFileSync(join(root, "DEBIAN/control"), `${control}\n`);
  const repository = join(folder, "repository");
  mkdirSync(repository);
  const file = join(repository, "libsofthsm2.deb");
  execFileSync("dpkg-deb", ["--root-owner-group", "-b", root, file], { stdio: "ignore" });
  const bytes = readFileSync(file);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const entry = `Filename: ./libsofthsm2.deb\nSize: ${bytes.length}\nSHA256: ${digest}`;
  writeFileSync(join(repository, "Packages"), `${control}\n${entry}\n`);
  const sources = join(folder, "sources.list");
  writeFileSync(sources, `deb file:${repository} ./\n`);
  const settings = join(folder, "apt.conf");
  writeFileSync(
    settings,
    [
      `Dir::Etc::sourcelist "${sources}";`,
      'Dir::Etc::sourceparts "/nonexistent";',
      'APT::Get::AllowUnauthenticated "true";',
      'Acquire::AllowInsecureRepositories "true";',
      "",
    ].join("\n"),
  );
  return settings;
}

function emptyState(): string {
  const state = join(folder, "state");
  mkdirSync(join(state, "lists/partial"), { recursive: true });
  return state;
}
