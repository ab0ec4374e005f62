/** Google Cloud HSM through libkmsp11. */
import { cka, vendorAttribute, vendorMechanism } from "../cryptoki/constants.js";
import type { VendorProfile } from "../profile.js";

export const googleCloudHsm: VendorProfile = {
  vendor: "google-cloud-hsm",
  title: "Google Cloud HSM (libkmsp11)",
  libraryPaths: ["libkmsp11.so"],
  environment: ["KMS_PKCS11_CONFIG"],
  pinFormat: "ignored",
  login: "optional",
  lockOut: null,
  gcmIv: "written-back",
  gcmMechanism: vendorMechanism.cloudkmsAesGcm,
  wraps: ["encrypt-aes-gcm", "rsa-oaep-sha256"],
  keyWrapPadMechanisms: [],
  valueLenOnUnwrap: "either",
  uniqueLabels: true,
  snapshotsObjects: true,
  ownWritesHideOthers: false,
  generateAttributes: [cka.label, vendorAttribute.cloudkmsAlgorithm],
  throttleCodes: [],
  sessionsMax: null,
  idleExpiryMs: null,
  dataBytesMax: 65_536,
  wasRun: false,
  quirks: [
    {
      what: "libraryPaths: no place of installation is given",
      source: "kms-integrations, kmsp11 user guide",
      mark: "read",
    },
    {
      what: "environment: a YAML file that only its owner may write",
      source: "kms-integrations, kmsp11 user guide",
      mark: "read",
    },
    {
      what: "pinFormat, login: any PIN is accepted and ignored; CKU_USER alone",
      source: "kms-integrations, kmsp11 user guide",
      mark: "read",
    },
    {
      what: "gcmIv, gcmMechanism: made inside, written back during C_Encrypt",
      source: "kms-integrations, kmsp11.h",
      mark: "read",
    },
    {
      what: "wraps: no C_WrapKey, C_UnwrapKey, C_CreateObject, C_SetAttributeValue nor C_Digest: a key is wrapped by C_Encrypt",
      source: "kms-integrations, kmsp11 user guide",
      mark: "read",
    },
    {
      what: "uniqueLabels: a label names one crypto key of the key ring",
      source: "Cloud KMS resource names",
      mark: "recalled",
    },
    {
      what: "generateAttributes: the label of [a-zA-Z0-9_-]{1,63} and the algorithm, nothing else; the id is theirs",
      source: "kms-integrations, kmsp11 user guide",
      mark: "read",
    },
    {
      what: "snapshotsObjects: as at C_Initialize, unless refresh_interval_secs is set",
      source: "kms-integrations, kmsp11 user guide",
      mark: "read",
    },
    {
      what: "dataBytesMax: 64 KiB for a request to Cloud KMS; 8 KiB for keys in hardware",
      source: "Cloud KMS quotas",
      mark: "recalled",
    },
    {
      what: "C_GenerateRandom gives 8 to 1,024 bytes; calls time out after 30 s; C_Initialize demands CKF_OS_LOCKING_OK",
      source: "kms-integrations, kmsp11 user guide and session.cc",
      mark: "read",
    },
  ],
};
