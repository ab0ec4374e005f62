/** P7, P8, P16 and P18: by which mechanisms keys are wrapped, and how the token is logged into. */
import type { Finding, KeeperFacts, RuleId, Severity } from "./contract.js";

/** Attempts that are kept for a person. */
const attemptsInReserve = 3;

export function mechanismFindings({ wraps, oaepSha256Works }: KeeperFacts): readonly Finding[] {
  const found: Finding[] = [];
  const add = (rule: RuleId, severity: Severity, reason: string, action: string): void => {
    found.push({ rule, severity, key: null, reason, action });
  };
  if (wraps.includes("aes-cbc-pad")) {
    const reason = "AES-CBC with padding proves nothing: whoever can encrypt can make such blobs";
    add("P7", "critical", reason, "wrap with AES-KWP or AES-GCM");
  }
  if (wraps.includes("aes-cbc-pad-hmac")) {
    const reason = "AES-CBC with an HMAC is a makeshift for tokens that have no AES-KWP";
    add("P7", "info", reason, "wrap with AES-KWP where the token can");
  }
  if (wraps.includes("rsa-pkcs1")) {
    const reason = "PKCS #1 v1.5 is disallowed for key transport since 2023";
    add("P8", "critical", reason, "wrap with OAEP");
  }
  if (wraps.includes("rsa-oaep-sha1")) {
    const reason = oaepSha256Works
      ? "OAEP with SHA-1, and the token can do SHA-256"
      : "OAEP with SHA-1, for the token can do no better";
    const action = oaepSha256Works
      ? "leave it out"
      : "ask for a newer module; SHA-1 ends with 2030";
    add("P16", oaepSha256Works ? "warning" : "info", reason, action);
  }
  return found;
}

export function loginFindings({ login }: KeeperFacts): readonly Finding[] {
  if (login === null) return [];
  const found: Finding[] = [];
  if (login.retriesRejectedPin) {
    const reason = "a PIN that was rejected is tried again";
    const action = "try each PIN once, and ask a person then";
    found.push({ rule: "P18", severity: "critical", key: null, reason, action });
  }
  if (login.attemptsLeft !== null && login.attemptsLeft < attemptsInReserve) {
    const reason = `${login.attemptsLeft} attempts are left before the token locks`;
    const action = "log in by hand with the right PIN, which sets the count back";
    found.push({ rule: "P18", severity: "critical", key: null, reason, action });
  }
  return found;
}
