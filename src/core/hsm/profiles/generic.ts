/** Any other module: nothing is taken for granted, trials decide. */
import { ckm } from "../cryptoki/constants.js";
import type { VendorProfile } from "../profile.js";

export const generic: VendorProfile = {
  vendor: "generic",
  title: "PKCS #11 module",
  libraryPaths: [],
  environment: [],
  pinFormat: "pin",
  login: "required",
  lockOut: null,
  gcmIv: "caller",
  gcmMechanism: ckm.aesGcm,
  wraps: [
    "aes-kwp",
    "aes-gcm",
    "rsa-oaep-sha256",
    "rsa-oaep-sha1",
    "aes-cbc-pad-hmac",
    "encrypt-aes-gcm",
  ],
  keyWrapPadMechanisms: [ckm.aesKeyWrapKwp, ckm.aesKeyWrapPad],
  valueLenOnUnwrap: "either",
  uniqueLabels: false,
  snapshotsObjects: false,
  ownWritesHideOthers: false,
  generateAttributes: null,
  throttleCodes: [],
  sessionsMax: null,
  idleExpiryMs: null,
  dataBytesMax: null,
  wasRun: false,
  quirks: [
    {
      what: "every field: what PKCS#11 v2.40 and v3.0 say, and no more",
      source: "OASIS PKCS#11",
      mark: "read",
    },
  ],
};
