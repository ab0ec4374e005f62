import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, inject, test } from "vitest";
import { softhsm } from "../../../../src/core/hsm/profiles/softhsm.js";
import { chooseSlot } from "../../../../src/core/hsm/slot-choice.js";
import { TokenModuleError, readSlots } from "../../../../src/real/keys/pkcs11/slots.js";
import { makeSoftHsmToken } from "../../../../src/real/keys/softhsm/token.js";
import { makePlace, pin, soPin } from "./driver.js";

const library = inject("softhsm");
const folder = mkdtempSync(join(tmpdir(), "quorumlab-slots-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("reading slots", () => {
  test("of a library that is none is rejected, with its code", async () => {
    const path = join(folder, "none.so");
    writeFileSync(path, "");
    const options = { library: path, profile: softhsm, pinGuardFolder: folder };
    const error = await readSlots(options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TokenModuleError);
    expect(["libraryUnusable", "pkcs11jsMissing"]).toContain((error as TokenModuleError).code);
  });

  test.skipIf(library === null)(
    "where a library refuses to start, its number is told",
    async () => {
      const environment = { SOFTHSM2_CONF: join(folder, "absent.conf") };
      const options = { library: library!, profile: softhsm, pinGuardFolder: folder, environment };
      await expect(readSlots(options)).rejects.toMatchObject({ code: "refused", rv: 5 });
    },
  );

  test.skipIf(library === null)("gives what a person chooses from", async () => {
    const place = await makePlace(library!, "twice");
    const token = { library: library!, label: "twice", soPin, pin };
    const second = await makeSoftHsmToken(join(place.folder, "hsm"), token);
    const slots = await readSlots(place.options);
    const serial = { by: "serial", serial: second.serial } as const;
    expect(chooseSlot(slots, serial)).toMatchObject({ ok: true, slot: { label: "twice" } });
    const { message } = chooseSlot(slots, { by: "label", label: "twice" }) as { message: string };
    expect(message).toContain(second.serial);
    expect(message).toContain(place.token.serial);
    place.remove();
  });
});
