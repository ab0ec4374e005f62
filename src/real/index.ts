/** The world as it is. So far: keys, in a file or wherever else an `Hsm` keeps them. */
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
