/** What every scheme knows of a target beside its weight. */
import { RollingHash } from "../hash.js";

/** Two well mixed 32-bit words of a safe integer, unsigned. */
export function idWords(id: number): readonly [number, number] {
  const hash = new RollingHash();
  hash.number(id);
  return hash.digest();
}
