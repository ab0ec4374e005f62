import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { signMessage, verifyMessage } from "../../../src/real/keys/software/primitives.js";

const algorithm = "rsa-pss-sha256";
const message = new TextEncoder().encode("what is signed");
/** One signature in 256 begins with a zero. */
const triesMax = 10_000;

test("primitives: a PSS signature without its leading zero is none", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  for (let tries = 0; tries < triesMax; tries++) {
    const signature = (await signMessage(privateKey, algorithm, "raw", message))!;
    if (signature[0] !== 0) continue;
    expect(verifyMessage(publicKey, algorithm, "raw", message, signature)).toBe(true);
    expect(verifyMessage(publicKey, algorithm, "raw", message, signature.subarray(1))).toBe(false);
    return;
  }
  throw new Error(`no signature of ${triesMax} begins with a zero`);
});
