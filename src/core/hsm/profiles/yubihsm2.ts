/** YubiHSM 2. */
import { ckm } from "../cryptoki/constants.js";
import type { VendorProfile } from "../profile.js";

export const yubihsm2: VendorProfile = {
  vendor: "yubihsm2",
  title: "YubiHSM 2",
  libraryPaths: [
    "/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so",
    "/usr/lib/pkcs11/yubihsm_pkcs11.so",
  ],
  environment: ["YUBIHSM_PKCS11_CONF"],
  pinFormat: "key-id-password",
  login: "required",
  lockOut: null,
  gcmIv: "caller",
  gcmMechanism: ckm.aesGcm,
  wraps: ["rsa-oaep-sha256", "aes-cbc-pad-hmac"],
  keyWrapPadMechanisms: [],
  valueLenOnUnwrap: "either",
  uniqueLabels: false,
  snapshotsObjects: false,
  ownWritesHideOthers: false,
  generateAttributes: null,
  throttleCodes: [],
  sessionsMax: 16,
  idleExpiryMs: 30_000,
  dataBytesMax: 2048,
  wasRun: false,
  quirks: [
    {
      what: "libraryPaths: pkcs11/yubihsm_pkcs11.so under the library folder",
      source: "docs.yubico.com, hsm2-ref-pkcs11",
      mark: "read",
    },
    {
      what: "libraryPaths: which folder that is on Debian",
      source: "yubihsm-pkcs11 package",
      mark: "recalled",
    },
    {
      what: "environment, pinFormat: the id of the authentication key as four hex digits, then its password of at least eight: `0001password`",
      source: "docs.yubico.com, hsm2-ref-pkcs11",
      mark: "read",
    },
    {
      what: "sessionsMax, idleExpiryMs: 16 sessions of the device, each gone after 30 s without use; the module may keep a dead one until C_Finalize",
      source: "docs.yubico.com, concepts/session; yubihsm-shell issues 541 and 315",
      mark: "read",
    },
    {
      what: "wraps: no AES-GCM, AES-CBC on newer firmware alone; their own CKM_YUBICO_AES_CCM_WRAP is not used here",
      source: "docs.yubico.com, hsm2-ref-pkcs11",
      mark: "read",
    },
    {
      what: "256 objects or 126 KB; no SO and no change of PIN; making a long RSA key holds up every session",
      source: "docs.yubico.com, introduction and hsm2-ref-pkcs11",
      mark: "read",
    },
    {
      what: "dataBytesMax: about 2 KB for a message to the device",
      source: "YubiHSM 2 commands",
      mark: "recalled",
    },
    {
      what: "lockOut: none is known of",
      source: "YubiHSM 2 authentication keys",
      mark: "recalled",
    },
  ],
};
