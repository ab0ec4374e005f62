/** What the token was seen to do and to refuse. */
import type { KeySpec, SignatureAlgorithm, WrapMechanism } from "./keys.js";
import type { HsmCore } from "./state.js";

export type CapabilityName =
  | `wrap ${WrapMechanism}`
  /** Of lengths that are no multiple of 8 bytes. */
  | "wrap aes-kwp of any length"
  | `sign ${SignatureAlgorithm}`
  | "encrypt aes-gcm"
  /** Keys of the session, in which all else is tried. */
  | "generate session key"
  | "import secret"
  | "rename key"
  | "data object";

export function record(core: HsmCore, name: CapabilityName, works: boolean, rv: number): void {
  const capability = { name, works, rv, atUs: core.now };
  core.state.registry.set(name, capability);
  core.out.push({ kind: "event", event: { name: "trial", capability } });
}

/** Null: not tried. */
export function works(core: HsmCore, name: CapabilityName): boolean | null {
  return core.state.registry.get(name)?.works ?? null;
}

/** Best first: what is known not to work is left out. */
export function wrapsFor(core: HsmCore, algorithm: KeySpec["algorithm"]): readonly WrapMechanism[] {
  const ofRsa = algorithm === "rsa";
  return core.profile.wraps.filter(
    (wrap) => wrap.startsWith("rsa-") === ofRsa && works(core, `wrap ${wrap}`) !== false,
  );
}

/** The token has no C_WrapKey that is of use: keys that wrap do so by C_Encrypt. */
export function wrapsByEncrypting(core: HsmCore): boolean {
  return wrapsFor(core, "aes")[0] === "encrypt-aes-gcm";
}
