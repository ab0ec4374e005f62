/** What is known beforehand of each vendor's module. */
import type { VendorName, VendorProfile } from "../profile.js";
import { awsCloudhsm } from "./aws-cloudhsm.js";
import { azureDedicatedHsm } from "./azure-dedicated-hsm.js";
import { generic } from "./generic.js";
import { googleCloudHsm } from "./google-cloud-hsm.js";
import { ncipherNshield } from "./ncipher-nshield.js";
import { softhsm } from "./softhsm.js";
import { thalesLuna } from "./thales-luna.js";
import { yubihsm2 } from "./yubihsm2.js";

export const vendorProfiles: Readonly<Record<VendorName, VendorProfile>> = {
  softhsm,
  "aws-cloudhsm": awsCloudhsm,
  "thales-luna": thalesLuna,
  "azure-dedicated-hsm": azureDedicatedHsm,
  "google-cloud-hsm": googleCloudHsm,
  "ncipher-nshield": ncipherNshield,
  yubihsm2,
  generic,
};

/** The profile of `vendor`, with what the caller knows better. */
export function vendorProfile(
  vendor: VendorName,
  override: Partial<Omit<VendorProfile, "vendor">> = {},
): VendorProfile {
  return { ...vendorProfiles[vendor], ...override };
}
