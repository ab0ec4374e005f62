/** Keys and values of the store as strings, one character for each byte, so that they compare as the bytes do. */

/** The place of the first key that is not below `key`. */
export function lowerBound(state: readonly string[], key: string): number {
  let low = 0;
  let high = state.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (state[middle * 2]! < key) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}

/** Bytes as a string of as many characters, which compares as the bytes do. */
export function text(bytes: Uint8Array): string {
  let result = "";
  for (const byte of bytes) result += String.fromCharCode(byte);
  return result;
}

export function textOrNull(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : text(bytes);
}

/** A string that shows where it ends. */
export function counted(value: string): string {
  return `${value.length}:${value}`;
}

export function optional(bytes: Uint8Array | null | undefined): string {
  return bytes === undefined ? "?" : bytes === null ? "-" : counted(text(bytes));
}
