/** Checks of an `Hsm`: keys are made and found. */
import { createHash, createPublicKey } from "node:crypto";
import { expect } from "vitest";
import type { KeySpec } from "../../src/core/hsm/keys.js";
import type { HsmRequest } from "../../src/core/ports/hsm.js";
import {
  encryptSpec,
  wrapSpec,
  rsaSign,
  rsaWrap,
  p256,
  p384,
  newLabel,
  value,
  refused,
  generate,
  type HsmCheck,
} from "./hsm-kit.js";

export const generating: HsmCheck[] = [
  {
    name: "open: ready, again and again",
    check: async (subject) => {
      for (let n = 0; n < 3; n++) await value(subject, { kind: "open" }, "done");
    },
  },
  {
    name: "generate: every kind of key, described as it is",
    check: async (subject) => {
      const rsa = subject.rsaBits.flatMap((bits) => [
        { ...rsaSign, bits },
        { ...rsaWrap, bits },
      ]);
      for (const spec of [encryptSpec, wrapSpec, p256, p384, ...rsa]) {
        const label = newLabel();
        const { reference, publicKey, attributes } = await generate(subject, spec, label, 7);
        expect(reference).toMatchObject({ label, version: 7, spec });
        expect(reference.id).toMatch(/^[0-9a-f]{32}$/);
        expect(attributes.extractable).not.toBe(true);
        expect(attributes.sensitive).not.toBe(false);
        if (spec.algorithm === "aes") {
          expect([publicKey, reference.publicDigest]).toEqual([null, null]);
          continue;
        }
        const digest = createHash("sha256").update(publicKey!).digest("hex");
        expect(reference.publicDigest).toBe(digest);
        const { modulusLength, namedCurve } = createPublicKey({
          key: Buffer.from(publicKey!),
          format: "der",
          type: "spki",
        }).asymmetricKeyDetails!;
        const curve = spec.bits === 256 ? "prime256v1" : "secp384r1";
        expect(spec.algorithm === "rsa" ? modulusLength : namedCurve).toBe(
          spec.algorithm === "rsa" ? spec.bits : curve,
        );
      }
    },
  },
  {
    name: "generate: if it is missing, else the same; never another in its place",
    check: async (subject) => {
      const name = { label: newLabel(), version: 1 };
      const ask = { kind: "generate", name, spec: encryptSpec, ifMissing: true } as const;
      const { key } = await value(subject, ask, "key");
      expect((await value(subject, ask, "key")).key.reference).toEqual(key.reference);
      await refused(subject, { ...ask, spec: wrapSpec }, "mismatch");
      await refused(subject, { ...ask, ifMissing: false });
      const found = await value(subject, { kind: "find", label: name.label }, "keys");
      expect(found.keys.map(({ reference }) => reference)).toEqual([key.reference]);
    },
  },
  {
    name: "generate: sizes, purposes and names that are none",
    check: async (subject) => {
      const wrong: KeySpec[] = [
        { ...rsaSign, bits: 1024 },
        { ...rsaSign, bits: 2047 },
        { ...encryptSpec, bits: 128 },
        { ...p256, bits: 521 },
        { ...p256, purpose: "wrap" },
        { ...encryptSpec, purpose: "sign" },
      ];
      const asked = { kind: "generate", ifMissing: false } as const;
      const codes = ["badInput", "refusedByPolicy", "unsupported"] as const;
      for (const spec of wrong) {
        await refused(
          subject,
          { ...asked, name: { label: newLabel(), version: 1 }, spec },
          ...codes,
        );
      }
      for (const label of ["", "a b", "a/b", "ä", "x".repeat(49)]) {
        await refused(
          subject,
          { ...asked, name: { label, version: 1 }, spec: encryptSpec },
          "badInput",
        );
      }
      for (const version of [0, -1, 1.5]) {
        const name = { label: newLabel(), version };
        await refused(subject, { ...asked, name, spec: encryptSpec }, "badInput");
      }
    },
  },
  {
    name: "find: every version of a label, all labels, and nothing",
    check: async (subject) => {
      const label = newLabel();
      for (const version of [1, 2, 3]) await generate(subject, encryptSpec, label, version);
      const other = await generate(subject, encryptSpec);
      const versions = async (request: HsmRequest): Promise<string[]> =>
        (await value(subject, request, "keys")).keys.map(
          ({ reference }) => `${reference.label}/${reference.version}`,
        );
      const expected = [1, 2, 3].map((version) => `${label}/${version}`);
      expect((await versions({ kind: "find", label })).sort()).toEqual(expected);
      expect(await versions({ kind: "find" })).toEqual(
        expect.arrayContaining([...expected, `${other.reference.label}/1`]),
      );
      expect(await versions({ kind: "find", label: newLabel() })).toEqual([]);
    },
  },
];
