/** What is measured, as calls; bench/hsm.c does the same. */
import type {
  Handle,
  TokenCall,
  TokenFunction,
  TokenValues,
} from "../src/core/hsm/cryptoki/calls.js";
import { cka, ckm } from "../src/core/hsm/cryptoki/constants.js";

export interface Operation {
  readonly name: "aes-256-gcm-4-kib" | "kwp-wrap" | "ecdsa-p256-sign";
  /** Its name in bench/hsm.c. */
  readonly inC: string;
  /** In one measurement. */
  readonly count: number;
}

export const operations: readonly Operation[] = [
  { name: "aes-256-gcm-4-kib", inC: "gcm", count: 6_000 },
  { name: "kwp-wrap", inC: "kwp", count: 6_000 },
  { name: "ecdsa-p256-sign", inC: "ecdsa", count: 3_000 },
];

export interface Keys {
  readonly session: Handle;
  readonly aes: Handle;
  readonly wrapping: Handle;
  readonly wrapped: Handle;
  readonly signing: Handle;
}

/** Gives what the call gives. */
export type Ask = <Fn extends TokenFunction>(
  call: TokenCall & { readonly fn: Fn },
) => Promise<TokenValues[Fn]>;

export async function makeKeys(ask: Ask, label: string): Promise<Keys> {
  await ask({ fn: "initialize" });
  const slot = (await ask({ fn: "slots" })).find((one) => one.label === label)!.slot;
  const session = await ask({ fn: "openSession", slot });
  await ask({ fn: "login", session });
  const aesKey = (): Promise<Handle> =>
    ask({ fn: "generateKey", session, mechanism: { type: ckm.aesKeyGen }, template: aesTemplate });
  const pair = await ask({
    fn: "generateKeyPair",
    session,
    mechanism: { type: ckm.ecKeyPairGen },
    publicTemplate: [
      { type: cka.token, value: false },
      { type: cka.ecParams, value: Buffer.from("06082a8648ce3d030107", "hex") },
    ],
    privateTemplate: [
      { type: cka.token, value: false },
      { type: cka.sign, value: true },
    ],
  });
  return {
    session,
    aes: await aesKey(),
    wrapping: await aesKey(),
    wrapped: await aesKey(),
    signing: pair.privateKey,
  };
}

const aesTemplate = [
  { type: cka.token, value: false },
  { type: cka.valueLen, value: 32 },
  { type: cka.encrypt, value: true },
  { type: cka.wrap, value: true },
  { type: cka.extractable, value: true },
];

const data = Buffer.alloc(4096);
const digest = Buffer.alloc(32);
const gcm = {
  type: ckm.aesGcm,
  parameter: { kind: "gcm", iv: Buffer.alloc(12), associatedData: Buffer.alloc(0), tagBits: 128 },
} as const;

export function callOf({ name }: Operation, keys: Keys): TokenCall {
  const { session, aes, wrapping, wrapped, signing } = keys;
  switch (name) {
    case "aes-256-gcm-4-kib":
      return { fn: "encrypt", session, mechanism: gcm, key: aes, data };
    case "kwp-wrap":
      return {
        fn: "wrapKey",
        session,
        mechanism: { type: ckm.aesKeyWrapPad },
        wrappingKey: wrapping,
        key: wrapped,
      };
    default:
      return { fn: "sign", session, mechanism: { type: ckm.ecdsa }, key: signing, data: digest };
  }
}
