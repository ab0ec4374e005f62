/** The chapter on keys: its code is run as shown. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { open, openKeys, seal, wrappingKey } from "../../docs/guide/keys.js";

const guide = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/guide/${name}`, import.meta.url)), "utf8");

const folder = mkdtempSync(join(tmpdir(), "quorumlab-guide-keys-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("guide: an envelope is opened after the store was closed, and not when it was changed", async () => {
  const path = join(folder, "keys");
  const secret = join(folder, "secret");
  writeFileSync(secret, "a passphrase of the guide\n", { mode: 0o600 });
  const document = new Uint8Array(Buffer.from("what the document says"));
  const first = await openKeys(path, secret);
  const kek = await wrappingKey(first, 1);
  const envelope = await seal(first, kek, document);
  await first.close();
  const later = await openKeys(path, secret);
  expect(await wrappingKey(later, 1)).toEqual(kek);
  expect(Buffer.from(await open(later, kek, envelope)).equals(document)).toBe(true);
  const changed = envelope.wrappedKey.with(-1, envelope.wrappedKey.at(-1)! ^ 1);
  await expect(open(later, kek, { ...envelope, wrappedKey: changed })).rejects.toMatchObject({
    name: "KeyStoreError",
    code: "authenticationFailed",
  });
  await expect(later.wrap(kek, kek)).rejects.toMatchObject({ policy: "P12" });
  await later.close();
});

it("guide: the chapter shows the code that is tested", () => {
  expect(guide("08-keys.md")).toContain(guide("keys.ts").trim());
});
