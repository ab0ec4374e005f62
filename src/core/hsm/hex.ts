/** Bytes as lower-case hex: how ids of keys are written down. */

const digits = "0123456789abcdef";

export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += digits[byte >> 4]! + digits[byte & 15]!;
  return text;
}

/** Null unless `text` is what `hexOf` makes of some bytes. */
export function bytesOfHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    const high = digits.indexOf(text[2 * at]!);
    const low = digits.indexOf(text[2 * at + 1]!);
    if (high < 0 || low < 0) return null;
    bytes[at] = (high << 4) | low;
  }
  return bytes;
}
