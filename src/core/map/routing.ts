/** What clients route by (core/client/routing.ts), made of the map, and its bytes. */
import type { Routing } from "../client/routing.js";
import type { GroupId, NodeId } from "../ids.js";
import { pack, unpack } from "../plain.js";
import { replicasMax } from "../raft/configuration.js";
import { type Shape, fields, list, whole } from "../shape.js";
import { isSlotCount, slotCountMax } from "../store/slots.js";
import { type Owners, areOwners, ownerAt } from "./owners.js";
import { groupIdShape, nodeIdShape, ownershipShape, settingShape } from "./shapes.js";
import type { MapState } from "./state.js";
import { type Setting, mapLimits } from "./types.js";

interface Wire {
  readonly version: number;
  readonly slotCount: number;
  readonly owners: Owners;
  readonly groups: readonly WireGroup[];
  readonly settings: readonly Setting[];
}

interface WireGroup {
  readonly group: GroupId;
  readonly nodes: readonly NodeId[];
}

const wireShape: Shape<Wire> = fields<Wire>({
  version: whole(),
  slotCount: whole(1, slotCountMax),
  owners: list(ownershipShape, slotCountMax),
  groups: list(
    fields<WireGroup>({ group: groupIdShape, nodes: list(nodeIdShape, replicasMax) }),
    mapLimits.groupsMax,
  ),
  settings: list(settingShape, mapLimits.settingsMax),
});

export function encodeRouting(map: MapState): Uint8Array {
  const { version, slotCount, owners, groups, settings } = map;
  const wire: Wire = {
    version,
    slotCount,
    owners,
    groups: groups
      .all()
      .map(({ group, members }) => ({ group, nodes: members.map(({ node }) => node) })),
    settings,
  };
  return pack(wire);
}

/** Null when the bytes are no routing, or of a map that is not made. */
export function decodeRouting(bytes: Uint8Array): Routing | null {
  const unpacked = unpack(bytes);
  if ("error" in unpacked) return null;
  const wire: unknown = unpacked.ok;
  if (!wireShape(wire) || !isSlotCount(wire.slotCount)) return null;
  if (!areOwners(wire.owners, wire.slotCount)) return null;
  const { version, slotCount, owners } = wire;
  const groups = new Map(wire.groups.map(({ group, nodes }) => [group, nodes]));
  return {
    version,
    slotCount,
    at: (slot) => {
      const { group, epoch } = ownerAt(owners, slot);
      return group === 0 ? null : { group, epoch };
    },
    settings: new Map(wire.settings.map(({ name, value }) => [name, value])),
    nodesOf: (group) => groups.get(group) ?? [],
  };
}
