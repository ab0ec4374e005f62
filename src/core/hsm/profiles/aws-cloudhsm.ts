/** AWS CloudHSM, Client SDK 5. */
import { ckr, vendorMechanism } from "../cryptoki/constants.js";
import type { VendorProfile } from "../profile.js";

export const awsCloudhsm: VendorProfile = {
  vendor: "aws-cloudhsm",
  title: "AWS CloudHSM (Client SDK 5)",
  libraryPaths: ["/opt/cloudhsm/lib/libcloudhsm_pkcs11.so"],
  environment: [],
  pinFormat: "user-password",
  login: "required",
  lockOut: {
    attempts: 5,
    effect: "the crypto user is locked until a crypto officer sets a new password",
  },
  gcmIv: "prepended",
  gcmMechanism: vendorMechanism.cloudhsmAesGcm,
  wraps: ["aes-kwp", "aes-gcm", "rsa-oaep-sha256", "encrypt-aes-gcm"],
  keyWrapPadMechanisms: [vendorMechanism.cloudhsmAesKeyWrapZeroPad],
  valueLenOnUnwrap: "either",
  uniqueLabels: true,
  snapshotsObjects: false,
  ownWritesHideOthers: false,
  generateAttributes: null,
  throttleCodes: [ckr.functionFailed, ckr.operationActive, ckr.deviceError],
  sessionsMax: null,
  idleExpiryMs: null,
  dataBytesMax: 16_384,
  wasRun: false,
  quirks: [
    {
      what: "libraryPaths, pinFormat: `user:password` of a crypto user",
      source: "docs.aws.amazon.com/cloudhsm, PKCS #11 library; doc.primekey.com, PKCS#11 PIN",
      mark: "read",
    },
    {
      what: "lockOut: five wrong logins, twenty before February 2018",
      source: "docs.aws.amazon.com/cloudhsm, key_mgmt_util loginHSM",
      mark: "read",
    },
    {
      what: "lockOut: how a locked user is freed",
      source: "CloudHSM user management",
      mark: "recalled",
    },
    {
      what: "gcmIv: CKM_AES_GCM wants a zeroed IV of 12 bytes and writes it back; the vendor's mechanism puts it before the ciphertext, wraps too, and is used here",
      source: "docs.aws.amazon.com/cloudhsm, pkcs11-mechanisms; crypto11 issues 74 and 132",
      mark: "read",
    },
    {
      what: "gcmMechanism, keyWrapPadMechanisms: the vendor's numbers",
      source: "cloudhsm_pkcs11_vendor_defs.h",
      mark: "read",
    },
    {
      what: "wraps: no CBC_PAD among them",
      source: "docs.aws.amazon.com/cloudhsm, pkcs11-mechanisms",
      mark: "read",
    },
    {
      what: "uniqueLabels: an equal label or id is CKR_ATTRIBUTE_VALUE_INVALID",
      source: "docs.aws.amazon.com/cloudhsm, known issues of the PKCS #11 SDK",
      mark: "read",
    },
    {
      what: "throttleCodes: CKR_FUNCTION_FAILED; SDK 3 CKR_OPERATION_ACTIVE; C_GetAttributeValue CKR_DEVICE_ERROR. The library itself tries three times from 5.8.0 on",
      source: "docs.aws.amazon.com/cloudhsm, troubleshoot-hsm-throttling and library-configs-retry",
      mark: "read",
    },
    {
      what: "dataBytesMax: GCM takes at most 16 KB",
      source: "docs.aws.amazon.com/cloudhsm, known issues of the PKCS #11 SDK",
      mark: "read",
    },
    {
      what: "no read-only sessions; a cluster of one HSM needs disable_key_availability_check",
      source: "docs.aws.amazon.com/cloudhsm",
      mark: "read",
    },
  ],
};
