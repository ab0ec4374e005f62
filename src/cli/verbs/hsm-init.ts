import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { createKeyFile } from "../../real/keys/software/key-file.js";
import { makeFolder } from "../../sim/search/artifact/folders.js";
import { CliError, usageError, writing } from "../errors.js";
import { exitCode } from "../exit-codes.js";
import type { Output } from "../output.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";
import {
  descriptionPath,
  dirOption,
  sourceOption,
  writeDescription,
  type SecretSource,
} from "./hsm-description.js";
import { newPassphraseOf } from "./hsm-secret.js";
import { withHsmErrors } from "./hsm-store.js";

interface InitOptions extends CommonOptions {
  readonly dir: string;
  readonly software?: true;
  readonly passphrase?: SecretSource;
}

const keysName = "hsm.keys";

export function hsmInitVerb(cli: Cli): Command {
  return verb(cli, {
    name: "init",
    about: "Makes a place for keys, and describes it in hsm.json. Nothing is ever overwritten.",
    example: "npx quorumlab hsm init --software --passphrase file:/run/secrets/keys",
    exits: [0, 69, 73, 130],
  })
    .option("--software", "a file under a passphrase, for which nothing else is needed")
    .addOption(
      sourceOption("--passphrase <from>", "where the passphrase comes from, now and later"),
    )
    .addOption(dirOption())
    .action(acting(cli, (output, options: InitOptions) => init(cli, output, options)));
}

async function init(cli: Cli, output: Output, options: InitOptions): Promise<0> {
  const { dir, passphrase = { from: "prompt" } } = options;
  if (options.software === undefined) {
    throw usageError("say where the keys are to be: --software");
  }
  const path = descriptionPath(dir);
  if (existsSync(path)) {
    throw new CliError(exitCode.cannotWrite, `${path} is there already, and is kept as it is`);
  }
  writing(dir, () => makeFolder(dir));
  const file = join(dir, keysName);
  await withHsmErrors(async () => {
    const made = await createKeyFile({ path: file, passphrase: newPassphraseOf(passphrase, cli) });
    await made.close();
  });
  writeDescription(dir, { kind: "software", file: keysName, passphrase });
  output.record(
    { kind: "hsm", description: path, keys: file },
    `keys will be in ${file}, as ${path} says.\n` +
      "Whoever loses the passphrase loses the keys: keep it where it survives this machine.",
  );
  return 0;
}
