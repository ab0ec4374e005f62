/** What a story is about: the group of the violation, and in a cluster with a map a slot and its groups. */
import type { TraceEvent } from "../../core/trace/schema.js";
import { covers } from "./slot-story.js";

export interface Topic {
  /** Whose replicas are shown; 0: all are told of. */
  readonly group: number;
  /** Null when there is none, or no map. */
  readonly slot: number | null;
  /** Keys of the slot that clients asked for. */
  readonly keys: readonly string[];
  /** Groups that are told of; empty: all. */
  readonly groups: ReadonlySet<number>;
  /** Operations on the slot. */
  readonly operations: ReadonlySet<string>;
  readonly mapped: boolean;
}

/** Of a trace that ends at `end`. */
export function topicOf(events: readonly TraceEvent[], end: number): Topic {
  const mapped = events.some(({ kind }) => mapKinds.has(kind));
  if (!mapped) return plainTopic(events, end);
  const asked = operationsOf(events, end);
  const last = events[end];
  const message = last?.kind === "violation" ? last.data.message : "";
  const slot = slotIn(message, asked);
  const own = last?.kind === "violation" ? last.group : 0;
  const owners = slot === null ? [] : ownersOf(events, end, slot);
  const group = own > 0 ? own : (owners.at(-1) ?? numberAfter(groupWord, message) ?? 0);
  const on = [...asked].filter((each) => each[1].slot === slot);
  return {
    group,
    slot,
    keys: [...new Set(on.map(([, { key }]) => key))].sort(),
    groups: new Set(group === 0 ? [] : [group, ...owners]),
    operations: new Set(on.map(([operation]) => operation)),
    mapped,
  };
}

/** Whether an event belongs to the story, or only goes on at the same time. */
export function isOfTopic({ kind, group, data }: TraceEvent, topic: Topic): boolean {
  const { slot, groups, operations } = topic;
  switch (kind) {
    case "invoke":
    case "attempt":
    case "reply":
    case "return":
    case "acked":
      if (slot !== null && "operation" in data) return operations.has(data.operation);
      break;
    case "slots":
      if (slot !== null) return covers(data.slots, slot) || data.slots.length === 0;
      break;
    case "job":
      if (slot !== null) return covers(data.slots, slot);
      return groups.size === 0 || data.groups.some((each) => groups.has(each));
    case "steward":
      return true;
    default:
  }
  return groups.size === 0 || group === 0 || groups.has(group);
}

const mapKinds: ReadonlySet<string> = new Set(["slots", "job", "attempt"]);

/** The group of the violation; else the one with most events. 0 when there is only that. */
function plainTopic(events: readonly TraceEvent[], end: number): Topic {
  const group = groupOf(events, end);
  const groups = new Set(group === 0 ? [] : [group]);
  return { group, slot: null, keys: [], groups, operations: new Set(), mapped: false };
}

function groupOf(events: readonly TraceEvent[], end: number): number {
  const last = events[end];
  if (last?.kind === "violation" && last.group > 0) return last.group;
  const counts = new Map<number, number>();
  for (let at = 0; at <= end; at++) {
    const { group } = events[at]!;
    if (group > 0) counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  let most = 0;
  for (const [group, count] of counts) if (count > (counts.get(most) ?? 0)) most = group;
  return most;
}

interface Asked {
  readonly key: string;
  readonly slot: number | null;
}

/** Every operation with its key and, once it was asked of a group, its slot. */
function operationsOf(events: readonly TraceEvent[], end: number): ReadonlyMap<string, Asked> {
  const asked = new Map<string, Asked>();
  for (let at = 0; at <= end; at++) {
    const { kind, data } = events[at]!;
    if (kind === "invoke") asked.set(data.operation, { key: data.key, slot: null });
    if (kind !== "attempt") continue;
    const { key = "" } = asked.get(data.operation) ?? {};
    asked.set(data.operation, { key, slot: data.slot });
  }
  return asked;
}

const slotWord = /\bslots? (\d+)/;
const groupWord = /\bgroup (\d+)/;

function numberAfter(word: RegExp, message: string): number | null {
  const found = word.exec(message)?.[1];
  return found === undefined ? null : Number(found);
}

/** That of an operation that the message names, of the longest key in it, or as it says itself. */
function slotIn(message: string, asked: ReadonlyMap<string, Asked>): number | null {
  for (const [word] of message.matchAll(/\d+\.[\w.-]*\w/g)) {
    const slot = asked.get(word)?.slot ?? null;
    if (slot !== null) return slot;
  }
  let longest = "";
  let found: number | null = null;
  for (const { key, slot } of asked.values()) {
    if (slot === null || key.length <= longest.length || !message.includes(key)) continue;
    longest = key;
    found = slot;
  }
  return found ?? numberAfter(slotWord, message);
}

/** Groups that served the slot, in the order of their first epochs. */
function ownersOf(events: readonly TraceEvent[], end: number, slot: number): readonly number[] {
  const newest = new Map<number, number>();
  for (let at = 0; at <= end; at++) {
    const { kind, group, data } = events[at]!;
    if (kind !== "slots" || !data.changed || !covers(data.slots, slot)) continue;
    const { step, epoch, next } = data;
    if (step !== "acceptSlots" && step !== "keepSlots") continue;
    newest.set(group, Math.max(newest.get(group) ?? 0, epoch, next));
  }
  return [...newest].sort((a, b) => a[1] - b[1]).map(([group]) => group);
}
