/** The world as it is. So far: keys, in a file under a passphrase or in a PKCS#11 token; a disk over a folder. */
export type * from "../core/hsm/keys.js";
export type {
  Capability,
  Hsm,
  HsmError,
  HsmErrorCode,
  HsmEvents,
  HsmHealth,
  HsmRequest,
  HsmResult,
  HsmValue,
} from "../core/ports/hsm.js";
export * from "./keys/key-store.js";
export { type ClosableHsm, keyStoreOf, type KeyStoreOptions } from "./keys/key-store-of.js";
export { newAdminCapability } from "./keys/admin.js";
export { Vault, type VaultOptions } from "./keys/vault.js";
export type { HsmEvent } from "../core/hsm/events.js";
export type { SlotChoice } from "../core/hsm/options.js";
export type { VendorName, VendorProfile } from "../core/hsm/profile.js";
export { vendorProfile, vendorProfiles } from "../core/hsm/profiles/index.js";
export type { PinSource } from "./keys/pkcs11/pin.js";
export { Pkcs11Hsm, type Pkcs11HsmOptions, type Pkcs11HsmWatch } from "./keys/pkcs11/pkcs11-hsm.js";
export { KeyFileError, type KeyFileProblem } from "./keys/software/key-file-error.js";
export {
  createKeyFile,
  type KeyFile,
  type KeyFileOptions,
  openKeyFile,
} from "./keys/software/key-file.js";
export {
  type Passphrase,
  PassphraseError,
  passphraseFromCredential,
  passphraseFromDescriptor,
  passphraseFromFile,
  passphraseFromPrompt,
  type PassphraseProblem,
} from "./keys/software/passphrase.js";
export {
  type KeyUsage,
  type PolicyWarning,
  SoftwareHsm,
  type SoftwareHsmParts,
} from "./keys/software/software-hsm.js";
export type {
  ModuleLoss,
  TokenModuleLimits,
  TokenModuleOptions,
} from "./keys/pkcs11/token-module.js";
export { pinGuardFile, resetPinGuard } from "./keys/pkcs11/pin-guard.js";
export { readSlots, TokenModuleError } from "./keys/pkcs11/slots.js";
export { findSoftHsm, type FoundSoftHsm } from "./keys/softhsm/find.js";
export { SoftHsmMissingError } from "./keys/softhsm/missing.js";
export { makeSoftHsmToken, type SoftHsmToken } from "./keys/softhsm/token.js";
export type { Disk, DiskErrorCode, DiskEvents, DiskFile, DiskResult } from "../core/ports/disk.js";
export { FolderDisk, type FolderDiskOptions } from "./disk/folder-disk.js";
