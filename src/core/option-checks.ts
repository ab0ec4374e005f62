/** What options of all parts must be, said alike. */

/** Names of the numbers that are no whole ones from 1 on, or from 0 on where they `mayBeZero`. */
export function wrongNumbers(
  options: object,
  mayBeZero: ReadonlySet<string> = new Set(),
): string[] {
  return Object.entries(options)
    .filter(([name, value]: [string, unknown]) => {
      if (typeof value !== "number") return false;
      return !Number.isSafeInteger(value) || value < (mayBeZero.has(name) ? 0 : 1);
    })
    .map(([name]) => `${name} is no such number`);
}
