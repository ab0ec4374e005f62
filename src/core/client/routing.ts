/** What a client knows of the cluster map: who serves a slot, at which epoch, and on which nodes. */
import type { GroupId, NodeId } from "../ids.js";
import type { SlotRange } from "../state-machine.js";

/** A value: a newer map is another one. */
export interface Routing {
  readonly version: number;
  /** The cluster's; it never changes. */
  readonly slotCount: number;
  /** `slot` is below `slotCount`. Null: nobody serves it. */
  at(slot: number): Route | null;
  /** What people have set for clients to see, by name. */
  readonly settings: ReadonlyMap<string, string>;
  /** Empty for a group that the map does not have. */
  nodesOf(group: GroupId): readonly NodeId[];
}

export interface Route {
  readonly group: GroupId;
  /** At which the group serves the slot; 0 where slots never move. */
  readonly epoch: number;
}

export interface FixedGroup {
  readonly group: GroupId;
  readonly slots: SlotRange;
  readonly nodes: readonly NodeId[];
}

/** Of a cluster without a map: its groups serve from their founding what they serve for ever. */
export function fixedRouting(slotCount: number, groups: readonly FixedGroup[]): Routing {
  return {
    version: 0,
    slotCount,
    at(slot) {
      const owner = groups.find(({ slots }) => slot >= slots.from && slot < slots.to);
      return owner === undefined ? null : { group: owner.group, epoch: 0 };
    },
    settings: new Map(),
    nodesOf: (group) => groups.find((each) => each.group === group)?.nodes ?? [],
  };
}
