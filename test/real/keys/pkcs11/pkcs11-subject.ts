/** `Pkcs11Hsm` on a fresh token of SoftHSM, for the conformance suites. */
import { inject } from "vitest";
import { newAdminCapability } from "../../../../src/real/keys/admin.js";
import { Pkcs11Hsm } from "../../../../src/real/keys/pkcs11/pkcs11-hsm.js";
import type { MadeHsm } from "../../../conformance/hsm-subjects.js";
import { makePlace } from "./driver.js";

/** Null where SoftHSM or pkcs11js is missing. */
export async function pkcs11Hsm(): Promise<MadeHsm | null> {
  const library = inject("softhsm");
  if (library === null) return null;
  const place = await makePlace(library);
  const { limits: _, ...module } = place.options;
  const admin = newAdminCapability();
  const slot = { by: "label", label: place.token.label } as const;
  return {
    connect: (events) => new Pkcs11Hsm({ ...module, slot, admin }, events),
    admin,
    rsaBits: [2048],
    clean: () => place.remove(),
  };
}
