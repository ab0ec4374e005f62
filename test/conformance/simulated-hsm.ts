/** The simulator's HSM as promises: real cryptography, virtual time that runs while somebody waits. */
import { createHash } from "node:crypto";
import { assert } from "../../src/core/assert.js";
import type { Hsm, HsmErrorCode, HsmEvents, HsmRequest } from "../../src/core/ports/hsm.js";
import { seededRandom } from "../../src/core/random.js";
import { adminDigestOf, newAdminCapability } from "../../src/real/keys/admin.js";
import type { ClosableHsm } from "../../src/real/keys/key-store-of.js";
import type { AdminCapability } from "../../src/real/keys/key-store.js";
import type { TokenCrypto } from "../../src/sim/hsm/crypto.js";
import { realCrypto } from "../../src/sim/hsm/real-crypto.js";
import { SimHsm } from "../../src/sim/hsm.js";
import { SimVault } from "../../src/sim/keys/sim-vault.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import { KeyedStream } from "../../src/sim/streams.js";
import type { MadeHsm } from "./hsm-subjects.js";

const seed = 20_261_125;
/** Of virtual time: beyond, the answer is held to be missing. */
const patienceUs = 60_000_000;

export function simulatedHsm(): Promise<MadeHsm> {
  const admin = newAdminCapability();
  return Promise.resolve({
    connect: (events) => new SimulatedHsm(admin, events),
    admin,
    rsaBits: [2048, 3072],
    clean: () => {},
  });
}

/** Its RSA keys are few; in turns, so that no key is that of the one before. */
function inTurns(): TokenCrypto {
  let turn = 0;
  return {
    ...realCrypto,
    rsaPair: (bits) => realCrypto.rsaPair(bits, () => Uint8Array.of(++turn)),
  };
}

class SimulatedHsm implements ClosableHsm {
  readonly #events: HsmEvents;
  readonly #scheduler = new Scheduler();
  readonly #port: Hsm;
  /** When each was submitted, in virtual time. */
  readonly #waiting = new Map<number, number>();
  #running = false;
  #closed = false;

  constructor(admin: AdminCapability, events: HsmEvents) {
    this.#events = events;
    const digest = (hash: string, bytes: Uint8Array): Uint8Array =>
      new Uint8Array(createHash(hash).update(bytes).digest());
    const hsm = new SimHsm({
      node: 1,
      seed,
      scheduler: this.#scheduler,
      timing: new KeyedStream(seed, "hsm"),
      effective: () => {},
      crypto: { token: inTurns(), digest },
      adminDigest: adminDigestOf(admin),
    });
    const vault = new SimVault(seededRandom([1, 2, 3, 4]), {
      keyHeld: () => {},
      keyDropped: () => {},
      sealed: () => {},
    });
    const listener = {
      lives: () => !this.#closed,
      hsmDone: (op: number, result: Parameters<HsmEvents["hsmDone"]>[1]) => {
        this.#waiting.delete(op);
        events.hsmDone(op, result);
      },
    };
    this.#port = hsm.portFor(listener, vault, 1);
  }

  submit(op: number, request: HsmRequest): void {
    if (this.#closed) return queueMicrotask(() => this.#refuse(op, "unavailable", request.kind));
    this.#waiting.set(op, this.#scheduler.nowUs);
    this.#at(() => this.#port.submit(op, request));
    this.#run();
  }

  /** What was submitted and not answered never is. */
  close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    return Promise.resolve();
  }

  #at(happen: () => void): void {
    this.#scheduler.add(this.#scheduler.nowUs + 1, 0, 0, 0, 0, happen);
  }

  #refuse(op: number, code: HsmErrorCode, during: string): void {
    const error = { code, rv: 0, policy: null, during } as const;
    this.#events.hsmDone(op, { ok: false, error });
  }

  /** Event by event to the next answer, then whoever has it may ask more. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    setImmediate(() => {
      this.#running = false;
      const before = this.#waiting.size;
      while (this.#waiting.size > 0 && this.#waiting.size === before) {
        assert(this.#scheduler.next(), "nothing is due, and an answer is missing");
        const [since] = this.#waiting.values();
        assert(this.#scheduler.nowUs - since! < patienceUs, "an answer is missing for a minute");
        (this.#scheduler.payload as () => void)();
      }
      if (this.#waiting.size > 0) this.#run();
    });
  }
}
