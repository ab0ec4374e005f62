/** Checks of an `Hsm`: data encrypted, keys wrapped. */
import { expect } from "vitest";
import type { KeyReference } from "../../src/core/hsm/keys.js";
import type { HsmValue } from "../../src/core/ports/hsm.js";
import {
  encryptSpec,
  wrapSpec,
  exportableSpec,
  rsaWrap,
  p256,
  none,
  text,
  random,
  newLabel,
  value,
  refused,
  keyOf,
  bytesOf,
  spoilt,
  unreadable,
  type HsmCheck,
} from "./hsm-kit.js";

export const encrypting: HsmCheck[] = [
  {
    name: "encrypt: any length comes back, and no two ciphertexts are the same",
    check: async (subject) => {
      const key = await keyOf(subject, encryptSpec);
      const associatedData = text("header");
      for (const length of [0, 1, 15, 16, 17, 4096]) {
        const bytes = random(length);
        const request = { key, associatedData, bytes };
        const one = await bytesOf(subject, { kind: "encrypt", ...request });
        const two = await bytesOf(subject, { kind: "encrypt", ...request });
        expect(Buffer.from(one).equals(two)).toBe(false);
        if (length > 15) expect(Buffer.from(one).includes(Buffer.from(bytes))).toBe(false);
        for (const blob of [one, two]) {
          const back = await bytesOf(subject, { kind: "decrypt", ...request, bytes: blob });
          expect([...back]).toEqual([...bytes]);
        }
      }
    },
  },
  {
    name: "decrypt: one answer for whatever is wrong",
    check: async (subject) => {
      const key = await keyOf(subject, encryptSpec);
      const other = await keyOf(subject, encryptSpec);
      const associatedData = text("header");
      const plaintext = { key, associatedData, bytes: text("plain") };
      const bytes = await bytesOf(subject, { kind: "encrypt", ...plaintext });
      const asked = { kind: "decrypt", key, associatedData, bytes } as const;
      await value(subject, asked, "bytes");
      await refused(subject, { ...asked, associatedData: none }, "authenticationFailed");
      await refused(subject, { ...asked, associatedData: text("Header") }, "authenticationFailed");
      await refused(subject, { ...asked, key: other }, "authenticationFailed");
      await refused(subject, { ...asked, bytes: random(64) }, "authenticationFailed");
      for (const wrong of spoilt(bytes))
        await refused(subject, { ...asked, bytes: wrong }, ...unreadable);
    },
  },
];

export const wrapping: HsmCheck[] = [wrapSpec, rsaWrap].map((spec) => ({
  name: `wrap under ${spec.algorithm}: bytes come back, and nothing else is taken for them`,
  check: async (subject) => {
    const kek = await keyOf(subject, spec);
    const other = await keyOf(subject, spec);
    const bytes = random(32);
    const material = { kind: "bytes", bytes } as const;
    const blob = await bytesOf(subject, { kind: "wrap", kek, material });
    expect(Buffer.from(blob).includes(Buffer.from(bytes))).toBe(false);
    const asked = { kind: "unwrap", kek, blob, into: { kind: "bytes" } } as const;
    expect([...(await bytesOf(subject, asked))]).toEqual([...bytes]);
    await refused(subject, { ...asked, kek: other }, "authenticationFailed");
    await refused(subject, { ...asked, blob: random(60) }, "authenticationFailed");
    for (const wrong of spoilt(blob))
      await refused(subject, { ...asked, blob: wrong }, ...unreadable);
  },
}));
wrapping.push(
  {
    name: "wrap: other lengths come back as they were, or are refused",
    check: async (subject) => {
      const kek = await keyOf(subject, wrapSpec);
      for (const length of [1, 8, 16, 31, 33, 48]) {
        const bytes = random(length);
        const wrapped = await subject.ask({
          kind: "wrap",
          kek,
          material: { kind: "bytes", bytes },
        });
        if (!wrapped.ok) continue;
        const { bytes: blob } = wrapped.value as Extract<HsmValue, { kind: "bytes" }>;
        const into = { kind: "bytes" } as const;
        const back = await bytesOf(subject, { kind: "unwrap", kek, blob, into });
        expect([...back]).toEqual([...bytes]);
      }
    },
  },
  {
    name: "wrap: an exportable key, unwrapped to a key that is the same",
    check: async (subject) => {
      const kek = await keyOf(subject, wrapSpec);
      const key = await keyOf(subject, exportableSpec);
      const shown = async (material: KeyReference): Promise<string> => {
        const wrapped = { kind: "wrap", kek, material: { kind: "key", key: material } } as const;
        const blob = await bytesOf(subject, wrapped);
        const into = { kind: "bytes" } as const;
        return Buffer.from(await bytesOf(subject, { kind: "unwrap", kek, blob, into })).toString(
          "hex",
        );
      };
      const wrapped = { kind: "wrap", kek, material: { kind: "key", key } } as const;
      const blob = await bytesOf(subject, wrapped);
      const name = { label: newLabel(), version: 1 };
      const into = { kind: "key", name, spec: exportableSpec } as const;
      const again = await value(subject, { kind: "unwrap", kek, blob, into }, "key");
      expect(again.key.reference).toMatchObject({ ...name, spec: exportableSpec });
      expect(again.key.attributes.neverExtractable).not.toBe(true);
      expect(await shown(again.key.reference)).toBe(await shown(key));
      const bytes = await bytesOf(subject, {
        kind: "encrypt",
        key: again.key.reference,
        associatedData: none,
        bytes: text("plain"),
      });
      const asked = { key: again.key.reference, associatedData: none, bytes };
      expect([...(await bytesOf(subject, { kind: "decrypt", ...asked }))]).toEqual([
        ...text("plain"),
      ]);
      // The name is taken now.
      await refused(subject, { kind: "unwrap", kek, blob, into });
    },
  },
  {
    name: "wrap: a key that was made to stay inside stays inside",
    check: async (subject) => {
      const kek = await keyOf(subject, wrapSpec);
      for (const spec of [encryptSpec, wrapSpec, p256]) {
        const key = await keyOf(subject, spec);
        const material = { kind: "key", key } as const;
        // Where pairs are not wrapped at all, that is said first.
        const codes =
          spec === p256
            ? (["refusedByPolicy", "unsupported"] as const)
            : (["refusedByPolicy"] as const);
        await refused(subject, { kind: "wrap", kek, material }, ...codes);
      }
      const itself = { kind: "key", key: kek } as const;
      await refused(subject, { kind: "wrap", kek, material: itself }, "refusedByPolicy");
    },
  },
  {
    name: "unwrap: a blob of data is no wrapped key, and the other way round",
    check: async (subject) => {
      const kek = await keyOf(subject, wrapSpec);
      const key = await keyOf(subject, encryptSpec);
      const plaintext = { key, associatedData: none, bytes: random(32) };
      const data = await bytesOf(subject, { kind: "encrypt", ...plaintext });
      const material = { kind: "bytes", bytes: random(32) } as const;
      const wrapped = await bytesOf(subject, { kind: "wrap", kek, material });
      const into = { kind: "bytes" } as const;
      await refused(subject, { kind: "unwrap", kek, blob: data, into }, "authenticationFailed");
      const asked = { kind: "decrypt", key, associatedData: none, bytes: wrapped } as const;
      await refused(subject, asked, "authenticationFailed");
    },
  },
);
