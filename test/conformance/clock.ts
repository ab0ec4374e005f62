/** What every implementation of the Clock port must keep. Reaches into none of them. */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Clock } from "../../src/core/ports/clock.js";

type Maybe<T> = T | Promise<T>;

/** The clock of one boot of one node. */
export interface ClockUnderTest {
  readonly clock: Clock;
  /** Makes so much time go by in the world, or more. */
  readonly pass: (us: number) => Maybe<void>;
  /** Makes the world go on until it is so. */
  readonly until: (isSo: () => boolean) => Maybe<void>;
  /** Somebody sets the wall clock; null where that cannot be tried. */
  readonly stepWall: ((byUs: number) => void) | null;
  /** Nothing fires after it. */
  readonly close: () => Maybe<void>;
}

/** `wake` is to be called when a wish has come true. */
export type MakeClock = (wake: () => void) => Maybe<ClockUnderTest>;

const secondUs = 1_000_000;
const dayUs = 86_400 * secondUs;
const yearUs = 365 * dayUs;

/** A clock, and what it read at each wake. */
class Sleeper {
  readonly wakesUs: number[] = [];
  /** Called from inside a wake. */
  onWake: () => void = () => {};
  #nested = 0;
  #isCalling = false;
  #under: ClockUnderTest | null = null;

  static async make(makeClock: MakeClock): Promise<Sleeper> {
    const sleeper = new Sleeper();
    const under = await makeClock(() => sleeper.#woken());
    sleeper.#under = under;
    onTestFinished(async () => {
      await under.close();
      expect(sleeper.#nested).toBe(0);
    });
    return sleeper;
  }

  get under(): ClockUnderTest {
    return this.#under!;
  }

  nowUs(): number {
    return this.under.clock.nowUs();
  }

  /** Asks for a wake so long after now; returns when that is. */
  wish(afterUs: number): number {
    const atUs = this.nowUs() + afterUs;
    this.#isCalling = true;
    this.under.clock.wakeAt(atUs);
    this.#isCalling = false;
    return atUs;
  }

  async woken(times: number): Promise<void> {
    await this.under.until(() => this.wakesUs.length >= times);
  }

  #woken(): void {
    if (this.#isCalling) this.#nested++;
    this.wakesUs.push(this.nowUs());
    this.onWake();
  }
}

export function clockConformance(name: string, makeClock: MakeClock): void {
  describe(`clock conformance: ${name}`, () => {
    readings(makeClock);
    wishes(makeClock);
    replacements(makeClock);
  });
}

function readings(makeClock: MakeClock): void {
  test("clock: nowUs: whole numbers that never fall, and go on as the world does", async () => {
    const sleeper = await Sleeper.make(makeClock);
    let lastUs = sleeper.nowUs();
    expect(lastUs).toBeGreaterThanOrEqual(0);
    for (let span = 0; span < 10; span++) {
      const beganUs = lastUs;
      for (let reading = 0; reading < 1_000; reading++) {
        const nowUs = sleeper.nowUs();
        if (!Number.isSafeInteger(nowUs) || nowUs < lastUs) expect([lastUs, nowUs]).toEqual([]);
        lastUs = nowUs;
      }
      await sleeper.under.pass(10_000);
      // Clocks run at rates of their own, but all of them count microseconds.
      expect(sleeper.nowUs() - beganUs).toBeGreaterThan(5_000);
    }
  });

  test("clock: wallUs: microseconds since 1970", async () => {
    const sleeper = await Sleeper.make(makeClock);
    const wallUs = sleeper.under.clock.wallUs();
    expect(Number.isSafeInteger(wallUs)).toBe(true);
    expect(wallUs).toBeGreaterThan(50 * yearUs);
    expect(wallUs).toBeLessThan(200 * yearUs);
  });

  test("clock: somebody sets the wall clock: it jumps, and nothing else does", async ({ skip }) => {
    const sleeper = await Sleeper.make(makeClock);
    const { stepWall, clock } = sleeper.under;
    if (stepWall === null) return skip("this wall clock cannot be set");
    for (const [wishes, byUs] of [-dayUs, dayUs].entries()) {
      const [wallUs, nowUs] = [clock.wallUs(), clock.nowUs()];
      const atUs = sleeper.wish(20_000);
      stepWall(byUs);
      expect(Math.abs(clock.wallUs() - wallUs - byUs)).toBeLessThan(dayUs / 2);
      expect(clock.nowUs()).toBeGreaterThanOrEqual(nowUs);
      expect(clock.nowUs()).toBeLessThan(nowUs + dayUs / 2);
      await sleeper.woken(wishes + 1);
      expect(sleeper.wakesUs[wishes]).toBeGreaterThanOrEqual(atUs);
    }
  });
}

function wishes(makeClock: MakeClock): void {
  test.each([0, 1, 999, 1_000, 1_001, 7_777, 50_000])(
    "clock: a wish for %i microseconds from now: fires once, and never before",
    async (afterUs) => {
      const sleeper = await Sleeper.make(makeClock);
      const atUs = sleeper.wish(afterUs);
      await sleeper.woken(1);
      await sleeper.under.pass(30_000);
      expect(sleeper.wakesUs.length).toBe(1);
      expect(sleeper.wakesUs[0]).toBeGreaterThanOrEqual(atUs);
    },
  );

  test("clock: a wish in the past: fires, once, and not from inside the call", async () => {
    const sleeper = await Sleeper.make(makeClock);
    for (const [wishes, agoUs] of [1, secondUs, dayUs].entries()) {
      sleeper.wish(-agoUs);
      expect(sleeper.wakesUs.length).toBe(wishes);
      await sleeper.woken(wishes + 1);
      await sleeper.under.pass(10_000);
      expect(sleeper.wakesUs.length).toBe(wishes + 1);
    }
  });

  test("clock: wishes from inside a wake: each comes true, none inside the other", async () => {
    const sleeper = await Sleeper.make(makeClock);
    const wishedUs: number[] = [];
    sleeper.onWake = () => {
      // At once, and a little later.
      if (wishedUs.length < 10) wishedUs.push(sleeper.wish((wishedUs.length % 2) * 1_500));
    };
    wishedUs.push(sleeper.wish(0));
    await sleeper.woken(10);
    await sleeper.under.pass(10_000);
    expect(sleeper.wakesUs.length).toBe(10);
    expect(wishedUs.filter((atUs, at) => sleeper.wakesUs[at]! < atUs)).toEqual([]);
  });

  test("clock: a wish for a time far away: does not fire now", async () => {
    const sleeper = await Sleeper.make(makeClock);
    // Timers of 32 bits are too short for the later ones.
    for (const days of [1, 24, 25, 50, 1_000]) {
      sleeper.wish(days * dayUs);
      await sleeper.under.pass(10_000);
      expect(sleeper.wakesUs).toEqual([]);
    }
  });
}

function replacements(makeClock: MakeClock): void {
  test.each([
    ["a later one", 5_000, 40_000],
    ["a sooner one", 40_000, 5_000],
    ["one at once", 20_000, 0],
    ["a sooner one by far", dayUs, 5_000],
    ["the same", 5_000, 5_000],
  ])("clock: a wish replaced by %s: that one alone fires", async (_name, firstUs, thenUs) => {
    const sleeper = await Sleeper.make(makeClock);
    sleeper.wish(firstUs);
    const atUs = sleeper.wish(thenUs);
    await sleeper.woken(1);
    await sleeper.under.pass(80_000);
    expect(sleeper.wakesUs.length).toBe(1);
    expect(sleeper.wakesUs[0]).toBeGreaterThanOrEqual(atUs);
  });

  test("clock: sooner, later, sooner again: the last wish alone fires", async () => {
    const sleeper = await Sleeper.make(makeClock);
    for (const afterUs of [30_000, 2_000, 50_000, 4_000]) sleeper.wish(afterUs);
    const atUs = sleeper.wish(10_000);
    await sleeper.woken(1);
    await sleeper.under.pass(80_000);
    expect(sleeper.wakesUs.length).toBe(1);
    expect(sleeper.wakesUs[0]).toBeGreaterThanOrEqual(atUs);
  });

  test("clock: a wish for Infinity: asks for nothing, until there is another wish", async () => {
    const sleeper = await Sleeper.make(makeClock);
    sleeper.wish(Infinity);
    await sleeper.under.pass(10_000);
    for (const afterUs of [5_000, 0]) {
      sleeper.wish(afterUs);
      sleeper.wish(Infinity);
      await sleeper.under.pass(30_000);
    }
    expect(sleeper.wakesUs).toEqual([]);
    const atUs = sleeper.wish(3_000);
    await sleeper.woken(1);
    expect(sleeper.wakesUs[0]).toBeGreaterThanOrEqual(atUs);
  });
}
