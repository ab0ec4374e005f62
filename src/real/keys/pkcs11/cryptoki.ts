/**
 * The part of pkcs11js that is used, and how it is loaded. It is an optional dependency with native
 * code: it is loaded only in a process of its own, and only when asked for.
 */

/** Handles and slot ids are CK_ULONG as 8 bytes, little-endian. All functions throw on any CKR_ but OK. */
export interface Cryptoki {
  load(library: string): void;
  C_Initialize(options: { readonly flags: number }): void;
  C_Finalize(): void;
  C_GetSlotList(tokenPresent: boolean): Buffer[];
  C_GetTokenInfo(slot: Buffer): TokenInfo;
  C_GetMechanismList(slot: Buffer): number[];
  C_GetMechanismInfo(slot: Buffer, type: number): MechanismInfo;
  /** `label`: 32 bytes, filled with blanks. */
  C_InitToken(slot: Buffer, soPin: string, label: string): void;
  C_InitPIN(session: Buffer, pin: string): void;
  C_OpenSession(slot: Buffer, flags: number): Buffer;
  C_CloseSession(session: Buffer): void;
  C_GetSessionInfo(session: Buffer): { readonly slotID: Buffer; readonly state: number };
  C_Login(session: Buffer, user: number, pin: string): void;
  C_Logout(session: Buffer): void;
  C_FindObjectsInit(session: Buffer, template: NativeTemplate): void;
  C_FindObjects(session: Buffer, max: number): Buffer[];
  C_FindObjectsFinal(session: Buffer): void;
  C_GetAttributeValue(
    session: Buffer,
    object: Buffer,
    types: { readonly type: number }[],
  ): { readonly type: number; readonly value: Buffer | undefined }[];
  C_SetAttributeValue(session: Buffer, object: Buffer, template: NativeTemplate): void;
  C_CreateObject(session: Buffer, template: NativeTemplate): Buffer;
  C_DestroyObject(session: Buffer, object: Buffer): void;
  C_GenerateKey(session: Buffer, mechanism: NativeMechanism, template: NativeTemplate): Buffer;
  C_GenerateKeyPair(
    session: Buffer,
    mechanism: NativeMechanism,
    publicTemplate: NativeTemplate,
    privateTemplate: NativeTemplate,
  ): { readonly publicKey: Buffer; readonly privateKey: Buffer };
  C_EncryptInit(session: Buffer, mechanism: NativeMechanism, key: Buffer): void;
  /** The answer is a part of `output`. */
  C_Encrypt(session: Buffer, data: Buffer, output: Buffer): Buffer;
  C_DecryptInit(session: Buffer, mechanism: NativeMechanism, key: Buffer): void;
  C_Decrypt(session: Buffer, data: Buffer, output: Buffer): Buffer;
  C_SignInit(session: Buffer, mechanism: NativeMechanism, key: Buffer): void;
  C_Sign(session: Buffer, data: Buffer, output: Buffer): Buffer;
  C_VerifyInit(session: Buffer, mechanism: NativeMechanism, key: Buffer): void;
  C_Verify(session: Buffer, data: Buffer, signature: Buffer): boolean;
  C_WrapKey(
    session: Buffer,
    mechanism: NativeMechanism,
    wrappingKey: Buffer,
    key: Buffer,
    output: Buffer,
  ): Buffer;
  C_UnwrapKey(
    session: Buffer,
    mechanism: NativeMechanism,
    unwrappingKey: Buffer,
    wrapped: Buffer,
    template: NativeTemplate,
  ): Buffer;
  C_GenerateRandom(session: Buffer, output: Buffer): Buffer;
}

export interface TokenInfo {
  readonly label: string;
  readonly manufacturerID: string;
  readonly model: string;
  readonly serialNumber: string;
  readonly flags: number;
}

export interface MechanismInfo {
  readonly minKeySize: number;
  readonly maxKeySize: number;
  readonly flags: number;
}

export type NativeTemplate = { readonly type: number; readonly value: Buffer | boolean }[];

export interface NativeMechanism {
  readonly mechanism: number;
  readonly parameter?: Buffer | { readonly type: number; readonly [field: string]: unknown };
}

/** CKF_OS_LOCKING_OK: without it a library runs without locks, and Google's refuses to run. */
export const osLockingOk = 2;

/** pkcs11js is not installed, or was not built. `command` gets it. */
export class Pkcs11jsMissingError extends Error {
  readonly code = "pkcs11jsMissing";
  readonly command: string;

  constructor(why: string, command: string) {
    super(`pkcs11js cannot be loaded: ${why}. Run: ${command}`);
    this.name = "Pkcs11jsMissingError";
    this.command = command;
  }
}

/** The vendor's library cannot be loaded: no such file, another architecture, something it needs. */
export class LibraryUnusableError extends Error {
  readonly code = "libraryUnusable";

  constructor(library: string, why: string) {
    super(`${library} cannot be loaded as a PKCS#11 library: ${why}`);
    this.name = "LibraryUnusableError";
  }
}

/** Rejected with one of the errors above. */
export async function loadCryptoki(library: string): Promise<Cryptoki> {
  const { PKCS11 } = await loadBinding();
  const cryptoki = new PKCS11();
  try {
    cryptoki.load(library);
  } catch (error) {
    throw new LibraryUnusableError(library, (error as Error).message);
  }
  return cryptoki;
}

// Named by a variable: the package is built and used without it, too.
const bindingName = "pkcs11js";

async function loadBinding(): Promise<{ readonly PKCS11: new () => Cryptoki }> {
  try {
    const loaded = (await import(bindingName)) as {
      readonly default: { readonly PKCS11: new () => Cryptoki };
    };
    return loaded.default;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The package itself is there when it is its compiled part that is not found.
    const absent = code === "ERR_MODULE_NOT_FOUND";
    throw new Pkcs11jsMissingError(
      absent ? "it is not installed" : (message.split("\n")[0] ?? "unknown"),
      absent ? "npm install pkcs11js" : "npm rebuild pkcs11js --foreground-scripts",
    );
  }
}
