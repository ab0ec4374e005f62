/** Keys in a PKCS#11 token, opened for one verb. */
import { resolve } from "node:path";
import { hsmLimitsDefault } from "../../core/hsm/options.js";
import { vendorProfile } from "../../core/hsm/profiles/index.js";
import { newAdminCapability } from "../../real/keys/admin.js";
import { keyStoreOf } from "../../real/keys/key-store-of.js";
import type { EnvelopeKeyStore } from "../../real/keys/key-store.js";
import { Pkcs11Hsm } from "../../real/keys/pkcs11/pkcs11-hsm.js";
import type { ModuleLoss } from "../../real/keys/pkcs11/token-module.js";
import { CliError, usageError } from "../errors.js";
import { exitCode } from "../exit-codes.js";
import type { Output } from "../output.js";
import type { Pkcs11Description } from "./hsm-description.js";
import type { OpenedStore } from "./hsm-store.js";

/** Losses that another try does not mend. */
const lasting: readonly ModuleLoss["code"][] = ["pkcs11jsMissing", "libraryUnusable"];

export async function openPkcs11(
  output: Output,
  dir: string,
  description: Pkcs11Description,
): Promise<OpenedStore> {
  const { library, vendor, slot, pin, user, environment } = description;
  const profile = vendorProfile(vendor);
  const admin = newAdminCapability();
  let giveUp: (loss: ModuleLoss) => void = () => {};
  const lost = new Promise<ModuleLoss>((settle) => (giveUp = settle));
  const options = {
    library,
    profile,
    pin,
    pinGuardFolder: resolve(dir, "pin-guard"),
    environment: { ...environment },
    ...(user === undefined ? {} : { user }),
    slot,
    admin,
    watch: {
      lost: (loss: ModuleLoss) => lasting.includes(loss.code) && giveUp(loss),
      notice: (text: string) => output.note(text),
    },
  };
  const store = connected(() => keyStoreOf((events) => new Pkcs11Hsm(options, events)));
  await readyOrLost(store, lost);
  return {
    title: `${profile.title}, ${library}`,
    store,
    admin,
    // A token does not tell when a key was made, and counts nothing.
    factsOf: (key) => ({ description: key, createdMs: null, encryptions: null, signsWith: [] }),
    keeper: async () => {
      const works = (await store.capabilities()).filter((each) => each.works);
      const isWorking = (name: string): boolean => works.some((each) => each.name === name);
      return {
        gcm: {
          iv: profile.gcmIv === "caller" ? "random" : "token",
          ivBits: 96,
          tagBits: 128,
          messageBytesMax: profile.dataBytesMax ?? hsmLimitsDefault.dataBytesMax,
        },
        wraps: profile.wraps.filter((wrap) => isWorking(`wrap ${wrap}`)),
        oaepSha256Works: isWorking("wrap rsa-oaep-sha256"),
        envelopes: true,
        dataKeys: null,
        login: null,
      };
    },
  };
}

/** Only what the description says of the PIN's user can be wrong here. */
function connected(make: () => EnvelopeKeyStore): EnvelopeKeyStore {
  try {
    return make();
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

/** Once the token has served, waiting for it again is the HSM's own business. */
async function readyOrLost(store: EnvelopeKeyStore, lost: Promise<ModuleLoss>): Promise<void> {
  const first = store.list();
  const loss = await Promise.race([first.then(() => null), lost]).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  if (loss === null) return;
  await store.close();
  await first.catch(() => {});
  throw new CliError(exitCode.missing, loss.message);
}
