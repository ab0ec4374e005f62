import { randomInt } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Option, type Command } from "commander";
import type { SlotChoice } from "../../core/hsm/options.js";
import type { VendorName } from "../../core/hsm/profile.js";
import { vendorProfiles } from "../../core/hsm/profiles/index.js";
import type { PinSource } from "../../real/keys/pkcs11/pin.js";
import { findSoftHsm } from "../../real/keys/softhsm/find.js";
import { SoftHsmMissingError } from "../../real/keys/softhsm/missing.js";
import { makeSoftHsmToken } from "../../real/keys/softhsm/token.js";
import { createKeyFile } from "../../real/keys/software/key-file.js";
import { makeFolder } from "../../sim/search/artifact/folders.js";
import { CliError, usageError, writing } from "../errors.js";
import { exitCode } from "../exit-codes.js";
import type { Output } from "../output.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";
import {
  descriptionPath,
  dirOption,
  pinOption,
  sourceOption,
  writeDescription,
  type HsmDescription,
  type SecretSource,
} from "./hsm-description.js";
import { newPassphraseOf } from "./hsm-secret.js";
import { withHsmErrors } from "./hsm-store.js";

interface InitOptions extends CommonOptions {
  readonly dir: string;
  readonly software?: true;
  readonly softhsm?: true;
  readonly library?: string;
  readonly passphrase?: SecretSource;
  readonly vendor: VendorName;
  readonly tokenLabel?: string;
  readonly tokenSerial?: string;
  readonly pin?: PinSource;
  readonly user?: string;
}

const keysName = "hsm.keys";
const tokenLabel = "quorumlab";
const pinDigits = 16;

export function hsmInitVerb(cli: Cli): Command {
  return verb(cli, {
    name: "init",
    about: "Says in hsm.json where keys are kept, and makes the place where that can be done.",
    example: "npx quorumlab hsm init --software --passphrase file:/run/secrets/keys",
    exits: [0, 69, 73, 130],
  })
    .option("--software", "a file under a passphrase, for which nothing else is needed")
    .addOption(sourceOption("--passphrase <from>", "of --software, now and later"))
    .option("--softhsm", "a new token of SoftHSM, for trials; its PIN goes into a file beside it")
    .option("--library <path>", "a token that is there, by the PKCS#11 library of its vendor")
    .addOption(
      new Option("--vendor <vendor>", "of --library")
        .choices(Object.keys(vendorProfiles))
        .default("generic"),
    )
    .option("--token-label <label>", "which token of --library")
    .option("--token-serial <serial>", "which token of --library")
    .addOption(pinOption("--pin <from>", "of --library"))
    .option("--user <user>", "of a PIN that is made with one: the user, or the id of a key")
    .addOption(dirOption())
    .action(acting(cli, (output, options: InitOptions) => init(cli, output, options)));
}

/** Nothing that is there is overwritten. */
async function init(cli: Cli, output: Output, options: InitOptions): Promise<0> {
  const { dir, software, softhsm, library } = options;
  const ways = [software, softhsm, library].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw usageError("say where the keys are to be: one of --software, --softhsm, --library PATH");
  }
  // Checked before anything is made.
  const token = library === undefined ? null : tokenOf(library, options);
  const path = descriptionPath(dir);
  if (existsSync(path)) {
    throw new CliError(exitCode.cannotWrite, `${path} is there already, and is kept as it is`);
  }
  writing(dir, () => makeFolder(dir));
  const description =
    token ?? (software ? await makeSoftware(cli, options) : await makeSoftHsm(dir));
  writeDescription(dir, description);
  const advice =
    description.kind === "software"
      ? "\nWhoever loses the passphrase loses the keys: keep it where it survives this machine."
      : `\nSee whether it works: npx quorumlab hsm test --dir ${dir}`;
  output.record(
    { kind: "hsm", description: path, keeps: description.kind },
    `${path} says where the keys are.${advice}`,
  );
  return 0;
}

async function makeSoftware(cli: Cli, options: InitOptions): Promise<HsmDescription> {
  const { dir, passphrase = { from: "prompt" } } = options;
  const path = join(dir, keysName);
  await withHsmErrors(async () => {
    const made = await createKeyFile({ path, passphrase: newPassphraseOf(passphrase, cli) });
    await made.close();
  });
  return { kind: "software", file: keysName, passphrase };
}

async function makeSoftHsm(dir: string): Promise<HsmDescription> {
  const folder = resolve(dir, "softhsm");
  const pinPath = join(folder, "pin");
  if (existsSync(folder)) {
    throw new CliError(exitCode.cannotWrite, `${folder} is there already, and is kept as it is`);
  }
  const { library } = await findSoftHsm().catch((error: unknown) => {
    if (error instanceof SoftHsmMissingError) throw new CliError(exitCode.missing, error.message);
    throw error;
  });
  const [pin, soPin] = [newPin(), newPin()];
  const { serial, environment } = await makeSoftHsmToken(folder, {
    library,
    label: tokenLabel,
    soPin,
    pin,
  }).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError(exitCode.missing, message);
  });
  writing(pinPath, () => writeFileSync(pinPath, `${pin}\n`, { mode: 0o600, flag: "wx" }));
  return {
    kind: "pkcs11",
    library,
    vendor: "softhsm",
    slot: { by: "serial", serial },
    pin: { from: "file", path: pinPath },
    environment,
  };
}

function tokenOf(library: string, options: InitOptions): HsmDescription {
  const { vendor, tokenLabel: label, tokenSerial: serial, pin, user } = options;
  if ((label === undefined) === (serial === undefined)) {
    throw usageError("say which token: --token-label LABEL or --token-serial SERIAL");
  }
  if (pin === undefined) throw usageError("say where the PIN comes from: --pin file:PATH");
  const slot: SlotChoice =
    serial === undefined ? { by: "label", label: label! } : { by: "serial", serial };
  const description = { kind: "pkcs11", library: resolve(library), vendor, slot, pin } as const;
  return { ...description, ...(user === undefined ? {} : { user }), environment: {} };
}

function newPin(): string {
  return Array.from({ length: pinDigits }, () => randomInt(10)).join("");
}
