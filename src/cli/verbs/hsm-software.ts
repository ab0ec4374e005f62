/** Keys in a file under a passphrase, opened for one verb. */
import { join } from "node:path";
import { newAdminCapability } from "../../real/keys/admin.js";
import { keyStoreOf } from "../../real/keys/key-store-of.js";
import { openKeyFile } from "../../real/keys/software/key-file.js";
import { SoftwareHsm } from "../../real/keys/software/software-hsm.js";
import { dataBytesMax } from "../../real/keys/software/use.js";
import { wrapsDefault } from "../../real/keys/software/wrapping.js";
import type { Cli } from "../verb.js";
import type { SoftwareDescription } from "./hsm-description.js";
import { passphraseOf } from "./hsm-secret.js";
import type { OpenedStore } from "./hsm-store.js";

export async function openSoftware(
  cli: Cli,
  dir: string,
  { file: name, passphrase }: SoftwareDescription,
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
    keeper: () =>
      Promise.resolve({
        gcm: { iv: "random", ivBits: 96, tagBits: 128, messageBytesMax: dataBytesMax },
        wraps: wrapsDefault,
        oaepSha256Works: true,
        envelopes: true,
        dataKeys: null,
        login: null,
      }),
  };
}
