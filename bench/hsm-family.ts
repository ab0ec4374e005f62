/**
 * PKCS#11 on SoftHSM against the same calls from C, in the same run: our native layer inside a process
 * (processor time), and through the child with some calls in flight (time on the clock); and how late
 * the event loop is while the token is busy.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { makeSoftHsmToken } from "../src/real/keys/softhsm/token.js";
import { findSoftHsm } from "../src/real/keys/softhsm/find.js";
import { type Figure, median } from "./figure.js";
import { type Operation, operations } from "./hsm-operations.js";
import { type Rate, type Side, fromC, layerInProcess, throughChild } from "./hsm-sides.js";

const pairs = 9;
const inFlight = [16, 64] as const;
const delayWindows = 7;
const delayWindowMs = 1_500;
const label = "bench";
const pin = "1234";

export async function benchHsm(): Promise<readonly Figure[]> {
  const library = await findSoftHsm().then(
    (found) => found.library,
    (error: Error) => {
      process.stderr.write(`hsm: not measured: ${error.message}\n`);
      return null;
    },
  );
  return library === null ? [] : await measure(library);
}

async function measure(library: string): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "quorumlab-bench-"));
  try {
    const token = await makeSoftHsmToken(folder, { library, label, soPin: "12345678", pin });
    process.env["SOFTHSM2_CONF"] = token.environment.SOFTHSM2_CONF;
    const setup = { library, label, pin, folder };
    const c = await fromC(setup);
    const layer = await layerInProcess(setup);
    const child = await throughChild(setup);
    try {
      return [
        ...(await layerFigures(c, layer)),
        ...(await childFigures(c, child)),
        await delayFigure(child),
      ];
    } finally {
      await Promise.all([c, layer, child].map((side) => side.close()));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function layerFigures(c: Side, layer: Side): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const operation of operations) {
    const rates = await alternate(layer, c, operation, 1, "perCpuSecond");
    figures.push({
      name: `hsm/layer/${operation.name}`,
      value: rates.ours,
      unit: "ops/s of processor",
      against: "the same calls from C",
      ratio: rates.ratio,
    });
  }
  return figures;
}

async function childFigures(c: Side, child: Side): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const depth of inFlight) {
    for (const operation of operations) {
      const rates = await alternate(child, c, operation, depth, "perSecond");
      figures.push({
        name: `hsm/child/${operation.name}/${depth}-in-flight`,
        value: rates.ours,
        unit: "ops/s",
        against: "the same calls from C",
        ratio: rates.ratio,
      });
    }
  }
  return figures;
}

/** How late timers are with the token always busy, against the same process with nothing to do. */
async function delayFigure(child: Side): Promise<Figure> {
  const busy: number[] = [];
  const ratios: number[] = [];
  for (let window = 0; window < delayWindows; window++) {
    const idleMs = await delayMs();
    let ended = false;
    const work = keepBusy(child, () => ended);
    const busyMs = await delayMs();
    ended = true;
    await work;
    busy.push(busyMs);
    ratios.push(busyMs / idleMs);
  }
  return {
    name: "hsm/event-loop-p99",
    value: median(busy),
    unit: "ms",
    against: "the same process while the token is idle",
    ratio: median(ratios),
  };
}

async function keepBusy(child: Side, ended: () => boolean): Promise<void> {
  while (!ended()) for (const operation of operations) await child.run(operation, 100, 16);
}

async function delayMs(): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await new Promise((resolve) => setTimeout(resolve, delayWindowMs));
  delays.disable();
  return delays.percentile(99) / 1e6;
}

async function alternate(
  ours: Side,
  theirs: Side,
  operation: Operation,
  depth: number,
  by: keyof Rate,
): Promise<{ readonly ours: number; readonly ratio: number }> {
  const rates: number[] = [];
  const ratios: number[] = [];
  const count = operation.count;
  await ours.run(operation, count, depth);
  for (let pair = 0; pair < pairs; pair++) {
    // Whoever goes first is changed each time, so that a slowing machine favours neither.
    const sides = pair % 2 === 0 ? [ours, theirs] : [theirs, ours];
    const first = (await sides[0]!.run(operation, count, depth))[by];
    const second = (await sides[1]!.run(operation, count, depth))[by];
    const [mine, other] = pair % 2 === 0 ? [first, second] : [second, first];
    rates.push(mine);
    ratios.push(mine / other);
  }
  return { ours: median(rates), ratio: median(ratios) };
}
