/**
 * What every `Hsm` does, whoever keeps its keys. Each check is a promise that is rejected with what is
 * wrong; `hsm.test.ts` runs them over the makers that there are, and over stores that are bad on purpose.
 */
import type { HsmCheck } from "./hsm-kit.js";
import { generating } from "./hsm-making.js";
import { encrypting, wrapping } from "./hsm-sealing.js";
import { signing } from "./hsm-signing.js";
import { using } from "./hsm-using.js";

export const hsmChecks: readonly HsmCheck[] = [
  ...generating,
  ...signing,
  ...encrypting,
  ...wrapping,
  ...using,
];
