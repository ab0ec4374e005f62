/** The machine's own clocks. */
import type { Clock } from "../core/ports/clock.js";

/** `setTimeout` takes no longer one: it would fire at once. */
const timeoutMsMax = 0x7fff_ffff;
const usPerMs = 1_000;

export class SystemClock implements Clock {
  readonly #wake: () => void;
  #timer: NodeJS.Timeout | null = null;

  /** `wake` is called at or after the time that was wished for last, once, and never from inside a call. */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  nowUs(): number {
    return Math.floor(performance.now() * usPerMs);
  }

  wallUs(): number {
    return Date.now() * usPerMs;
  }

  wakeAt(atUs: number): void {
    this.stop();
    if (atUs === Infinity) return;
    // A timer may be early by the part of a millisecond that it cannot express.
    const waitMs = Math.ceil(Math.max(0, atUs - this.nowUs()) / usPerMs);
    this.#timer = setTimeout(() => this.#due(atUs), Math.min(waitMs, timeoutMsMax));
  }

  /** Asks for nothing any more. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #due(atUs: number): void {
    this.#timer = null;
    if (this.nowUs() < atUs) this.wakeAt(atUs);
    else this.#wake();
  }
}
