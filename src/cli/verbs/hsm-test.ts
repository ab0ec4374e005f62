import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import type { KeyReference, KeySpec, SignatureAlgorithm } from "../../core/hsm/keys.js";
import { KeyStoreError, type EnvelopeKeyStore } from "../../real/keys/key-store.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import type { Output } from "../output.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";
import { dirOption } from "./hsm-description.js";
import { withStore } from "./hsm-store.js";

interface TestOptions extends CommonOptions {
  readonly dir: string;
}

export function hsmTestVerb(cli: Cli): Command {
  return verb(cli, {
    name: "test",
    about: "Asks for health, and does each operation once with keys that are gone afterwards.",
    example: "npx quorumlab hsm test",
    exits: [0, 1, 65, 66, 69, 130],
  })
    .addOption(dirOption())
    .action(acting(cli, (output, options: TestOptions) => testStore(cli, output, options)));
}

function testStore(cli: Cli, output: Output, { dir }: TestOptions): Promise<ExitCode> {
  return withStore(cli, output, dir, async ({ store, title, admin }) => {
    output.pretty(output.paint.bold(title));
    const made: KeyReference[] = [];
    const make = async (spec: KeySpec): Promise<KeyReference> => {
      const name = { label: `hsm-test-${randomBytes(6).toString("hex")}`, version: 1 };
      const { reference } = await store.generate(name, spec);
      made.push(reference);
      return reference;
    };
    let held = true;
    for (const [name, check] of checks) {
      const startedMs = performance.now();
      const problem = await problemOf(() => check(store, make));
      const wallMs = Math.round(performance.now() - startedMs);
      held &&= problem === null;
      output.record(
        { kind: "check", name, held: problem === null, problem, wallMs },
        problem === null ? `  ${name}  ${wallMs} ms` : `  ${name}  FAILED: ${problem}`,
      );
    }
    for (const key of made) await store.delete(key, admin);
    return held ? exitCode.held : exitCode.violated;
  });
}

/** Exportable: those live for the session, and leave nothing behind. */
const data: KeySpec = { algorithm: "aes", bits: 256, purpose: "encrypt", exportable: true };
const kek: KeySpec = { ...data, purpose: "wrap" };

type Make = (spec: KeySpec) => Promise<KeyReference>;
type Check = (store: EnvelopeKeyStore, make: Make) => Promise<boolean>;

const checks: readonly (readonly [name: string, check: Check])[] = [
  ["health", async (store) => (await store.health()).working],
  [
    "encrypt and decrypt, and nothing that was changed",
    async (store, make) => {
      const key = await make(data);
      const plaintext = randomBytes(1_000);
      const blob = await store.encrypt(key, plaintext);
      const back = await store.decrypt(key, blob);
      return plaintext.equals(back) && (await isRefused(store.decrypt(key, changed(blob))));
    },
  ],
  [
    "wrap and unwrap, and nothing that was changed",
    async (store, make) => {
      const key = await make(kek);
      const secret = randomBytes(32);
      const blob = await store.wrap(key, secret);
      const back = await store.unwrapToBytes(key, blob);
      return secret.equals(back) && (await isRefused(store.unwrapToBytes(key, changed(blob))));
    },
  ],
  ["sign and verify on P-256", signs("ecdsa-p256-sha256", { ...data, algorithm: "ec" })],
  ["sign and verify on P-384", signs("ecdsa-p384-sha384", { ...data, algorithm: "ec", bits: 384 })],
  [
    "sign and verify by RSA-PSS",
    signs("rsa-pss-sha256", { ...data, algorithm: "rsa", bits: 3_072 }),
  ],
];

function signs(algorithm: SignatureAlgorithm, spec: KeySpec): Check {
  return async (store, make) => {
    const key = await make({ ...spec, purpose: "sign" });
    const message = randomBytes(100);
    const signature = await store.sign(key, algorithm, message);
    return (
      (await store.verify(key, algorithm, message, signature)) &&
      !(await store.verify(key, algorithm, changed(message), signature))
    );
  };
}

async function problemOf(check: () => Promise<boolean>): Promise<string | null> {
  try {
    return (await check()) ? null : "a wrong answer";
  } catch (error) {
    if (error instanceof KeyStoreError) return error.message;
    throw error;
  }
}

async function isRefused(promise: Promise<Uint8Array>): Promise<boolean> {
  return promise.then(
    () => false,
    (error: unknown) => error instanceof KeyStoreError && error.code === "authenticationFailed",
  );
}

function changed(bytes: Uint8Array): Uint8Array {
  return bytes.with(-1, bytes.at(-1)! ^ 1);
}
