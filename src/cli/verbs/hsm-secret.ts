/** A passphrase from where the description says. */
import {
  PassphraseError,
  passphraseFromCredential,
  passphraseFromDescriptor,
  passphraseFromFile,
  passphraseFromPrompt,
  type Passphrase,
} from "../../real/keys/software/passphrase.js";
import type { Cli } from "../verb.js";
import type { SecretSource } from "./hsm-description.js";

export function passphraseOf(source: SecretSource, { terminal }: Cli): Passphrase {
  switch (source.from) {
    case "prompt":
      return passphraseFromPrompt(process.stdin, terminal.stderr);
    case "descriptor":
      return passphraseFromDescriptor(source.descriptor);
    case "file":
      return passphraseFromFile(source.path);
    case "credential":
      return passphraseFromCredential(source.name, terminal.env);
  }
}

/** For a new file: what is typed in unseen is typed in twice. */
export function newPassphraseOf(source: SecretSource, cli: Cli): Passphrase {
  if (source.from !== "prompt") return passphraseOf(source, cli);
  const ask = (question: string): Passphrase =>
    passphraseFromPrompt(process.stdin, cli.terminal.stderr, question);
  return async () => {
    const first = await ask("New passphrase: ")();
    const second = await ask("Once more: ")();
    const isSame = Buffer.from(first).equals(second);
    second.fill(0);
    if (isSame) return first;
    first.fill(0);
    throw new PassphraseError("mistyped", "these were two different passphrases");
  };
}
