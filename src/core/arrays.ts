/**
 * Drops what stands at `length` and behind it. An array that is made shorter by its `length` gives
 * its room back, by a call out of compiled code; one that is popped keeps it for what comes next.
 */
export function shorten(array: unknown[], length: number): void {
  while (array.length > Math.max(0, length)) array.pop();
}
