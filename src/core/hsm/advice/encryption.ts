/** P4, P5, P6 and P17: how data is encrypted, and how much of it under one key. */
import type { Finding, KeeperFacts, KeyFacts, RuleId, Severity } from "./contract.js";

export const encryptionsWarned: number = 2 ** 31;
export const encryptionsMax: number = 2 ** 32;
const ivBits = 96;
const tagBits = 128;
const tagBitsMin = 96;
/** 2^39 - 256 bits. */
const messageBytesMax = 2 ** 36 - 32;

export function countFindings(
  { description, encryptions }: KeyFacts,
  { gcm }: KeeperFacts,
): readonly Finding[] {
  if (encryptions === null || gcm.iv !== "random" || encryptions < encryptionsWarned) return [];
  const over = encryptions >= encryptionsMax;
  return [
    {
      rule: "P4",
      severity: over ? "critical" : "warning",
      key: description.reference,
      reason: `it has encrypted up to ${encryptions} times under random IVs, of ${encryptionsMax}`,
      action: over ? "stop encrypting with it" : "make the next version soon",
    },
  ];
}

export function gcmFindings({ fips, gcm }: KeeperFacts): readonly Finding[] {
  const found: Finding[] = [];
  const add = (rule: RuleId, severity: Severity, reason: string, action: string): void => {
    found.push({ rule, severity, key: null, reason, action });
  };
  if (gcm.ivBits !== ivBits) {
    add("P5", "critical", `IVs of AES-GCM have ${gcm.ivBits} bits`, "use IVs of 96 bits");
  }
  if (gcm.tagBits < tagBits) {
    const severity = gcm.tagBits < tagBitsMin ? "critical" : "warning";
    add("P5", severity, `tags of AES-GCM have ${gcm.tagBits} bits`, "use tags of 128 bits");
  }
  if (gcm.iv === "caller") {
    const action = "let the token or its keeper make IVs";
    add("P5", "warning", "callers choose the IVs of AES-GCM", action);
  }
  if (gcm.messageBytesMax > messageBytesMax) {
    const reason = `a message may have ${gcm.messageBytesMax} bytes, more than AES-GCM takes`;
    add("P5", "critical", reason, `allow at most ${messageBytesMax}`);
  }
  if (fips && gcm.iv !== "token") {
    const action = "use the token's own IVs, or leave FIPS mode";
    add("P6", "critical", "in FIPS mode an IV comes from outside the module", action);
  }
  return found;
}

export function dataKeyFindings({ dataKeys }: KeeperFacts): readonly Finding[] {
  if (dataKeys === null) return [];
  const { messagesMax, bytesMax, ageMsMax } = dataKeys;
  const found: Finding[] = [];
  const unset = [
    ...(messagesMax === null ? ["messages"] : []),
    ...(bytesMax === null ? ["bytes"] : []),
    ...(ageMsMax === null ? ["age"] : []),
  ];
  if (unset.length > 0) {
    const reason = `nothing limits a data key's ${unset.join(", ")}`;
    const action = "set limits, and rotate at them";
    found.push({ rule: "P17", severity: "warning", key: null, reason, action });
  }
  if (messagesMax !== null && messagesMax > encryptionsMax) {
    const reason = `a data key may seal ${messagesMax} messages`;
    const action = `set at most ${encryptionsMax}`;
    found.push({ rule: "P17", severity: "critical", key: null, reason, action });
  }
  return found;
}
