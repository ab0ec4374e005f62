/** RSA-OAEP (RFC 8017, section 7.1): one hash for both places, and no label. */
import type { Mechanism } from "./cryptoki/calls.js";
import { ckg, ckm } from "./cryptoki/constants.js";

export type OaepWrap = "rsa-oaep-sha256" | "rsa-oaep-sha1";

export function oaep(wrap: OaepWrap): Mechanism {
  const sha256 = wrap === "rsa-oaep-sha256";
  const hash = sha256 ? ckm.sha256 : ckm.sha1;
  const mgf = sha256 ? ckg.mgf1Sha256 : ckg.mgf1Sha1;
  const label = new Uint8Array(0);
  return { type: ckm.rsaPkcsOaep, parameter: { kind: "oaep", hash, mgf, label } };
}

/** How much fits, under a key of so many bits. */
export function oaepBytesMax(wrap: OaepWrap, bits: number): number {
  return bits / 8 - 2 * (wrap === "rsa-oaep-sha256" ? 32 : 20) - 2;
}
