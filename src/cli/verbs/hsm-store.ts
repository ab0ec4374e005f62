/** The store that a folder describes, opened for one verb. */
import type { KeeperFacts, KeyFacts } from "../../core/hsm/advice/contract.js";
import type { KeyDescription } from "../../core/hsm/keys.js";
import {
  KeyStoreError,
  type AdminCapability,
  type EnvelopeKeyStore,
} from "../../real/keys/key-store.js";
import { KeyFileError, type KeyFileProblem } from "../../real/keys/software/key-file-error.js";
import { PassphraseError } from "../../real/keys/software/passphrase.js";
import { CliError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import type { Output } from "../output.js";
import type { Cli } from "../verb.js";
import { readDescription } from "./hsm-description.js";
import { openPkcs11 } from "./hsm-pkcs11.js";
import { openSoftware } from "./hsm-software.js";

export interface OpenedStore {
  /** In words: what keeps the keys. */
  readonly title: string;
  readonly store: EnvelopeKeyStore;
  readonly admin: AdminCapability;
  /** What is known of a key besides its description. */
  readonly factsOf: (key: KeyDescription) => KeyFacts;
  readonly keeper: () => Promise<Omit<KeeperFacts, "fips" | "suite">>;
}

/** Closed again, whatever comes of `act`. */
export async function withStore<T>(
  cli: Cli,
  output: Output,
  dir: string,
  act: (opened: OpenedStore) => Promise<T>,
): Promise<T> {
  return withHsmErrors(async () => {
    const description = readDescription(dir);
    const opened =
      description.kind === "software"
        ? await openSoftware(cli, dir, description)
        : await openPkcs11(output, dir, description);
    try {
      return await act(opened);
    } finally {
      await opened.store.close();
    }
  });
}

/** The errors of keys, as what whoever typed the command can put right. */
export async function withHsmErrors<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw explained(error);
  }
}

const codesOfFile: Partial<Record<KeyFileProblem, ExitCode>> = {
  missing: exitCode.noFile,
  exists: exitCode.cannotWrite,
  unwritable: exitCode.cannotWrite,
  unsynced: exitCode.cannotWrite,
  full: exitCode.cannotWrite,
  busy: exitCode.missing,
};

function explained(error: unknown): unknown {
  if (error instanceof KeyFileError) {
    return new CliError(codesOfFile[error.code] ?? exitCode.damagedFile, error.message);
  }
  if (error instanceof PassphraseError) {
    const interrupted = error.code === "interrupted";
    return new CliError(interrupted ? exitCode.interrupted : exitCode.missing, error.message);
  }
  if (error instanceof KeyStoreError) return new CliError(exitCode.missing, error.message);
  return error;
}
