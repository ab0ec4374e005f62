/** The pages of reference say what the code does. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeBlob, encodeBlob, ivBytesOf } from "../../../src/core/hsm/blob.js";
import type { WrapMechanism } from "../../../src/core/hsm/keys.js";
import { ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { classOfReturn, levelOf } from "../../../src/core/hsm/returns.js";
import { FakeToken } from "./fake-token.js";
import { fakeRig } from "./rig.js";

const page = (name: string): string =>
  readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), "utf8");

test("the table of return values is that of the code", () => {
  const rows = [...page("hsm-machine.md").matchAll(/^\| (0x[0-9a-f]+) \| (\w+) \| (\d) \|$/gm)];
  const written = rows.map(([, number, name, level]) => [Number(number), name, Number(level)]);
  const numbers = Object.values(ckr).filter(
    (rv) => rv !== ckr.ok && rv < ckr.vendorDefined && classOfReturn(rv) !== "fatal",
  );
  const coded = numbers.map((rv) => [rv, classOfReturn(rv), levelOf[classOfReturn(rv)]]);
  expect(written).toEqual(coded.sort(([a], [b]) => Number(a) - Number(b)));
});

test("every state that is seen is in the table", () => {
  const states = [...page("hsm-machine.md").matchAll(/^\| `(\w+)` \| /gm)].map(([, name]) => name);
  const rig = fakeRig(new FakeToken());
  rig.fault = () => ({ kind: "answer", rv: ckr.generalError });
  rig.send({ kind: "open" });
  rig.run(10_000_000);
  for (const event of rig.events) if (event.name === "state") expect(states).toContain(event.to);
  expect(states).toHaveLength(10);
});

test("the numbers of mechanisms are those of the code", () => {
  const rows = [...page("hsm-blob.md").matchAll(/^\| (\d) \| `([a-z0-9-]+)` \|/gm)];
  expect(rows).toHaveLength(6);
  for (const [, number, name] of rows) {
    const mechanism = name as WrapMechanism;
    const iv = new Uint8Array(ivBytesOf(mechanism));
    const body = new Uint8Array(1);
    const associated = new Uint8Array(32);
    const keyId = "00".repeat(16);
    const head = {
      mechanism,
      content: "secret",
      keyId,
      label: "a",
      version: 1,
      associated,
    } as const;
    const written = encodeBlob({ ...head, iv, body });
    expect(written[5]).toBe(Number(number));
    expect(decodeBlob(written)?.mechanism).toBe(mechanism);
  }
});
