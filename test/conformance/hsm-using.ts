/** Checks of an `Hsm`: what keys may be used for, and their end. */
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { KeyReference } from "../../src/core/hsm/keys.js";
import type { HsmRequest } from "../../src/core/ports/hsm.js";
import { signatures } from "./hsm-signing.js";
import {
  encryptSpec,
  wrapSpec,
  exportableSpec,
  rsaSign,
  p256,
  p384,
  none,
  text,
  random,
  newLabel,
  value,
  refused,
  generate,
  keyOf,
  bytesOf,
  type HsmCheck,
} from "./hsm-kit.js";

export const using: HsmCheck[] = [
  {
    name: "use: one purpose for each key",
    check: async (subject) => {
      const encrypts = await keyOf(subject, encryptSpec);
      const wraps = await keyOf(subject, wrapSpec);
      const signs = await keyOf(subject, p256);
      const bytes = random(32);
      const material = { kind: "bytes", bytes } as const;
      const algorithm = "ecdsa-p256-sha256";
      const sign = { kind: "sign", algorithm, format: "der", message: bytes } as const;
      const codes = ["refusedByPolicy", "badInput", "unsupported"] as const;
      for (const kek of [encrypts, signs]) {
        await refused(subject, { kind: "wrap", kek, material }, ...codes);
        const into = { kind: "bytes" } as const;
        await refused(subject, { kind: "unwrap", kek, blob: bytes, into }, ...codes);
      }
      for (const key of [wraps, signs]) {
        for (const kind of ["encrypt", "decrypt"] as const) {
          await refused(subject, { kind, key, associatedData: none, bytes }, ...codes);
        }
      }
      for (const key of [encrypts, wraps]) await refused(subject, { ...sign, key }, ...codes);
    },
  },
  {
    name: "use: an algorithm for each kind of key",
    check: async (subject) => {
      const keys = {
        rsa: await keyOf(subject, rsaSign),
        p256: await keyOf(subject, p256),
        p384: await keyOf(subject, p384),
      };
      for (const { algorithm, spec } of signatures) {
        for (const key of Object.values(keys)) {
          if (key.spec.algorithm === spec.algorithm && key.spec.bits === spec.bits) continue;
          const message = text("m");
          const request = { kind: "sign", key, algorithm, format: "der", message } as const;
          await refused(subject, request, "badInput", "refusedByPolicy", "unsupported");
        }
      }
    },
  },
  {
    name: "use: a reference that is not the key's",
    check: async (subject) => {
      const key = await keyOf(subject, encryptSpec);
      const use = (changes: Partial<KeyReference>): HsmRequest => ({
        kind: "encrypt",
        key: { ...key, ...changes },
        associatedData: none,
        bytes: none,
      });
      await value(subject, use({}), "bytes");
      await refused(subject, use({ id: randomBytes(16).toString("hex") }), "notFound");
      await refused(subject, use({ label: newLabel() }), "mismatch", "notFound");
      await refused(subject, use({ version: 2 }), "mismatch", "notFound");
      await refused(subject, use({ spec: exportableSpec }), "mismatch");
      await refused(subject, use({ publicDigest: "0".repeat(64) }), "mismatch", "badInput");
      const pair = await keyOf(subject, p256);
      const digest = pair.publicDigest!.replace(/^./, (first) => (first === "0" ? "1" : "0"));
      const forged = { ...pair, publicDigest: digest };
      const sign = { kind: "sign", algorithm: "ecdsa-p256-sha256", format: "der" } as const;
      await refused(subject, { ...sign, key: forged, message: none }, "mismatch");
    },
  },
  {
    name: "delete: for administrators; the key is gone and its name with it",
    check: async (subject) => {
      const label = newLabel();
      const { reference: key } = await generate(subject, encryptSpec, label);
      const use = { kind: "encrypt", key, associatedData: none, bytes: none } as const;
      for (const admin of ["", "guess", `${subject.admin}x`, subject.admin.slice(1)]) {
        await refused(subject, { kind: "delete", key, admin }, "notAdmin");
      }
      await value(subject, use, "bytes");
      const { admin } = subject;
      await refused(subject, { kind: "delete", key: { ...key, version: 9 }, admin });
      await value(subject, { kind: "delete", key, admin }, "done");
      await refused(subject, use, "notFound");
      await refused(subject, { kind: "delete", key, admin }, "notFound");
      expect((await value(subject, { kind: "find", label }, "keys")).keys).toEqual([]);
      const name = { label, version: 1 };
      const again = { kind: "generate", name, spec: encryptSpec, ifMissing: true } as const;
      await refused(subject, again);
      await generate(subject, encryptSpec, label, 2);
    },
  },
  {
    name: "capabilities and health: found by trial, and working",
    check: async (subject) => {
      const { capabilities } = await value(subject, { kind: "capabilities" }, "capabilities");
      const works = capabilities.filter((each) => each.works).map(({ name }) => name);
      expect(works.some((name) => name.startsWith("wrap "))).toBe(true);
      expect(works).toContain("sign ecdsa-p256-sha256");
      const { health } = await value(subject, { kind: "health" }, "health");
      expect(health.working).toBe(true);
    },
  },
  {
    name: "many at once: each has its own answer",
    check: async (subject) => {
      const key = await keyOf(subject, encryptSpec);
      const turns = Array.from({ length: 40 }, async (_, n) => {
        const bytes = text(`message ${n}`);
        const asked = { key, associatedData: text(`${n}`) };
        const blob = await bytesOf(subject, { kind: "encrypt", ...asked, bytes });
        const back = await bytesOf(subject, { kind: "decrypt", ...asked, bytes: blob });
        expect([...back]).toEqual([...bytes]);
      });
      await Promise.all(turns);
    },
  },
];
