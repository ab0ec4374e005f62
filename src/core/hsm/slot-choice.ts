/** Which of the tokens that are there is meant: exactly one must fit. */
import type { SlotDescription } from "./cryptoki/calls.js";
import { ckf } from "./cryptoki/constants.js";
import type { SlotChoice } from "./options.js";

export type ChosenSlot =
  | { readonly ok: true; readonly slot: SlotDescription }
  | {
      readonly ok: false;
      readonly code: "absent" | "ambiguous";
      /** For people: what was looked for, and what is there. */
      readonly message: string;
    };

/** Slots beyond so many are only counted. */
const listedMax = 8;
const textCharactersMax = 40;

export function chooseSlot(slots: readonly SlotDescription[], choice: SlotChoice): ChosenSlot {
  const fitting = slots.filter((slot) => isInitialized(slot) && fits(slot, choice));
  const [slot, ...others] = fitting;
  if (slot !== undefined && others.length === 0) return { ok: true, slot };
  const wanted = wantedIn(choice);
  if (slot === undefined) {
    const there = slots.length === 0 ? "no token is there" : `there are ${listOf(slots)}`;
    return { ok: false, code: "absent", message: `no token with ${wanted}; ${there}` };
  }
  const message = `more than one token with ${wanted}: ${listOf(fitting)}`;
  return { ok: false, code: "ambiguous", message };
}

function isInitialized({ flags }: SlotDescription): boolean {
  return (flags & ckf.tokenInitialized) !== 0;
}

/** Fields of tokens are filled up with blanks. */
function fits(slot: SlotDescription, choice: SlotChoice): boolean {
  switch (choice.by) {
    case "id":
      return slot.slot === choice.slot;
    case "label":
      return slot.label.trimEnd() === choice.label;
    default:
      return slot.serial.trimEnd() === choice.serial;
  }
}

function wantedIn(choice: SlotChoice): string {
  switch (choice.by) {
    case "id":
      return `slot id ${choice.slot}`;
    case "label":
      return `label "${shown(choice.label)}"`;
    default:
      return `serial "${shown(choice.serial)}"`;
  }
}

function listOf(slots: readonly SlotDescription[]): string {
  const listed = slots.slice(0, listedMax).map((slot) => {
    if (!isInitialized(slot)) return `slot ${slot.slot} (not initialised)`;
    return `slot ${slot.slot} (label "${shown(slot.label)}", serial "${shown(slot.serial)}")`;
  });
  const more = slots.length - listed.length;
  return more > 0 ? `${listed.join(", ")} and ${more} more` : listed.join(", ");
}

/** Whatever a token calls itself, a line stays a line. */
function shown(text: string): string {
  const short = text.trimEnd().slice(0, textCharactersMax);
  return short.replaceAll(/[^ -~\u00a0-\uffff]/g, "?");
}
