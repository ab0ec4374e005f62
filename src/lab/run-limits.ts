/**
 * The most that one run may be asked for, by a scenario or by a file. Beyond these nobody waits for
 * its end.
 */
export const runLimits = {
  /** As far as a node's number reaches. */
  nodes: 255,
  groups: 1_024,
  clients: 1_024,
  /** A day. */
  attackUs: 86_400_000_000,
} as const;
