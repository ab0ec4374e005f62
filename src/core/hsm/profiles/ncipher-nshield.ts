/** nCipher (Entrust) nShield. */
import { ckm } from "../cryptoki/constants.js";
import type { VendorProfile } from "../profile.js";

export const ncipherNshield: VendorProfile = {
  vendor: "ncipher-nshield",
  title: "Entrust nShield",
  libraryPaths: ["/opt/nfast/toolkits/pkcs11/libcknfast.so"],
  environment: ["CKNFAST_LOADSHARING", "CKNFAST_OVERRIDE_SECURITY_ASSURANCES"],
  pinFormat: "pin",
  login: "required",
  lockOut: null,
  gcmIv: "caller",
  gcmMechanism: ckm.aesGcm,
  wraps: ["aes-kwp", "aes-gcm", "rsa-oaep-sha256", "aes-cbc-pad-hmac", "encrypt-aes-gcm"],
  keyWrapPadMechanisms: [ckm.aesKeyWrapKwp, ckm.aesKeyWrapPad],
  valueLenOnUnwrap: "either",
  uniqueLabels: false,
  snapshotsObjects: true,
  ownWritesHideOthers: false,
  generateAttributes: null,
  throttleCodes: [],
  sessionsMax: null,
  idleExpiryMs: null,
  dataBytesMax: null,
  wasRun: false,
  quirks: [
    {
      what: "libraryPaths",
      source: "nShield installation",
      mark: "recalled",
    },
    {
      what: "environment: read from /opt/nfast/cknfastrc too, and fixed when the library starts; softcards need CKNFAST_LOADSHARING=1",
      source: "nshielddocs.entrust.com, api-pkcs11, env-variables and load-sharing",
      mark: "read",
    },
    {
      what: "environment: CKNFAST_OVERRIDE_SECURITY_ASSURANCES lets keys be made that can be exported",
      source: "nShield PKCS #11",
      mark: "recalled",
    },
    {
      what: "pinFormat: the passphrase of the operator cards or softcard; with preload it is ignored",
      source: "nshielddocs.entrust.com, api-pkcs11, preload",
      mark: "read",
    },
    {
      what: "the slot `accelerator` has no private objects, and C_Login fails there always",
      source: "nshielddocs.entrust.com, api-pkcs11, no-load-sharing",
      mark: "read",
    },
    {
      what: "snapshotsObjects: by default only what was there at C_Initialize is seen",
      source: "nshielddocs.entrust.com, api-pkcs11, env-variables",
      mark: "read",
    },
    {
      what: "taking the card out closes the sessions",
      source: "nshielddocs.entrust.com, api-pkcs11",
      mark: "read",
    },
    {
      what: "wraps, gcmIv: by trial",
      source: "nShield PKCS #11",
      mark: "recalled",
    },
  ],
};
