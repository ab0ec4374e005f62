/** Where a passphrase comes from, and what is left of it. */
import { closeSync, chmodSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  PassphraseError,
  passphraseFromCredential,
  passphraseFromDescriptor,
  passphraseFromFile,
  passphraseFromPrompt,
  type Passphrase,
} from "../../../src/real/keys/software/passphrase.js";

const folder = mkdtempSync(join(tmpdir(), "quorumlab-passphrase-"));
const path = join(folder, "secret");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(text: string, mode = 0o600): string {
  rmSync(path, { force: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function given(passphrase: Passphrase): Promise<string> {
  return passphrase().then(
    (bytes) => Buffer.from(bytes).toString("utf8"),
    (error: unknown) => (error instanceof PassphraseError ? `! ${error.code}` : String(error)),
  );
}

describe("passphrase from a file", () => {
  test.each([
    ["a passphrase\n", "a passphrase"],
    ["a passphrase\r\n", "a passphrase"],
    ["  spaces and a\nsecond line\n", "  spaces and a\nsecond line"],
    ["pässword", "pässword"],
    ["x".repeat(1024), "x".repeat(1024)],
    ["x".repeat(1025), "! tooLong"],
    ["x".repeat(100_000), "! tooLong"],
    ["", "! missing"],
    ["\n", "! missing"],
  ])("%#", async (text, expected) => {
    expect(await given(passphraseFromFile(written(text)))).toBe(expected);
    const descriptor = openSync(path, "r");
    expect(await given(passphraseFromDescriptor(descriptor))).toBe(expected);
    closeSync(descriptor);
  });

  test("others may read it, it is not there, it is a folder", async () => {
    expect(await given(passphraseFromFile(written("secret", 0o640)))).toBe("! tooPermissive");
    expect(await given(passphraseFromFile(join(folder, "none")))).toBe("! missing");
    chmodSync(folder, 0o700);
    expect(await given(passphraseFromFile(folder))).toBe("! missing");
  });

  test("a descriptor that is not open", async () => {
    expect(await given(passphraseFromDescriptor(987))).toBe("! missing");
  });
});

describe("passphrase from a service manager's credential", () => {
  test("the file of that name, whatever its mode", async () => {
    written("from systemd", 0o440);
    const env = { CREDENTIALS_DIRECTORY: folder };
    expect(await given(passphraseFromCredential("secret", env))).toBe("from systemd");
    expect(await given(passphraseFromCredential("other", env))).toBe("! missing");
  });

  test("without such a folder, and names that lead out of it", async () => {
    const env = { CREDENTIALS_DIRECTORY: join(folder, "below") };
    expect(await given(passphraseFromCredential("secret", {}))).toBe("! missing");
    for (const name of ["../secret", "..", "", "/etc/hostname"]) {
      expect(await given(passphraseFromCredential(name, env))).toBe("! missing");
    }
  });
});

describe("passphrase from a prompt", () => {
  /** A terminal at which the keys of `typed` are pressed, piece by piece. */
  async function prompted(
    typed: readonly (string | Buffer)[],
  ): Promise<{ text: string; shown: string; raw: boolean[]; left: Buffer }> {
    const raw: boolean[] = [];
    let shown = "";
    const pieces = typed.map((piece) => Buffer.from(piece));
    const input = {
      isTTY: true,
      setRawMode: (on: boolean) => raw.push(on),
      on: (_event: "data", listener: (chunk: Buffer) => void) => {
        for (const piece of pieces) listener(piece);
      },
      removeListener: () => {},
      resume: () => {},
      pause: () => {},
    };
    const text = await given(
      passphraseFromPrompt(input, { write: (more) => (shown += more) }, "Say: "),
    );
    return { text, shown, raw, left: Buffer.concat(pieces) };
  }

  test("what is typed is not shown, and the chunks are wiped", async () => {
    const { text, shown, raw, left } = await prompted(["open ", "sesame\r"]);
    expect([text, shown, raw]).toEqual(["open sesame", "Say: \n", [true, false]]);
    expect(left.every((byte) => byte === 0)).toBe(true);
  });

  test.each([
    [["ab\u007fc\r"], "ac"],
    [["aé\u007f\u007fb\n"], "b"],
    [["wrong\u0015right\r"], "right"],
    [["a\u0003"], "! interrupted"],
    [["\u0004"], "! missing"],
  ])("%j", async (typed, expected) => {
    expect((await prompted(typed)).text).toBe(expected);
  });

  test("no terminal", async () => {
    const input = { isTTY: false } as never;
    expect(await given(passphraseFromPrompt(input, { write: () => true }))).toBe("! missing");
  });
});
