/** The system's generator in the real world, the seed's in the simulated one. */
export interface Random {
  /** A 32-bit word, 0 to 2^32 - 1. */
  word(): number;
}
