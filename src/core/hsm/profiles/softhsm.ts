/** SoftHSM 2, for tests: the only module that this was run on. */
import { ckm } from "../cryptoki/constants.js";
import type { VendorProfile } from "../profile.js";

export const softhsm: VendorProfile = {
  vendor: "softhsm",
  title: "SoftHSM 2",
  libraryPaths: [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
  ],
  environment: ["SOFTHSM2_CONF"],
  pinFormat: "pin",
  login: "required",
  lockOut: null,
  gcmIv: "caller",
  gcmMechanism: ckm.aesGcm,
  wraps: [
    "aes-kwp",
    "rsa-oaep-sha256",
    "rsa-oaep-sha1",
    "encrypt-aes-gcm",
    "aes-gcm",
    "aes-cbc-pad-hmac",
  ],
  keyWrapPadMechanisms: [ckm.aesKeyWrapPad],
  valueLenOnUnwrap: "forbidden",
  uniqueLabels: false,
  snapshotsObjects: false,
  ownWritesHideOthers: true,
  generateAttributes: null,
  throttleCodes: [],
  sessionsMax: null,
  idleExpiryMs: null,
  dataBytesMax: null,
  wasRun: true,
  quirks: [
    {
      what: "libraryPaths: the packaged library; a second path for packages that are only unpacked",
      source: "Debian package libsofthsm2 2.6.1-2.1",
      mark: "run",
    },
    {
      what: "pinFormat: 4 to 255 bytes",
      source: "softhsm2-util, version 2.6.1",
      mark: "run",
    },
    {
      what: "lockOut: none; twelve wrong PINs gave CKR_PIN_INCORRECT each, with CKF_USER_PIN_COUNT_LOW set",
      source: "version 2.6.1",
      mark: "run",
    },
    {
      what: "gcmIv: the caller's, and an IV of no bytes is accepted",
      source: "versions 2.6.1 and 2.7.0",
      mark: "run",
    },
    {
      what: "keyWrapPadMechanisms: KWP answers to 0x210A alone; 0x210B is CKR_MECHANISM_INVALID",
      source: "versions 2.6.1 and 2.7.0",
      mark: "run",
    },
    {
      what: "wraps: KWP of 2.6.1 pads with zeros before it wraps what is no multiple of 8 bytes, and gives the zeros back; 2.7.0 is right",
      source: "versions 2.6.1 and 2.7.0",
      mark: "run",
    },
    {
      what: "wraps: OAEP knows SHA-1 only; GCM cannot wrap; CBC_PAD wraps from 2.7.0 on",
      source: "versions 2.6.1 and 2.7.0",
      mark: "run",
    },
    {
      what: "valueLenOnUnwrap: CKA_VALUE_LEN in the template is CKR_ATTRIBUTE_READ_ONLY",
      source: "version 2.6.1",
      mark: "run",
    },
    {
      what: "CKA_VALUE_LEN of a key that was unwrapped reads 0",
      source: "version 2.6.1",
      mark: "run",
    },
    {
      what: "uniqueLabels: equal labels and equal ids are accepted",
      source: "version 2.6.1",
      mark: "run",
    },
    {
      what: "ownWritesHideOthers: each write takes the token's generation for seen, also one that another process has just raised",
      source: "version 2.6.1, two processes that make keys at once",
      mark: "run",
    },
    {
      what: "without its store keys vanish from searches, and sessions still look sound",
      source: "version 2.6.1, token directory moved away",
      mark: "run",
    },
    {
      what: "sessionsMax: 5,000 sessions were opened without complaint",
      source: "version 2.6.1",
      mark: "run",
    },
  ],
};
