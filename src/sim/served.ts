/**
 * What must hold of a cluster with a map once its jobs are over: each slot is served by the group that
 * the map names, at its epoch, and by no other; and after a `spread` no group has much more or less
 * than its share. Told slot by slot from what the stores say, with none of the core's own arithmetic.
 */
import { type GroupId, metaGroup } from "../core/ids.js";
import type { MapState } from "../core/map/state.js";
import type { SlotSpan } from "../core/store/slot-table.js";

type Map = Readonly<MapState>;

/** Bounded loads: nobody is more than a tenth above its share, or below it by that factor. */
const cap = { of: 11, in: 10 } as const;

/** In words, slots that are served by nobody, by two, or not as the map says; `slotsOf` asks a leader. */
export function disputedSlots(
  map: Map,
  slotsOf: (group: GroupId) => readonly SlotSpan[] | null,
): string[] {
  const served = Array.from({ length: map.slotCount }, (): string[] => []);
  for (const { group, phase } of map.groups.all()) {
    if (group === metaGroup || phase !== "live") continue;
    for (const { from, to, state, epoch } of slotsOf(group) ?? []) {
      if (state !== "owned") continue;
      for (let slot = from; slot < to; slot++) served[slot]!.push(words(group, epoch));
    }
  }
  return map.owners.flatMap(({ from, to, group, epoch }) => {
    const own = words(group, epoch);
    const wrong: string[] = [];
    for (let slot = from; slot < to; slot++) {
      const by = served[slot]!.join(" and ");
      if (by !== own) wrong.push(`slot ${slot} is of ${own}, and served by ${by || "nobody"}`);
    }
    return wrong;
  });
}

/** In words, groups that have more or fewer slots than bounded loads allow. */
export function unevenLoads({ slotCount, owners, groups }: Map): string[] {
  const sharers = groups
    .all()
    .filter(({ group, phase }) => group !== metaGroup && phase === "live");
  const weightSum = sharers.reduce((sum, { weight }) => sum + weight, 0);
  return sharers.flatMap(({ group, weight }) => {
    const load = owners
      .filter((span) => span.group === group)
      .reduce((sum, { from, to }) => sum + to - from, 0);
    const most = Math.ceil((slotCount * weight * cap.of) / (weightSum * cap.in));
    const least = Math.floor((slotCount * weight * cap.in) / (weightSum * cap.of));
    if (load >= least && load <= most) return [];
    return [`group ${group} has ${load} slots, and should have ${least} to ${most}`];
  });
}

function words(group: number, epoch: number): string {
  return `group ${group} at epoch ${epoch}`;
}
