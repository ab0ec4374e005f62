import { baselineRate } from "./baseline-scheduler.js";
import { coatyRate } from "./coaty-core.js";
import { alternate, type Figure } from "./figure.js";
import { benchRaftCore } from "./raft-core.js";

const pairs = 5;
const baselineEvents = 2_000_000;
const loads = [
  { inFlight: 1, count: 50_000 },
  { inFlight: 64, count: 150_000 },
] as const;

/**
 * Commits per second of the bare core, one proposal at a time and 64, against etcd's core ported to
 * TypeScript. That is no dependency; where it is not installed, against the bare event loop.
 */
export function benchRaft(): readonly Figure[] {
  const coaty = coatyRate();
  if (coaty === null) {
    process.stderr.write(
      "raft: @coaty/consensus.raft is not installed; measured against the bare event loop\n",
    );
  }
  return loads.map(({ inFlight, count }) => {
    const ours = (): number => benchRaftCore(inFlight, count).commitsPerSecond;
    const theirs = (): number => coaty?.(inFlight, count) ?? baselineRate(baselineEvents);
    const rates = alternate(pairs, ours, theirs);
    return {
      name: `raft/commits-${inFlight}-in-flight`,
      value: rates.ours,
      unit: "commits/s",
      against:
        coaty === null
          ? "events/s of the bare event loop (@coaty/consensus.raft is not installed)"
          : "@coaty/consensus.raft",
      ratio: rates.ratio,
    };
  });
}
