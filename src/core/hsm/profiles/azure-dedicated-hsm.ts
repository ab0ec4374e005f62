/** Azure Dedicated HSM: a Luna 7 A790 that Microsoft houses and its customer runs. */
import type { VendorProfile } from "../profile.js";
import { thalesLuna } from "./thales-luna.js";

export const azureDedicatedHsm: VendorProfile = {
  ...thalesLuna,
  vendor: "azure-dedicated-hsm",
  title: "Azure Dedicated HSM (Luna 7 A790)",
  quirks: [
    ...thalesLuna.quirks,
    {
      what: "every field is that of Thales Luna: the customer installs the Luna 7 client and runs the high availability",
      source: "learn.microsoft.com, dedicated-hsm/faq",
      mark: "read",
    },
    {
      what: "its successor Azure Cloud HSM is another module: PIN `user:password`, one C_Login for each slot; where its library lies was not found",
      source: "learn.microsoft.com, cloud-hsm/authentication",
      mark: "read",
    },
  ],
};
