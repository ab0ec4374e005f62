/** For each rule of advice a case on which it speaks up, and the one beside it on which it keeps silent. */
import type { AdviceInput, KeeperFacts, KeyFacts } from "../../../src/core/hsm/advice/contract.js";
import { yearMs } from "../../../src/core/hsm/advice/lifetimes.js";
import type { KeyAttributes, KeySpec } from "../../../src/core/hsm/keys.js";

/** The first of January 2025. */
export const nowMs = 1_735_689_600_000;
const end2030Ms = 1_924_992_000_000;

const limits = { messagesMax: 2 ** 32, bytesMax: 2 ** 40, ageMsMax: yearMs };

const sound: KeeperFacts = {
  fips: false,
  suite: null,
  gcm: { iv: "random", ivBits: 96, tagBits: 128, messageBytesMax: 2 ** 20 },
  wraps: ["aes-kwp", "rsa-oaep-sha256"],
  oaepSha256Works: true,
  envelopes: true,
  dataKeys: limits,
  login: { retriesRejectedPin: false, attemptsLeft: 10 },
};

const inside: KeyAttributes = {
  token: true,
  private: true,
  sensitive: true,
  extractable: false,
  alwaysSensitive: true,
  neverExtractable: true,
  local: true,
  uses: [],
};

const usesOf = {
  encrypt: ["encrypt", "decrypt"],
  wrap: ["wrap", "unwrap"],
  sign: ["sign", "verify"],
} as const;
let keys = 0;

interface Given extends Partial<Omit<KeyFacts, "description">> {
  readonly attributes?: Partial<KeyAttributes>;
  readonly label?: string;
  readonly id?: string;
}

export function key(
  algorithm: KeySpec["algorithm"],
  bits: number,
  purpose: KeySpec["purpose"],
  given: Given = {},
): KeyFacts {
  const {
    attributes,
    label = `key-${++keys}`,
    id = `${++keys}`.padStart(32, "0"),
    ...facts
  } = given;
  const spec = { algorithm, bits, purpose, exportable: false };
  return {
    description: {
      reference: { label, version: 1, id, spec, publicDigest: null },
      publicKey: null,
      attributes: { ...inside, uses: usesOf[purpose], ...attributes },
    },
    createdMs: nowMs,
    encryptions: 0,
    signsWith: [],
    ...facts,
  };
}

export const aged = (years: number, days = 0): Given => ({
  createdMs: nowMs - years * yearMs - days * 86_400_000,
});
export const keptBy = (keeper: Partial<KeeperFacts>, ...given: KeyFacts[]): AdviceInput => ({
  keys: given,
  keeper: { ...sound, ...keeper },
  nowMs,
});
export const of = (...given: KeyFacts[]): AdviceInput => keptBy({}, ...given);
const at = (ms: number, given: KeyFacts): AdviceInput => ({
  ...of({ ...given, createdMs: ms }),
  nowMs: ms,
});
const gcm = (changes: Partial<KeeperFacts["gcm"]>): AdviceInput =>
  keptBy({ gcm: { ...sound.gcm, ...changes } });

/** rule and severity, the input on which it is given, and the one beside it on which it is not. */
export const cases: readonly [string, AdviceInput, AdviceInput][] = [
  [
    "P1 warning",
    of(key("aes", 256, "encrypt", aged(2, 1))),
    of(key("aes", 256, "encrypt", aged(2))),
  ],
  [
    "P1 critical",
    of(key("aes", 256, "encrypt", aged(5, 1))),
    of(key("aes", 256, "encrypt", aged(5))),
  ],
  ["P2 warning", of(key("aes", 256, "wrap", aged(2, 1))), of(key("aes", 256, "wrap", aged(2)))],
  ["P2 critical", of(key("aes", 256, "wrap", aged(5, 1))), of(key("aes", 256, "wrap", aged(5)))],
  ["P3 critical", of(key("ec", 256, "sign", aged(3, 1))), of(key("ec", 256, "sign", aged(3)))],
  ["P3 warning", of(key("rsa", 4096, "wrap", aged(2, 1))), of(key("rsa", 4096, "wrap", aged(2)))],
  [
    "P4 warning",
    of(key("aes", 256, "encrypt", { encryptions: 2 ** 31 })),
    of(key("aes", 256, "encrypt", { encryptions: 2 ** 31 - 1 })),
  ],
  [
    "P4 critical",
    of(key("aes", 256, "encrypt", { encryptions: 2 ** 32 })),
    of(key("aes", 256, "encrypt", { encryptions: 2 ** 32 - 1 })),
  ],
  [
    "P4 critical",
    of(key("aes", 256, "encrypt", { encryptions: 2 ** 40 })),
    { ...gcm({ iv: "token" }), keys: [key("aes", 256, "encrypt", { encryptions: 2 ** 40 })] },
  ],
  ["P5 critical", gcm({ ivBits: 128 }), gcm({ ivBits: 96 })],
  ["P5 warning", gcm({ tagBits: 96 }), gcm({ tagBits: 128 })],
  ["P5 critical", gcm({ tagBits: 64 }), gcm({ tagBits: 96 })],
  ["P5 warning", gcm({ iv: "caller" }), gcm({ iv: "random" })],
  ["P5 critical", gcm({ messageBytesMax: 2 ** 36 }), gcm({ messageBytesMax: 2 ** 36 - 32 })],
  [
    "P6 critical",
    keptBy({ fips: true }),
    keptBy({ fips: true, gcm: { ...sound.gcm, iv: "token" } }),
  ],
  ["P7 critical", keptBy({ wraps: ["aes-cbc-pad"] }), keptBy({ wraps: ["aes-cbc-pad-hmac"] })],
  ["P7 info", keptBy({ wraps: ["aes-cbc-pad-hmac"] }), keptBy({ wraps: ["aes-gcm"] })],
  ["P8 critical", keptBy({ wraps: ["rsa-pkcs1"] }), keptBy({ wraps: ["rsa-oaep-sha256"] })],
  ["P9 critical", of(key("rsa", 2047, "sign")), of(key("rsa", 2048, "sign"))],
  ["P9 info", of(key("rsa", 2048, "sign")), of(key("rsa", 3072, "sign"))],
  [
    "P9 critical",
    at(end2030Ms, key("rsa", 2048, "sign")),
    at(end2030Ms - 1, key("rsa", 2048, "sign")),
  ],
  [
    "P9 warning",
    of(key("ec", 384, "sign", { signsWith: ["ecdsa-p256-sha256"] })),
    of(key("ec", 384, "sign", { signsWith: ["ecdsa-p384-sha384"] })),
  ],
  ["P10 warning", of(key("rsa", 4096, "wrap")), of(key("aes", 256, "wrap"))],
  ["P10 warning", of(key("rsa", 3072, "wrap")), of(key("rsa", 3072, "sign"))],
  [
    "P11 critical",
    of(key("aes", 256, "wrap", { attributes: { uses: ["wrap", "decrypt"] } })),
    of(key("aes", 256, "wrap", { attributes: { uses: ["wrap", "unwrap"] } })),
  ],
  [
    "P11 critical",
    of(key("aes", 256, "wrap", { attributes: { uses: ["unwrap", "encrypt"] } })),
    of(key("aes", 256, "wrap", { attributes: { uses: ["unwrap"] } })),
  ],
  [
    "P11 warning",
    of(key("rsa", 3072, "sign", { attributes: { uses: ["sign", "decrypt"] } })),
    of(key("rsa", 3072, "sign", { attributes: { uses: ["sign", "verify"] } })),
  ],
  ...(
    ["token", "private", "sensitive", "alwaysSensitive", "neverExtractable", "local"] as const
  ).map((flag): [string, AdviceInput, AdviceInput] => [
    "P12 critical",
    of(key("aes", 256, "wrap", { attributes: { [flag]: false } })),
    of(key("aes", 256, "encrypt", { attributes: { [flag]: false } })),
  ]),
  [
    "P12 info",
    of(key("aes", 256, "wrap", { attributes: { local: null } })),
    of(key("aes", 256, "wrap", { attributes: { local: true } })),
  ],
  [
    "P13 warning",
    of(key("aes", 256, "encrypt", { attributes: { extractable: true } })),
    of(key("aes", 256, "encrypt", { attributes: { extractable: true, token: false } })),
  ],
  [
    "P13 warning",
    keptBy(
      { envelopes: false },
      key("aes", 256, "encrypt", { attributes: { extractable: true, token: false } }),
    ),
    keptBy({ envelopes: false }, key("aes", 256, "encrypt")),
  ],
  [
    "P14 warning",
    keptBy({ suite: "cnsa-1" }, key("ec", 256, "sign")),
    keptBy({ suite: "cnsa-1" }, key("ec", 384, "sign")),
  ],
  [
    "P14 warning",
    keptBy({ suite: "cnsa-1" }, key("rsa", 2048, "sign")),
    keptBy({ suite: "cnsa-1" }, key("rsa", 3072, "sign")),
  ],
  [
    "P14 warning",
    keptBy({ suite: "cnsa-2" }, key("ec", 384, "sign")),
    keptBy({ suite: "cnsa-2" }, key("aes", 256, "wrap")),
  ],
  [
    "P15 info",
    at(end2030Ms - 3 * yearMs, key("ec", 384, "sign")),
    at(end2030Ms - 3 * yearMs - 1, key("ec", 384, "sign")),
  ],
  ["P15 warning", at(end2030Ms, key("ec", 384, "sign")), at(end2030Ms - 1, key("ec", 384, "sign"))],
  [
    "P15 critical",
    at(2_082_758_400_000, key("rsa", 4096, "sign")),
    at(2_082_758_399_999, key("rsa", 4096, "sign")),
  ],
  ["P16 warning", keptBy({ wraps: ["rsa-oaep-sha1"] }), keptBy({ wraps: ["rsa-oaep-sha256"] })],
  [
    "P16 info",
    keptBy({ wraps: ["rsa-oaep-sha1"], oaepSha256Works: false }),
    keptBy({ wraps: ["rsa-oaep-sha1"] }),
  ],
  ...(["messagesMax", "bytesMax", "ageMsMax"] as const).map(
    (limit): [string, AdviceInput, AdviceInput] => [
      "P17 warning",
      keptBy({ dataKeys: { ...limits, [limit]: null } }),
      keptBy({ dataKeys: null }),
    ],
  ),
  [
    "P17 critical",
    keptBy({ dataKeys: { ...limits, messagesMax: 2 ** 32 + 1 } }),
    keptBy({ dataKeys: { ...limits, messagesMax: 2 ** 32 } }),
  ],
  [
    "P18 critical",
    keptBy({ login: { retriesRejectedPin: true, attemptsLeft: null } }),
    keptBy({ login: null }),
  ],
  [
    "P18 critical",
    keptBy({ login: { retriesRejectedPin: false, attemptsLeft: 2 } }),
    keptBy({ login: { retriesRejectedPin: false, attemptsLeft: 3 } }),
  ],
  [
    "P19 critical",
    of(key("aes", 256, "encrypt", { label: "a" }), key("aes", 256, "encrypt", { label: "a" })),
    of(key("aes", 256, "encrypt", { label: "a" }), key("aes", 256, "encrypt", { label: "b" })),
  ],
  [
    "P19 critical",
    of(
      key("ec", 384, "sign", { id: "1".repeat(32) }),
      key("ec", 384, "sign", { id: "1".repeat(32) }),
    ),
    of(
      key("ec", 384, "sign", { id: "1".repeat(32) }),
      key("ec", 384, "sign", { id: "2".repeat(32) }),
    ),
  ],
];
