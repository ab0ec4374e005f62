/** Which slots a group serves, and at which epoch it last took or gave each. */
import type { ByteReader, ByteWriter } from "../bytes.js";
import type { RollingHash } from "../hash.js";
import type { SlotRange } from "../state-machine.js";

/** `released`: no longer served, the state is kept. `absent`: nothing of it is here. */
export type SlotState = "owned" | "released" | "absent";

export interface SlotSpan extends SlotRange {
  readonly state: SlotState;
  readonly epoch: number;
  /** The index of the entry by which the slots came; 0 for those of the founding. */
  readonly cameAt: number;
}

const states: readonly SlotState[] = ["owned", "released", "absent"];

/** How many spans a table may fall into. */
export const slotSpansMax = 4096;

/**
 * A value: changes make another one. 1. Spans are in order and cover all slots once. 2. Neighbours
 * differ in more than their ends. 3. There are at most `slotSpansMax`.
 */
export class SlotTable {
  readonly slotCount: number;
  readonly spans: readonly SlotSpan[];

  private constructor(slotCount: number, spans: readonly SlotSpan[]) {
    this.slotCount = slotCount;
    this.spans = spans;
  }

  /** Of a new group: `owned` is served at epoch 0, nothing else is there. */
  static founding(slotCount: number, owned: SlotRange): SlotTable {
    const absent: SlotSpan = { from: 0, to: slotCount, state: "absent", epoch: 0, cameAt: 0 };
    return new SlotTable(slotCount, [absent]).changed(owned, { state: "owned" })!;
  }

  /** `slot` is below `slotCount`. */
  at(slot: number): SlotSpan {
    const spans = this.spans;
    let low = 0;
    let high = spans.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (spans[middle]!.to <= slot) low = middle + 1;
      else high = middle;
    }
    return spans[low]!;
  }

  within(slots: SlotRange): readonly SlotSpan[] {
    return this.spans.filter((span) => span.from < slots.to && span.to > slots.from);
  }

  /** Null when that would make too many spans. */
  changed(slots: SlotRange, change: Partial<Omit<SlotSpan, "from" | "to">>): SlotTable | null {
    const spans: SlotSpan[] = [];
    for (const span of this.spans) {
      const from = Math.max(span.from, slots.from);
      const to = Math.min(span.to, slots.to);
      append(spans, { ...span, to: Math.min(span.to, slots.from) });
      append(spans, { ...span, ...change, from, to });
      append(spans, { ...span, from: Math.max(span.from, slots.to) });
    }
    return spans.length > slotSpansMax ? null : new SlotTable(this.slotCount, spans);
  }

  fold(hash: RollingHash): void {
    for (const span of this.spans) {
      hash.word(span.to);
      hash.word(states.indexOf(span.state));
      hash.number(span.epoch);
      hash.number(span.cameAt);
    }
  }

  write(writer: ByteWriter): void {
    writer.u32(this.spans.length);
    for (const span of this.spans) {
      writer.u32(span.to);
      writer.u8(states.indexOf(span.state));
      writer.u53(span.epoch);
      writer.u53(span.cameAt);
    }
  }

  /** Null unless the bytes are what `write` makes of a table with so many slots. */
  static read(reader: ByteReader, slotCount: number): SlotTable | null {
    const count = reader.u32();
    if (count > slotSpansMax) return null;
    const spans: SlotSpan[] = [];
    let from = 0;
    for (let n = 0; n < count; n++) {
      const to = reader.u32();
      const state = states[reader.u8()];
      const epoch = reader.u53();
      const cameAt = reader.u53();
      if (reader.failed || to <= from || to > slotCount || state === undefined) return null;
      append(spans, { from, to, state, epoch, cameAt });
      from = to;
    }
    // Fewer than announced: two neighbours were alike.
    return from === slotCount && spans.length === count ? new SlotTable(slotCount, spans) : null;
  }
}

/** Leaves out empty spans and joins equal neighbours. */
function append(spans: SlotSpan[], span: SlotSpan): void {
  if (span.from >= span.to) return;
  const last = spans.at(-1);
  const alike =
    last?.state === span.state && last.epoch === span.epoch && last.cameAt === span.cameAt;
  if (alike) {
    spans[spans.length - 1] = { ...last, to: span.to };
  } else {
    spans.push(span);
  }
}
