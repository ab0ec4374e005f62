/** A PKCS#11 library in a process of its own, as whoever drives it sees it. */
import type { TokenAnswer, TokenCall } from "../../../core/hsm/cryptoki/calls.js";
import type { VendorProfile } from "../../../core/hsm/profile.js";
import type { StartFailure } from "./child-setup.js";
import type { PinSource } from "./pin.js";

export interface TokenModule {
  /**
   * Kills the process, if there is one, and starts another: calls in flight are lost with the old one,
   * which tells nothing more. Ends in `ready` or `lost`. Processes that die young make the next one wait,
   * for a drawn and bounded time. Nothing runs before the first `restart`.
   */
  restart(): void;
  /**
   * Executed after all calls before it. Its answer, or `lost`, comes later, never from within. A call
   * while nothing is ready is not made and not answered. At most `callsInFlightMax` at once.
   */
  call(id: number, call: TokenCall): void;
  /** Ends the process, in order if it can be. No event comes after that. Resolves when it is gone. */
  close(): Promise<void>;
}

export interface TokenModuleEvents {
  /** The library is loaded, and nothing in it initialised yet. */
  ready(): void;
  /** In the order of the calls. */
  answered(id: number, answer: TokenAnswer): void;
  /** The process is gone, and with it every call that was not answered: it may have been done or not. */
  lost(loss: ModuleLoss): void;
  /** For people: why there was no login, and the like. Never a secret. */
  notice?(text: string): void;
}

export interface ModuleLoss {
  readonly code:
    | StartFailure["code"]
    /** It ended or crashed by itself. */
    | "died"
    /** A call, or the start, took too long, and it was killed. */
    | "deadline"
    /** It said something that cannot be understood, and was killed. */
    | "unreadable";
  /** For people, with the command that helps where one does. */
  readonly message: string;
}

export interface TokenModuleOptions {
  /** Path of the vendor's library. */
  readonly library: string;
  readonly profile: VendorProfile;
  /** Null: no login. */
  readonly pin: PinSource | null;
  /** For PINs that are made with it: the name of the user, or the id of the key. */
  readonly user?: string;
  /** Where rejected PINs are remembered; one process at a time. Made if need be. */
  readonly pinGuardFolder: string;
  /** Variables for the library, besides those of its profile. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly limits?: Partial<TokenModuleLimits>;
}

export interface TokenModuleLimits {
  /** From the moment that a call is the next to be answered. */
  readonly callDeadlineMs: number;
  /** The same for the generation of keys. */
  readonly generateDeadlineMs: number;
  /** From the start of a process until it is ready. */
  readonly startDeadlineMs: number;
  /** The wait before a process that follows one that died young: drawn from zero to this, doubled for each. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** A process that was ready for so long did not die young. */
  readonly settledMs: number;
  /** How long an end in order may take. */
  readonly closeGraceMs: number;
  readonly callsInFlightMax: number;
}

/** Above the deadlines of the machine that drives it: these are for when it does not. */
export const tokenModuleLimitsDefault: TokenModuleLimits = {
  callDeadlineMs: 30_000,
  generateDeadlineMs: 120_000,
  startDeadlineMs: 30_000,
  backoffMs: 100,
  backoffMaxMs: 10_000,
  settledMs: 10_000,
  closeGraceMs: 2_000,
  callsInFlightMax: 1024,
};
