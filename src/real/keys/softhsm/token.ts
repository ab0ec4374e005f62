/** Makes SoftHSM tokens, by C_InitToken and C_InitPIN in a process of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MadeToken, TokenToMake } from "./make-token-child.js";
import { makePrivateFolder } from "./private-folder.js";

// Compiled from here, and also what the sources start: it runs in a plain process.
const childUrl = new URL("../../../../dist/real/keys/softhsm/make-token-child.js", import.meta.url);
const timeoutMs = 60_000;
const outputBytesMax = 1 << 16;

export interface SoftHsmToken extends MadeToken {
  readonly library: string;
  readonly label: string;
  /** What a process needs that loads the library: SOFTHSM2_CONF. */
  readonly environment: { readonly SOFTHSM2_CONF: string };
  /** Where the token's objects lie. */
  readonly tokens: string;
}

/**
 * A token of that label in `folder` (mode 0700, made if need be), beside those that are there. PINs
 * have 4 to 255 bytes. Rejected with an `Error` that says which call failed.
 */
export async function makeSoftHsmToken(folder: string, token: TokenToMake): Promise<SoftHsmToken> {
  const own = makePrivateFolder(folder);
  const tokens = join(own, "tokens");
  mkdirSync(tokens, { recursive: true, mode: 0o700 });
  const config = join(own, "softhsm2.conf");
  if (!existsSync(config)) writeFileSync(config, configOf(tokens), { mode: 0o600 });
  const environment = { SOFTHSM2_CONF: config };
  const made = await inChild(token, environment);
  return { ...made, library: token.library, label: token.label, environment, tokens };
}

/** `slots.removable` and the like stay as they are by default. */
function configOf(tokens: string): string {
  return [
    `directories.tokendir = ${tokens}`,
    "objectstore.backend = file",
    "log.level = ERROR",
    "",
  ].join("\n");
}

/** PINs go through a pipe: everybody can read argument lists. */
async function inChild(
  token: TokenToMake,
  environment: { readonly SOFTHSM2_CONF: string },
): Promise<MadeToken> {
  const child = spawn(process.execPath, [fileURLToPath(childUrl)], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (said.out = `${said.out}${chunk}`.slice(0, outputBytesMax)));
  child.stderr.on("data", (chunk) => (said.err = `${said.err}${chunk}`.slice(-outputBytesMax)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  child.stdin.on("error", () => undefined).end(JSON.stringify(token));
  const status = await ended;
  if (status !== 0) throw new Error(`SoftHSM made no token: ${said.err.trim() || "it was killed"}`);
  return JSON.parse(said.out) as MadeToken;
}
