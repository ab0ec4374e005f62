/** The store that a folder describes, opened for one verb. */
import { join } from "node:path";
import type { KeyDescription } from "../../core/hsm/keys.js";
import type { KeeperFacts, KeyFacts } from "../../core/hsm/advice/contract.js";
import { newAdminCapability } from "../../real/keys/admin.js";
import { keyStoreOf } from "../../real/keys/key-store-of.js";
import {
  KeyStoreError,
  type AdminCapability,
  type EnvelopeKeyStore,
} from "../../real/keys/key-store.js";
import { KeyFileError, type KeyFileProblem } from "../../real/keys/software/key-file-error.js";
import { openKeyFile } from "../../real/keys/software/key-file.js";
import { PassphraseError } from "../../real/keys/software/passphrase.js";
import { SoftwareHsm } from "../../real/keys/software/software-hsm.js";
import { dataBytesMax } from "../../real/keys/software/use.js";
import { wrapsDefault } from "../../real/keys/software/wrapping.js";
import { CliError } from "../errors.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import type { Cli } from "../verb.js";
import { readDescription, type HsmDescription } from "./hsm-description.js";
import { passphraseOf } from "./hsm-secret.js";

export interface OpenedStore {
  /** In words: what keeps the keys. */
  readonly title: string;
  readonly store: EnvelopeKeyStore;
  readonly admin: AdminCapability;
  /** What is known of keys besides their descriptions. */
  readonly factsOf: (key: KeyDescription) => KeyFacts;
  readonly keeper: Omit<KeeperFacts, "fips" | "suite">;
}

/** Closed again, whatever comes of `act`. */
export async function withStore<T>(
  cli: Cli,
  dir: string,
  act: (opened: OpenedStore) => Promise<T>,
): Promise<T> {
  return withHsmErrors(async () => {
    const opened = await openSoftware(cli, dir, readDescription(dir));
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

async function openSoftware(
  cli: Cli,
  dir: string,
  { file: name, passphrase }: HsmDescription,
): Promise<OpenedStore> {
  const path = join(dir, name);
  const file = await openKeyFile({ path, passphrase: passphraseOf(passphrase, cli) });
  const admin = newAdminCapability();
  let hsm: SoftwareHsm;
  const store = keyStoreOf((events) => (hsm = new SoftwareHsm({ file, admin }, events)));
  return {
    title: `keys in ${path}`,
    store,
    admin,
    factsOf: (description) => {
      const usage = hsm.usage().find(({ key }) => key.id === description.reference.id);
      return {
        description,
        createdMs: usage?.createdMs ?? null,
        encryptions: usage?.encryptions ?? null,
        signsWith: [],
      };
    },
    keeper: {
      gcm: { iv: "random", ivBits: 96, tagBits: 128, messageBytesMax: dataBytesMax },
      wraps: wrapsDefault,
      oaepSha256Works: true,
      envelopes: true,
      dataKeys: null,
      login: null,
    },
  };
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
