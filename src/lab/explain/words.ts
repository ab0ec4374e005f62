/** What an event says in words, and how much it weighs. */
import type { Json } from "../../core/plain.js";
import type { TraceData, TraceEvent } from "../../core/trace/schema.js";
import type { BeliefChange } from "./beliefs.js";
import { span } from "./layout.js";
import { field, numberIn, numbersIn, textIn } from "./values.js";

/**
 * 3: always told (faults, crashes, leaders, the violation). 2: told of the group in question.
 * 1: told shortly before the violation. 0: told only where it led to the violation.
 */
export type Weight = 0 | 1 | 2 | 3;

export interface Told {
  readonly weight: Weight;
  readonly text: string;
}

export function tell(event: TraceEvent, change: BeliefChange | null): Told {
  switch (event.kind) {
    case "state":
      return change === null ? nothingNew : tellChange(change);
    case "role":
      return change === null ? nothingNew : tellChange(change);
    case "violation":
      return { weight: 3, text: `VIOLATION of ${event.data.property}` };
    case "fault":
      return { weight: 3, text: `fault ${faultWords(event.data)}` };
    case "boot":
      return { weight: 1, text: `boots (boot ${event.boot})` };
    case "crash":
      return { weight: 3, text: `CRASHES: ${event.data.reason}` };
    case "gap":
      return { weight: 3, text: `-- events are missing here: ${event.data.reason}` };
    case "recovered":
      return { weight: 2, text: startWords(event.data, event.boot) };
    case "restored":
      return { weight: 2, text: `installs a snapshot through ${event.data.index}` };
    case "configuration":
      // That of its founding says nothing new.
      return { weight: event.data.index > 0 ? 2 : 1, text: configurationWords(event.data) };
    case "invoke":
      return { weight: 2, text: `client ${event.data.client} asks ${asked(event.data)}` };
    case "return":
      return { weight: 2, text: returnWords(event.data) };
    case "event":
      return eventWords(event.data);
    case "link":
      return { weight: 1, text: `link to n${event.data.peer} ${event.data.up ? "up" : "down"}` };
    case "send":
      return {
        weight: messageWeight(event.data.message),
        text: `-> n${event.data.to} ${sent(event)}`,
      };
    case "receive":
      return { weight: 0, text: `<- n${event.data.from} ${sent(event)}` };
    case "step":
      return { weight: 0, text: `handles ${event.data.input}` };
    case "elected":
    case "chosen":
    case "acked":
    case "submit":
    case "durable":
    case "applied":
    case "answer":
      return { weight: 0, text: `${event.kind} ${plain(event.data)}` };
  }
}

const nothingNew: Told = { weight: 0, text: "stands as it stood" };

/** A step is told by what it changed. */
function tellChange({ before, after }: BeliefChange): Told {
  const told: string[] = [];
  let weight: Weight = 0;
  const add = (text: string, atLeast: Weight): void => {
    told.push(text);
    if (atLeast > weight) weight = atLeast;
  };
  // What a replica starts with was told when it was recovered.
  if (before === null) return after.role === "leader" ? lead(after) : nothingNew;
  if (before.role !== after.role || before.term !== after.term) {
    add(roleWords(after.role, after.term), after.role === "leader" ? 3 : 2);
  }
  if (after.vote !== 0 && after.vote !== after.replica) {
    if (before.vote !== after.vote || before.term !== after.term) {
      add(`votes for replica ${after.vote}`, 2);
    }
  }
  if (after.last < before.last) add(`cuts its log back from ${before.last} to ${after.last}`, 2);
  if (after.leader !== 0 && after.leader !== before.leader && after.role !== "leader") {
    add(`takes replica ${after.leader} for the leader`, 1);
  }
  if (after.first > before.first) add(`its log begins at ${after.first}`, 1);
  if (after.commit > before.commit) add(`commits through ${after.commit}`, 1);
  if (told.length === 0) add(`appends through ${after.last}`, 0);
  return { weight, text: told.join("; ") };
}

function lead({ role, term }: TraceData<"role">): Told {
  return { weight: 3, text: roleWords(role, term) };
}

function roleWords(role: string, term: number): string {
  switch (role) {
    case "leader":
      return `LEADS term ${term}`;
    case "candidate":
      return `campaigns in term ${term}`;
    case "preCandidate":
      return `asks who would vote for it after term ${term}`;
    case "follower":
      return `follows in term ${term}`;
    default:
      return `is ${role} in term ${term}`;
  }
}

/** `cut-1 begins: cut, nodes 1 2 against 3, for 2 s`. */
function faultWords({
  id,
  fault,
  active,
  nodes,
  peers,
  forUs,
  amount,
}: TraceData<"fault">): string {
  if (!active) return `${id} ends`;
  const parts = [fault];
  if (nodes.length > 0) parts.push(`node${nodes.length > 1 ? "s" : ""} ${nodes.join(" ")}`);
  if (peers.length > 0) parts.push(`against ${peers.join(" ")}`);
  if (amount !== 0) parts.push(`amount ${amount}`);
  if (forUs > 0) parts.push(`for ${span(forUs)}`);
  return `${id} begins: ${parts.join(", ")}`;
}

function startWords(data: TraceData<"recovered">, boot: number): string {
  return `starts replica ${data.replica} (boot ${boot}) in term ${data.term}, ${logWords(data)}`;
}

export function logWords({ first, last }: { first: number; last: number }): string {
  if (last >= first) return `log ${first}..${last}`;
  return first <= 1 ? "empty log" : `log empty after ${first - 1}`;
}

function configurationWords({
  index,
  voters,
  outgoing,
  learners,
}: TraceData<"configuration">): string {
  const parts = [`voters ${voters.join(" ")}`];
  if (outgoing.length > 0) parts.push(`and ${outgoing.join(" ")} of before`);
  if (learners.length > 0) parts.push(`learners ${learners.join(" ")}`);
  return `has configuration ${index}: ${parts.join(", ")}`;
}

function eventWords({ name, detail }: TraceData<"event">): Told {
  if (name === "phase") return { weight: 3, text: `-- ${phaseWords(detail)}` };
  // The state tells the same, and surely.
  if (name === "roleChanged" || name === "leaderKnown") return nothingNew;
  return { weight: 2, text: `${name} ${plain(detail)}`.trim() };
}

function phaseWords(detail: Json): string {
  const stage = textIn(detail, "stage") ?? "";
  const core = numbersIn(detail, "core").map((node) => `n${node}`);
  const words: Readonly<Record<string, string>> = {
    settle: "the attack ends; nodes that are down come back",
    unasked: `healed: ${core.join(" ")}; groups must have leaders though nobody asks`,
    quiet: "nobody asks anything; all groups must fall asleep",
    orphaned: "a node with leaders fails; what slept under them must find new ones",
    core: `healed: ${core.join(" ")}; they must make progress`,
    converge: "all is healed; all must become equal",
    spread: "slots are spread over the groups once more",
    read: "clients look at every key once more",
    over: "the run is over",
  };
  return words[stage] ?? `phase ${stage}`;
}

function sent({ data: { message } }: TraceEvent<"send" | "receive">): string {
  const kind = textIn(message, "kind") ?? "frame";
  const term = numberIn(message, "term");
  const granted = field(message, "granted");
  const parts = [kind, ...(term === null ? [] : [`of term ${term}`])];
  if (typeof granted === "boolean") parts.push(granted ? "yes" : "no");
  return parts.join(" ");
}

const electionMessages = ["preVote", "preVoteReply", "vote", "voteReply", "timeoutNow"];

function messageWeight(message: Json): Weight {
  return electionMessages.includes(textIn(message, "kind") ?? "") ? 1 : 0;
}

/** `put k1 "v" [2.31]`, `cas k1 "old" -> "new" [2.32]`, `command k1 "add 5" [2.33]`. */
function asked({ call, key, value, expected, operation }: TraceData<"invoke">): string {
  const parts = [call, key];
  if (call === "cas") parts.push(expected === null ? "nothing" : quoted(expected), "->");
  const own = call === "command" || call === "query";
  if (value !== null) parts.push(own ? JSON.stringify(value) : quoted(value));
  return `${parts.join(" ")} [${operation}]`;
}

function returnWords({ client, operation, outcome, value }: TraceData<"return">): string {
  return `client ${client} has ${outcomeWords(outcome, value)} [${operation}]`;
}

function outcomeWords(outcome: string, value: Json): string {
  if (outcome !== "ok" || value === null) return outcome === "unknown" ? "no answer" : outcome;
  switch (textIn(value, "kind")) {
    case "value": {
      const read = textIn(value, "value");
      return read === null ? "nothing there" : quoted(read);
    }
    case "swapped":
      return field(value, "swapped") === true ? "swapped" : "not swapped";
    case "pairs": {
      const pairs = field(value, "pairs");
      return `${Array.isArray(pairs) ? pairs.length : "?"} pairs`;
    }
    case "answer":
      return JSON.stringify(textIn(value, "answer"));
    default:
      return "ok";
  }
}

/** Workloads fill values up with dots. */
function quoted(value: string): string {
  return JSON.stringify(value.replace(/\.+$/, ""));
}

/** Data without the quotes and braces of JSON. */
function plain(data: Json): string {
  return JSON.stringify(data).replace(/["{}]/g, "").replace(/,/g, " ");
}
