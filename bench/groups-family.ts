/**
 * What groups cost that nobody asks anything of (CONTRACTS 1 and 11): bytes of each on each node,
 * and events while all sleep, which may not grow with their number.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Figure } from "./figure.js";
import { GroupsWorld } from "./groups-world.js";

const sizes = [1, 1_000, 100_000] as const;
const bytesAimed = 1_024;
const nodes = 3;
const warmUpGroups = 200;
const watchUs = 10_000_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

export function benchGroups(): readonly Figure[] {
  // What is compiled and cached once is no group's.
  measure(warmUpGroups);
  const empty = measure(0);
  const figures: Figure[] = [];
  let eventsOfOne = 0;
  for (const groups of sizes) {
    const { bytes, events, sleeping } = measure(groups);
    if (sleeping !== groups) throw new Error(`${sleeping} of ${groups} groups sleep`);
    const bytesEach = (bytes - empty.bytes) / (groups * nodes);
    eventsOfOne ||= events;
    figures.push(
      {
        name: `groups/bytes-of-${groups}`,
        value: bytesEach,
        unit: "B/group/node",
        against: `${bytesAimed} bytes`,
        ratio: bytesEach / bytesAimed,
      },
      {
        name: `groups/idle-events-of-${groups}`,
        value: events,
        unit: "events/s",
        against: "a single group",
        ratio: events / eventsOfOne,
      },
    );
  }
  return figures;
}

/** Heap and array buffers after a collection; events of a simulated second. */
function measure(groups: number): { bytes: number; events: number; sleeping: number } {
  const startedMs = performance.now();
  const world = new GroupsWorld(groups);
  // Whole ones: the last beat may fall just outside.
  const events = Math.round((world.run(watchUs) * 1_000_000) / watchUs);
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const sleeping = world.sleeping;
  world.end();
  const took = Math.round(performance.now() - startedMs);
  process.stderr.write(
    `groups: ${groups}: ${took} ms, ${heapUsed} heap, ${arrayBuffers} array buffers\n`,
  );
  return { bytes: heapUsed + arrayBuffers, events, sleeping };
}
