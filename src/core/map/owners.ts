/** Which group serves which slot: spans in order that cover all slots once, neighbours differing. */
import type { GroupId } from "../ids.js";
import type { SlotRange } from "../state-machine.js";
import type { Ownership } from "./types.js";

export type Owners = readonly Ownership[];

/** Nobody serves anything. */
export function noOwners(slotCount: number): Owners {
  return [{ from: 0, to: slotCount, group: 0, epoch: 0 }];
}

/** `slot` is below the slot count. */
export function ownerAt(owners: Owners, slot: number): Ownership {
  let low = 0;
  let high = owners.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (owners[middle]!.to <= slot) low = middle + 1;
    else high = middle;
  }
  return owners[low]!;
}

export function ownersWithin(owners: Owners, slots: SlotRange): Ownership[] {
  return owners
    .filter((span) => span.from < slots.to && span.to > slots.from)
    .map((span) => ({
      ...span,
      from: Math.max(span.from, slots.from),
      to: Math.min(span.to, slots.to),
    }));
}

export function slotsOf(owners: Owners, group: GroupId): SlotRange[] {
  return owners.filter((span) => span.group === group).map(({ from, to }) => ({ from, to }));
}

export function withOwner(
  owners: Owners,
  slots: SlotRange,
  group: GroupId | 0,
  epoch: number,
): Owners {
  const changed: Ownership[] = [];
  for (const span of owners) {
    append(changed, { ...span, to: Math.min(span.to, slots.from) });
    const from = Math.max(span.from, slots.from);
    append(changed, { from, to: Math.min(span.to, slots.to), group, epoch });
    append(changed, { ...span, from: Math.max(span.from, slots.to) });
  }
  return changed;
}

/** The same spans, equal neighbours joined. */
export function joined(spans: readonly Ownership[]): Owners {
  const owners: Ownership[] = [];
  for (const span of spans) append(owners, span);
  return owners;
}

/** True for spans in order that cover `slotCount` slots once. */
export function areOwners(spans: Owners, slotCount: number): boolean {
  let from = 0;
  for (const span of spans) {
    if (span.from !== from || span.to <= from) return false;
    from = span.to;
  }
  return from === slotCount;
}

function append(spans: Ownership[], span: Ownership): void {
  if (span.from >= span.to) return;
  const last = spans.at(-1);
  if (last?.group === span.group && last.epoch === span.epoch) {
    spans[spans.length - 1] = { ...last, to: span.to };
  } else {
    spans.push(span);
  }
}
