/**
 * The numbers of PKCS#11 that are used here (OASIS PKCS#11 v2.40 and v3.0, pkcs11t.h). Names are the
 * standard's without their prefix.
 */

/** Return values, CKR_. Decisions rest on numbers alone: libraries disagree about names. */
export const ckr = {
  ok: 0x0,
  hostMemory: 0x2,
  slotIdInvalid: 0x3,
  generalError: 0x5,
  functionFailed: 0x6,
  argumentsBad: 0x7,
  attributeReadOnly: 0x10,
  attributeSensitive: 0x11,
  attributeTypeInvalid: 0x12,
  attributeValueInvalid: 0x13,
  actionProhibited: 0x1b,
  dataInvalid: 0x20,
  dataLenRange: 0x21,
  deviceError: 0x30,
  deviceMemory: 0x31,
  deviceRemoved: 0x32,
  encryptedDataInvalid: 0x40,
  encryptedDataLenRange: 0x41,
  functionCanceled: 0x50,
  functionNotSupported: 0x54,
  keyHandleInvalid: 0x60,
  keySizeRange: 0x62,
  keyTypeInconsistent: 0x63,
  keyFunctionNotPermitted: 0x68,
  keyNotWrappable: 0x69,
  keyUnextractable: 0x6a,
  mechanismInvalid: 0x70,
  mechanismParamInvalid: 0x71,
  objectHandleInvalid: 0x82,
  operationActive: 0x90,
  operationNotInitialized: 0x91,
  pinIncorrect: 0xa0,
  pinInvalid: 0xa1,
  pinLenRange: 0xa2,
  pinExpired: 0xa3,
  pinLocked: 0xa4,
  sessionClosed: 0xb0,
  sessionCount: 0xb1,
  sessionHandleInvalid: 0xb3,
  sessionReadOnly: 0xb5,
  sessionExists: 0xb6,
  signatureInvalid: 0xc0,
  signatureLenRange: 0xc1,
  templateIncomplete: 0xd0,
  templateInconsistent: 0xd1,
  tokenNotPresent: 0xe0,
  tokenNotRecognized: 0xe1,
  tokenWriteProtected: 0xe2,
  unwrappingKeyHandleInvalid: 0xf0,
  unwrappingKeySizeRange: 0xf1,
  unwrappingKeyTypeInconsistent: 0xf2,
  userAlreadyLoggedIn: 0x100,
  userNotLoggedIn: 0x101,
  userPinNotInitialized: 0x102,
  userTypeInvalid: 0x103,
  userAnotherAlreadyLoggedIn: 0x104,
  wrappedKeyInvalid: 0x110,
  wrappedKeyLenRange: 0x112,
  wrappingKeyHandleInvalid: 0x113,
  wrappingKeySizeRange: 0x114,
  wrappingKeyTypeInconsistent: 0x115,
  bufferTooSmall: 0x150,
  cryptokiNotInitialized: 0x190,
  cryptokiAlreadyInitialized: 0x191,
  /** From here on numbers are a vendor's own. */
  vendorDefined: 0x8000_0000,
} as const;

/** Mechanisms, CKM_. */
export const ckm = {
  rsaPkcsKeyPairGen: 0x0,
  rsaPkcs: 0x1,
  rsaPkcsOaep: 0x9,
  rsaPkcsPss: 0xd,
  sha256RsaPkcs: 0x40,
  sha256RsaPkcsPss: 0x43,
  sha1: 0x220,
  sha256: 0x250,
  sha256Hmac: 0x251,
  sha384: 0x260,
  sha512: 0x270,
  genericSecretKeyGen: 0x350,
  ecKeyPairGen: 0x1040,
  ecdsa: 0x1041,
  ecdsaSha256: 0x1044,
  ecdsaSha384: 0x1045,
  rsaAesKeyWrap: 0x1054,
  aesKeyGen: 0x1080,
  aesEcb: 0x1081,
  aesCbc: 0x1082,
  aesCbcPad: 0x1085,
  aesGcm: 0x1087,
  aesKeyWrap: 0x2109,
  /** AES-KWP by its number of v2.40, which SoftHSM knows. */
  aesKeyWrapPad: 0x210a,
  /** AES-KWP by its number of v3.0. */
  aesKeyWrapKwp: 0x210b,
} as const;

/** Mechanisms that vendors added. */
export const vendorMechanism = {
  /** CloudHSM: the IV is made inside and stands before the ciphertext. */
  cloudhsmAesGcm: 0x8000_1087,
  /** CloudHSM: AES-KWP by their number ("zero pad"). */
  cloudhsmAesKeyWrapZeroPad: 0x8000_216f,
  /** Cloud KMS: the IV is made inside and written back during C_Encrypt. */
  cloudkmsAesGcm: 0x8001_e101,
} as const;

/** Attributes that vendors added. */
export const vendorAttribute = {
  /** Cloud KMS: says by one number what key is made, and for what. */
  cloudkmsAlgorithm: 0x8001_e101,
} as const;

/** Attributes, CKA_. */
export const cka = {
  class: 0x0,
  token: 0x1,
  private: 0x2,
  label: 0x3,
  application: 0x10,
  value: 0x11,
  objectId: 0x12,
  trusted: 0x86,
  checkValue: 0x90,
  keyType: 0x100,
  subject: 0x101,
  id: 0x102,
  sensitive: 0x103,
  encrypt: 0x104,
  decrypt: 0x105,
  wrap: 0x106,
  unwrap: 0x107,
  sign: 0x108,
  signRecover: 0x109,
  verify: 0x10a,
  verifyRecover: 0x10b,
  derive: 0x10c,
  startDate: 0x110,
  endDate: 0x111,
  modulus: 0x120,
  modulusBits: 0x121,
  publicExponent: 0x122,
  privateExponent: 0x123,
  prime1: 0x124,
  prime2: 0x125,
  exponent1: 0x126,
  exponent2: 0x127,
  coefficient: 0x128,
  publicKeyInfo: 0x129,
  valueLen: 0x161,
  extractable: 0x162,
  local: 0x163,
  neverExtractable: 0x164,
  alwaysSensitive: 0x165,
  keyGenMechanism: 0x166,
  modifiable: 0x170,
  copyable: 0x171,
  destroyable: 0x172,
  ecParams: 0x180,
  ecPoint: 0x181,
  alwaysAuthenticate: 0x202,
  wrapWithTrusted: 0x210,
  wrapTemplate: 0x40000211,
  unwrapTemplate: 0x40000212,
  allowedMechanisms: 0x40000600,
} as const;

/** Classes of objects, CKO_. */
export const cko = { data: 0, certificate: 1, publicKey: 2, privateKey: 3, secretKey: 4 } as const;

/** Types of keys, CKK_. */
export const ckk = { rsa: 0x0, ec: 0x3, genericSecret: 0x10, aes: 0x1f } as const;

/** States of sessions, CKS_. */
export const cks = { rwPublic: 2, rwUser: 3 } as const;

/** What CK_ULONG attributes hold when the token does not tell (CK_UNAVAILABLE_INFORMATION). */
export const unavailableInformation = 0xffff_ffff;

/** Mask generation functions, CKG_. */
export const ckg = { mgf1Sha1: 1, mgf1Sha256: 2, mgf1Sha384: 3, mgf1Sha512: 4 } as const;

/** Flags of tokens, CKF_. */
export const ckf = {
  rng: 0x1,
  writeProtected: 0x2,
  loginRequired: 0x4,
  userPinInitialized: 0x8,
  restoreKeyNotNeeded: 0x20,
  tokenInitialized: 0x400,
  userPinCountLow: 0x1_0000,
  userPinFinalTry: 0x2_0000,
  userPinLocked: 0x4_0000,
  soPinLocked: 0x40_0000,
  soPinToBeChanged: 0x80_0000,
} as const;
