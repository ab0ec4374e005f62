import type { PinSource } from "./pin.js";

/** What programs need to run at all; anything else may be a secret of the node's. */
const usual = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SYSTEMROOT",
  "LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
];

/**
 * The environment of the library's process: what is usual, what the library is known to read, what the
 * caller adds, and the PIN only if it was said that it comes from there.
 */
export function childEnvironment(
  from: NodeJS.ProcessEnv,
  names: readonly string[],
  pin: PinSource | null,
  added: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const passed = [...usual, ...names];
  if (pin?.from === "environment") passed.push(pin.variable);
  const environment: Record<string, string> = {};
  for (const name of passed) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...added };
}
