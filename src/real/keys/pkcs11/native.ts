/**
 * Templates and mechanisms as pkcs11js takes them. Everything is checked before: where an argument
 * has a wrong shape the binding frees memory that it has not set yet.
 */
import type {
  Attribute,
  AttributeValue,
  Mechanism,
  MechanismParameter,
  Template,
} from "../../../core/hsm/cryptoki/calls.js";
import { cka } from "../../../core/hsm/cryptoki/constants.js";
import type { NativeMechanism, NativeTemplate } from "./cryptoki.js";
import { MalformedCallError } from "./malformed.js";

export const templateAttributesMax: number = 64;
export const attributeBytesMax: number = 1 << 16;
export const parameterBytesMax: number = 1 << 20;

const ulongBytes = 8;
/** CKZ_DATA_SPECIFIED, which C_EncryptInit and the others demand of OAEP, label or not. */
const dataSpecified = 1;
/** CK_PARAMS_ of pkcs11js. Its other one for GCM leaves ulIvBits to chance. */
const parameterType = { oaep: 4, pss: 5, gcm: 7 } as const;

/** A NULL pointer for no bytes is refused by some functions, so there is a byte behind it. */
const noBytes = Buffer.alloc(1).subarray(0, 0);

/** The same bytes, never NULL. */
export function nativeBytes(bytes: Uint8Array, bytesMax: number): Buffer {
  if (!(bytes instanceof Uint8Array)) throw new MalformedCallError("bytes are expected");
  if (bytes.length > bytesMax) throw new MalformedCallError(`more than ${bytesMax} bytes`);
  return bytes.length === 0
    ? noBytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function nativeTemplate(template: Template): NativeTemplate {
  if (!Array.isArray(template) || template.length > templateAttributesMax) {
    throw new MalformedCallError(`a template has at most ${templateAttributesMax} attributes`);
  }
  return template.map((attribute: Attribute) => ({
    type: u32(attribute.type),
    value: nativeValue(attribute),
  }));
}

function nativeValue({ type, value }: Attribute): Buffer | boolean {
  const isDate = type === cka.startDate || type === cka.endDate;
  const native = typeof value === "boolean" ? value : valueBytes(value);
  // The binding copies eight digits, however many there are, and takes a truth value for text.
  if (isDate && !/^[0-9]{8}$/.test(String(native))) {
    throw new MalformedCallError("a date has eight digits");
  }
  return native;
}

function valueBytes(value: Exclude<AttributeValue, boolean>): Buffer {
  if (typeof value === "number") return ulongs([value]);
  if (Array.isArray(value)) return ulongs(value as readonly number[]);
  return nativeBytes(value as Uint8Array, attributeBytesMax);
}

/** CK_ULONG has eight bytes here; the binding's own numbers end at 2^32. */
function ulongs(numbers: readonly number[]): Buffer {
  if (numbers.length * ulongBytes > attributeBytesMax) throw new MalformedCallError("a long array");
  const bytes = Buffer.alloc(numbers.length * ulongBytes);
  for (const [at, number] of numbers.entries()) {
    bytes.writeBigUInt64LE(BigInt(wholeNumber(number)), at * ulongBytes);
  }
  return bytes;
}

export function nativeMechanism({ type, parameter }: Mechanism): NativeMechanism {
  const mechanism = u32(type);
  if (parameter === undefined) return { mechanism };
  return { mechanism, parameter: nativeParameter(parameter) };
}

function nativeParameter(parameter: MechanismParameter): NonNullable<NativeMechanism["parameter"]> {
  switch (parameter.kind) {
    case "bytes":
      return nativeBytes(parameter.bytes, parameterBytesMax);
    case "gcm": {
      const { iv, associatedData, tagBits } = parameter;
      const native = iv === null ? noBytes : nativeBytes(iv, parameterBytesMax);
      return {
        type: parameterType.gcm,
        iv: native,
        ivBits: native.length * 8,
        aad: nativeBytes(associatedData, parameterBytesMax),
        tagBits: u32(tagBits),
      };
    }
    case "oaep": {
      const { hash, mgf, label } = parameter;
      const source = { type: parameterType.oaep, source: dataSpecified };
      const native = { ...source, hashAlg: u32(hash), mgf: u32(mgf) };
      return label.length === 0
        ? native
        : { ...native, sourceData: nativeBytes(label, parameterBytesMax) };
    }
    case "pss": {
      const { hash, mgf, saltBytes } = parameter;
      return {
        type: parameterType.pss,
        hashAlg: u32(hash),
        mgf: u32(mgf),
        saltLen: u32(saltBytes),
      };
    }
    default:
      throw new MalformedCallError("a mechanism parameter of no known kind");
  }
}

export function u32(number: number): number {
  if (wholeNumber(number) > 0xffff_ffff)
    throw new MalformedCallError("a number of 32 bits is expected");
  return number;
}

export function wholeNumber(number: number): number {
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new MalformedCallError("a whole number is expected");
}

/** Of a slot id. */
export function nativeUlong(number: number): Buffer {
  return ulongs([number]);
}
