/** What the checks of an `Hsm` are made of. */
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { KeyDescription, KeyReference, KeySpec } from "../../src/core/hsm/keys.js";
import type { HsmErrorCode, HsmRequest, HsmResult, HsmValue } from "../../src/core/ports/hsm.js";

/** One HSM, as the checks see it. */
export interface HsmSubject {
  /** Submits, and resolves with the answer; a simulated world goes on until there is one. */
  ask(request: HsmRequest): Promise<HsmResult>;
  /** The secret of its administrator. */
  readonly admin: string;
  /** RSA sizes that are made: a key of 4,096 bits takes seconds. */
  readonly rsaBits: readonly number[];
}

export interface HsmCheck {
  readonly name: string;
  readonly check: (subject: HsmSubject) => Promise<void>;
}

export const encryptSpec: KeySpec = {
  algorithm: "aes",
  bits: 256,
  purpose: "encrypt",
  exportable: false,
};
export const wrapSpec: KeySpec = { ...encryptSpec, purpose: "wrap" };
export const exportableSpec: KeySpec = { ...encryptSpec, exportable: true };
export const rsaSign: KeySpec = {
  algorithm: "rsa",
  bits: 2048,
  purpose: "sign",
  exportable: false,
};
export const rsaWrap: KeySpec = { ...rsaSign, purpose: "wrap" };
export const p256: KeySpec = { algorithm: "ec", bits: 256, purpose: "sign", exportable: false };
export const p384: KeySpec = { ...p256, bits: 384 };

export const none = new Uint8Array(0);
export const text = (written: string): Uint8Array => new Uint8Array(Buffer.from(written));
export const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));

let lastLabel = 0;
export const newLabel = (): string => `key-${++lastLabel}-${randomBytes(4).toString("hex")}`;

export async function value<Kind extends HsmValue["kind"]>(
  subject: HsmSubject,
  request: HsmRequest,
  kind: Kind,
): Promise<Extract<HsmValue, { kind: Kind }>> {
  const result = await subject.ask(request);
  if (!result.ok) throw new Error(`${request.kind} refused: ${JSON.stringify(result.error)}`);
  expect(result.value.kind).toBe(kind);
  return result.value as Extract<HsmValue, { kind: Kind }>;
}

/** Refused with one of these codes; with any where none is given. */
export async function refused(
  subject: HsmSubject,
  request: HsmRequest,
  ...codes: HsmErrorCode[]
): Promise<void> {
  const result = await subject.ask(request);
  expect(result.ok, `${request.kind} must be refused`).toBe(false);
  if (result.ok) return;
  if (codes.length > 0) expect(codes).toContain(result.error.code);
  if (result.error.code === "refusedByPolicy") expect(result.error.policy).toMatch(/^P\d+$/);
  else expect(result.error.policy).toBeNull();
}

export async function generate(
  subject: HsmSubject,
  spec: KeySpec,
  label = newLabel(),
  version = 1,
): Promise<KeyDescription> {
  const name = { label, version };
  return (await value(subject, { kind: "generate", name, spec, ifMissing: false }, "key")).key;
}

export const keyOf = async (subject: HsmSubject, spec: KeySpec): Promise<KeyReference> =>
  (await generate(subject, spec)).reference;

export async function bytesOf(subject: HsmSubject, request: HsmRequest): Promise<Uint8Array> {
  return (await value(subject, request, "bytes")).bytes;
}

/** Every bit of some bytes, every prefix, and one byte more. */
export function* spoilt(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.with(at, bytes[at]! ^ (1 << (at % 8)));
  for (let length = 0; length < bytes.length; length += 7) yield bytes.subarray(0, length);
  yield Uint8Array.of(...bytes, 0);
}

/** The refusal of a mechanism or an IV that anyone can read in a blob tells nothing secret. */
export const unreadable = ["authenticationFailed", "refusedByPolicy"] as const;
