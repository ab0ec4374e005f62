/** What a cluster with a map says in words: slots that move, jobs, the steward, and how clients find their way. */
import type { TraceData, TraceEvent } from "../../core/trace/schema.js";
import type { Told } from "./words.js";

type Kind = "slots" | "job" | "steward" | "attempt" | "reply";

export function tellControl(event: TraceEvent<Kind>): Told {
  const { group } = event;
  switch (event.kind) {
    case "slots":
      return tellSlots(group, event.data);
    case "job":
      return tellJob(event.data);
    case "steward": {
      const { active, term } = event.data;
      const text = active ? `is the STEWARD (term ${term})` : "is no steward any more";
      return { weight: 3, text };
    }
    case "attempt": {
      const { client, operation, to, epoch } = event.data;
      const text = `client ${client} asks n${to} as group ${group}, epoch ${epoch} [${operation}]`;
      return { weight: 1, text };
    }
    case "reply":
      return tellReply(group, event.data);
  }
}

function tellSlots(group: number, data: TraceData<"slots">): Told {
  const { index, outcome, changed } = data;
  const by = `(entry ${index})`;
  const what = stepWords(group, data);
  if (outcome !== "done") return { weight: 2, text: `refused, ${outcome}: ${what} ${by}` };
  if (!changed) return { weight: 1, text: `once more: ${what} ${by}` };
  return { weight: data.step === "stageSlots" ? 1 : 2, text: `${what} ${by}` };
}

function stepWords(group: number, { step, slots, epoch, next }: TraceData<"slots">): string {
  const who = `group ${group}`;
  const what = slotWords(slots);
  switch (step) {
    case "exportSlots":
      return `${who} GIVES UP ${what} at epoch ${epoch}`;
    case "stageSlots":
      return `${who} receives a piece of ${what} for epoch ${epoch}`;
    case "acceptSlots":
      return `${who} SERVES ${what} at epoch ${epoch}`;
    case "abandonSlots":
      return `${who} will not serve ${what} at epoch ${epoch}`;
    case "keepSlots":
      return `${who} SERVES ${what} again, at epoch ${next} instead of ${epoch}`;
    case "dropSlots":
      return `${who} forgets ${what} as of epoch ${epoch}`;
    case "retire":
      return `${who} is CLOSED`;
    default:
      return `${who}: ${step} ${what} at epoch ${epoch}`;
  }
}

/** `slot 3`, `slots 3 to 7`. */
export function slotWords(slots: readonly number[]): string {
  const [from = 0, to = 0] = slots;
  return to <= from + 1 ? `slot ${from}` : `slots ${from} to ${to - 1}`;
}

function tellJob(data: TraceData<"job">): Told {
  const { asked, outcome, job, by, state } = data;
  const name = jobName(data);
  if (outcome !== "ok") {
    const because = job === 0 ? outcome : `${outcome}, see ${name}`;
    return { weight: asked === "advance" ? 0 : 1, text: `${by} asks for ${asked}: ${because}` };
  }
  if (job === 0) return { weight: 1, text: `${by} asks for ${asked}: nothing is left to do` };
  if (state === "done") return { weight: 2, text: `${name} is DONE` };
  if (state === "undone") return { weight: 2, text: `${name} has been TAKEN BACK` };
  const how = asked === "advance" ? "goes on" : asked === "cancel" ? "is CANCELLED" : "BEGINS";
  return { weight: 2, text: `${name} ${how}: ${stepOf(data)}` };
}

/** `job 4, moveSlots,`. */
export function jobName({ job, kind }: TraceData<"job">): string {
  return `job ${job}, ${kind},`;
}

/** `step 1 of 4, group 3 gives up slots 3 to 7 at epoch 9`. */
export function stepOf({ at, step, steps }: TraceData<"job">): string {
  return `step ${at + 1} of ${steps}, ${step}`;
}

/** One that is done is told with what the client made of it. */
function tellReply(group: number, data: TraceData<"reply">): Told {
  const { client, operation, from, epoch, answer, newest } = data;
  if (answer === "done") return { weight: 0, text: `client ${client} is answered [${operation}]` };
  const moved = answer === "moved";
  const what = moved
    ? `moved: group ${group} knows epoch ${newest}, not ${epoch}`
    : `${answer}, as group ${group}`;
  return {
    weight: moved ? 2 : 1,
    text: `client ${client} hears from n${from}: ${what} [${operation}]`,
  };
}
