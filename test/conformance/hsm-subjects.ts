/** The makers of HSMs that the conformance suites run over. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HsmEvents, HsmRequest, HsmResult } from "../../src/core/ports/hsm.js";
import { newAdminCapability } from "../../src/real/keys/admin.js";
import type { ClosableHsm } from "../../src/real/keys/key-store-of.js";
import type { AdminCapability } from "../../src/real/keys/key-store.js";
import { createKeyFile } from "../../src/real/keys/software/key-file.js";
import { SoftwareHsm, type SoftwareHsmParts } from "../../src/real/keys/software/software-hsm.js";
import { pkcs11Hsm } from "../real/keys/pkcs11/pkcs11-subject.js";
import { soaking } from "../setup/soak.js";
import type { HsmSubject } from "./hsm-kit.js";
import { simulatedHsm } from "./simulated-hsm.js";

export interface MadeHsm {
  readonly connect: (events: HsmEvents) => ClosableHsm;
  readonly admin: AdminCapability;
  readonly rsaBits: readonly number[];
  /** After the HSM is closed. */
  readonly clean: () => void;
}

export interface HsmMaker {
  readonly name: string;
  /** Null, said plainly: it cannot be made here. */
  readonly make: () => Promise<MadeHsm | null>;
}

/** A further `Hsm` is one line here: its name, and how it is made. */
export const hsmMakers: readonly HsmMaker[] = [
  { name: "SoftwareHsm", make: () => softwareHsm() },
  { name: "Pkcs11Hsm on SoftHSM", make: pkcs11Hsm },
  { name: "the simulator's, with real cryptography", make: simulatedHsm },
];

export async function softwareHsm(parts: Partial<SoftwareHsmParts> = {}): Promise<MadeHsm> {
  const folder = mkdtempSync(join(tmpdir(), "quorumlab-hsm-"));
  const passphrase = (): Promise<Uint8Array> =>
    Promise.resolve(new Uint8Array(Buffer.from("of the conformance suite")));
  const file = await createKeyFile({ path: join(folder, "keys"), passphrase });
  const admin = newAdminCapability();
  return {
    connect: (events) => new SoftwareHsm({ file, admin, ...parts }, events),
    admin,
    // Two pairs of 4,096 bits take seconds.
    rsaBits: soaking ? [2048, 3072, 4096] : [2048, 3072],
    clean: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The port as promises, with nothing between: exactly one answer for each request. */
export function subjectOf(made: MadeHsm): HsmSubject & { readonly close: () => Promise<void> } {
  const waiting = new Map<number, (result: HsmResult) => void>();
  let lastOp = 0;
  const hsm = made.connect({
    hsmDone: (op, result) => {
      const settle = waiting.get(op);
      if (settle === undefined) throw new Error(`an answer to ${op}, which asks for none`);
      waiting.delete(op);
      settle(result);
    },
  });
  return {
    admin: made.admin.secret,
    rsaBits: made.rsaBits,
    ask: (request: HsmRequest) =>
      new Promise((settle) => {
        const op = ++lastOp;
        waiting.set(op, settle);
        hsm.submit(op, request);
      }),
    close: async () => {
      await hsm.close();
      made.clean();
    },
  };
}
