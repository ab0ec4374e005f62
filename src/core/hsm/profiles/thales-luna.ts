/** Thales Luna 7, a partition of it. */
import { ckm } from "../cryptoki/constants.js";
import type { VendorProfile } from "../profile.js";

export const thalesLuna: VendorProfile = {
  vendor: "thales-luna",
  title: "Thales Luna 7",
  libraryPaths: ["/usr/safenet/lunaclient/lib/libCryptoki2_64.so"],
  environment: ["ChrystokiConfigurationPath"],
  pinFormat: "pin",
  login: "required",
  lockOut: {
    attempts: 10,
    effect: "the crypto officer is locked, for good where HSM policy 15 is off",
  },
  gcmIv: "caller",
  gcmMechanism: ckm.aesGcm,
  wraps: ["aes-kwp", "aes-gcm", "rsa-oaep-sha256", "aes-cbc-pad-hmac", "encrypt-aes-gcm"],
  keyWrapPadMechanisms: [ckm.aesKeyWrapKwp, ckm.aesKeyWrapPad],
  valueLenOnUnwrap: "required",
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
      what: "libraryPaths, environment: configured by Chrystoki.conf",
      source: "thalesdocs.com, Luna 7 client",
      mark: "read",
    },
    {
      what: "environment: ChrystokiConfigurationPath names the folder of that file",
      source: "Luna 7 client",
      mark: "recalled",
    },
    {
      what: "pinFormat: the crypto officer's password of the partition; with PED the challenge secret. CKU_CRYPTO_USER is 0x80000001",
      source: "thalesdocs.com, partition login",
      mark: "read",
    },
    {
      what: "lockOut: ten wrong logins of the crypto officer (partition policy 20), for good where HSM policy 15 is off; the partition's SO zeroizes after ten, the HSM's SO after three",
      source: "thalesdocs.com, partition_login and hsm_login",
      mark: "read",
    },
    {
      what: "valueLenOnUnwrap: firmware before 7.9.3 demands CKA_VALUE_LEN",
      source: "thalesdocs.com, CKM_AES_KW",
      mark: "read",
    },
    {
      what: "wraps: KW for symmetric keys alone; private keys by CBC_PAD, GCM or KWP; export is off by default on some models",
      source: "thalesdocs.com, CKM_AES_KW; HID Global's note on key export",
      mark: "read",
    },
    {
      what: "slots without a partition are listed as tokens that are not present",
      source: "thalesdocs.com, system messages; graphene issue 66",
      mark: "read",
    },
    {
      what: "gcmIv: the caller's, where the HSM is not in FIPS mode",
      source: "Luna 7, FIPS mode",
      mark: "recalled",
    },
  ],
};
