/**
 * The clock of one simulated node: its own rate and offset against world time. Integer arithmetic
 * throughout; the monotonic reading never falls, whatever happens to rate and wall.
 */
import type { Clock } from "../core/ports/clock.js";

const million = 1_000_000;

/**
 * 1. Local time is `localAnchor` plus the world time since `worldAnchor` at the present rate.
 * 2. A change of rate moves both anchors to the present, so that no reading jumps.
 */
export class SimClock implements Clock {
  readonly #worldNowUs: () => number;
  readonly #wish: (atUs: number) => void;
  #worldAnchorUs = 0;
  #localAnchorUs: number;
  #wallOffsetUs: number;
  #rateMillionths = 0;
  /** The last wish, in local time; Infinity when there is none. */
  wakeAtUs: number = Infinity;

  /** `wish` hears of every wish to be woken. */
  constructor(
    worldNowUs: () => number,
    offsets: { readonly monotonicUs: number; readonly wallUs: number },
    wish: (atUs: number) => void,
  ) {
    this.#worldNowUs = worldNowUs;
    this.#localAnchorUs = offsets.monotonicUs;
    this.#wallOffsetUs = offsets.wallUs;
    this.#wish = wish;
  }

  nowUs(): number {
    return this.localUs(this.#worldNowUs());
  }

  wallUs(): number {
    return this.nowUs() + this.#wallOffsetUs;
  }

  /** What the wall is ahead of the monotonic reading. */
  get wallOffsetUs(): number {
    return this.#wallOffsetUs;
  }

  wakeAt(atUs: number): void {
    this.wakeAtUs = atUs;
    this.#wish(atUs);
  }

  /** This node's reading at a moment of world time that is not before the last change of rate. */
  localUs(worldUs: number): number {
    const passed = worldUs - this.#worldAnchorUs;
    return this.#localAnchorUs + passed + this.#driftedUs(passed);
  }

  /** The first moment of world time at which this node reads `localUs` or more. */
  worldUs(localUs: number): number {
    const ahead = localUs - this.#localAnchorUs;
    if (ahead <= 0) return this.#worldAnchorUs;
    let world =
      this.#worldAnchorUs + Math.floor((ahead * million) / (million + this.#rateMillionths));
    while (this.localUs(world) < localUs) world++;
    return world;
  }

  /** How much faster than world time it runs, in millionths. */
  get rateMillionths(): number {
    return this.#rateMillionths;
  }

  /** How far the present reading is from one without the present drift. */
  get driftedUs(): number {
    return this.#driftedUs(this.#worldNowUs() - this.#worldAnchorUs);
  }

  setRate(millionths: number): void {
    const world = this.#worldNowUs();
    this.#localAnchorUs = this.localUs(world);
    this.#worldAnchorUs = world;
    this.#rateMillionths = millionths;
  }

  stepWall(byUs: number): void {
    this.#wallOffsetUs += byUs;
  }

  /** A new boot: monotonic time begins anew. */
  restart(monotonicUs: number): void {
    this.#worldAnchorUs = this.#worldNowUs();
    this.#localAnchorUs = monotonicUs;
    this.wakeAtUs = Infinity;
  }

  #driftedUs(passedUs: number): number {
    return Math.floor((passedUs * this.#rateMillionths) / million);
  }
}
