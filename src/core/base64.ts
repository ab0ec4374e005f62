/** Base64 (RFC 4648, section 4, with padding): how bytes stand in JSON. */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function base64Encode(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const b = left > 1 ? bytes[at + 1]! : 0;
    const word = (bytes[at]! << 16) | (b << 8) | (left > 2 ? bytes[at + 2]! : 0);
    text += alphabet[word >> 18]! + alphabet[(word >> 12) & 63]!;
    text += left > 1 ? alphabet[(word >> 6) & 63]! : "=";
    text += left > 2 ? alphabet[word & 63]! : "=";
  }
  return text;
}

/** Null unless `text` is exactly what `base64Encode` makes of some bytes. */
export function base64Decode(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let to = 0;
  for (let at = 0; at < text.length; at += 4) {
    const padded = at + 4 === text.length ? padding : 0;
    let word = 0;
    for (let place = 0; place < 4; place++) {
      const value = place + padded >= 4 ? 0 : digitOf(text.charCodeAt(at + place));
      if (value < 0) return null;
      word = (word << 6) | value;
    }
    // Bits that stand for no byte are zero, so that each array has one text only.
    if ((word & ((1 << (8 * padded)) - 1)) !== 0) return null;
    bytes[to++] = word >> 16;
    if (padded < 2) bytes[to++] = word >> 8;
    if (padded < 1) bytes[to++] = word;
  }
  return bytes;
}

function digitOf(unit: number): number {
  if (unit >= 65 && unit <= 90) return unit - 65;
  if (unit >= 97 && unit <= 122) return unit - 71;
  if (unit >= 48 && unit <= 57) return unit + 4;
  return unit === 43 ? 62 : unit === 47 ? 63 : -1;
}
