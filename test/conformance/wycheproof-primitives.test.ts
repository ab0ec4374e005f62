/** Wycheproof on the mechanisms under `SoftwareHsm`, with no policy between: every vector, no exception but three. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  cbcPadDecrypt,
  gcmOpen,
  kwpUnwrap,
  oaepDecrypt,
  verifyMessage,
} from "../../src/real/keys/software/primitives.js";
import {
  count,
  newTally,
  openings,
  verifyings,
  wycheproof,
  type Opening,
  type Tally,
} from "./wycheproof.js";

function opened({
  mechanism,
  key,
  iv,
  associatedData,
  label,
  ciphertext,
}: Opening): Uint8Array | null {
  const privateKey = (): ReturnType<typeof createPrivateKey> =>
    createPrivateKey({ key: Buffer.from(key), format: "der", type: "pkcs8" });
  switch (mechanism) {
    case "aes-gcm":
      return gcmOpen(key, iv, associatedData, ciphertext);
    case "aes-kwp":
      return kwpUnwrap(key, ciphertext);
    case "aes-cbc-pad":
      return cbcPadDecrypt(key, iv, ciphertext);
    case "rsa-oaep-sha1":
      return oaepDecrypt(privateKey(), "sha1", ciphertext, label);
    case "rsa-oaep-sha256":
      return oaepDecrypt(privateKey(), "sha256", ciphertext, label);
  }
}

const expected: Readonly<Record<string, Omit<Tally, "refused">>> = {
  // OpenSSL takes no IV longer than 128 bytes; a token takes none but those of 12.
  "aes-gcm": { valid: 226, invalid: 87, acceptable: 0, wrong: [268, 272, 276] },
  "aes-kwp": { valid: 77, invalid: 177, acceptable: 0, wrong: [] },
  "aes-cbc-pad": { valid: 72, invalid: 144, acceptable: 0, wrong: [] },
  "rsa-oaep-sha1": { valid: 17, invalid: 19, acceptable: 0, wrong: [] },
  "rsa-oaep-sha256": { valid: 18, invalid: 19, acceptable: 0, wrong: [] },
  "rsa-pkcs1-sha256": { valid: 9, invalid: 249, acceptable: 1, wrong: [] },
  "rsa-pss-sha256": { valid: 63, invalid: 45, acceptable: 0, wrong: [] },
  "ecdsa-p256-sha256": { valid: 173, invalid: 89, acceptable: 0, wrong: [] },
  "ecdsa-p384-sha384": { valid: 193, invalid: 87, acceptable: 0, wrong: [] },
};

describe.skipIf(wycheproof === null)("wycheproof: the mechanisms of SoftwareHsm", () => {
  test.each(openings)("$name", ({ name, cases }) => {
    const tally = newTally();
    for (const each of cases(wycheproof!)) {
      const plaintext = opened(each);
      const isRight = plaintext !== null && Buffer.from(plaintext).equals(each.plaintext);
      count(tally, each, isRight ? "right" : "rejected");
      // A wrong result is no rejection.
      if (plaintext !== null && !isRight) tally.wrong.push(each.tcId);
    }
    expect(tally).toEqual({ ...expected[name], refused: {} });
  });

  test.each(verifyings)("$name", ({ name, cases }) => {
    const tally = newTally();
    for (const each of cases(wycheproof!)) {
      const der = Buffer.from(each.publicKey);
      const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
      const { algorithm, message, signature } = each;
      const isValid = verifyMessage(publicKey, algorithm, "raw", message, signature);
      count(tally, each, isValid ? "right" : "rejected");
    }
    expect(tally).toEqual({ ...expected[name], refused: {} });
  });
});
