/** What an event says in words, and how much it weighs. */
import type { Json } from "../../core/plain.js";
import type { TraceLine } from "../trace-reader.js";
import type { Belief } from "./beliefs.js";
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

export function tell(line: TraceLine, change: BeliefChange | null): Told {
  const known = tellers[line.kind];
  if (known !== undefined) return known(line);
  if (change !== null) return tellStep(line.kind, change);
  return { weight: 0, text: `${line.kind} ${plain(line.data)}` };
}

export interface BeliefChange {
  readonly before: Belief | null;
  readonly after: Belief;
}

/** A step is told by what it changed. */
function tellStep(kind: string, { before, after }: BeliefChange): Told {
  const told: string[] = [];
  let weight: Weight = 0;
  const add = (text: string, atLeast: Weight): void => {
    told.push(text);
    if (atLeast > weight) weight = atLeast;
  };
  if (before === null) add(`stands in term ${after.term}, ${logWords(after)}`, 2);
  if (before !== null && (before.role !== after.role || before.term !== after.term)) {
    add(roleWords(after.role, after.term), after.role === "leader" ? 3 : 2);
  }
  if (before !== null && after.vote !== 0 && before.vote !== after.vote) {
    if (after.vote !== after.replica) add(`votes for replica ${after.vote}`, 2);
  }
  if (before !== null && after.last < before.last) {
    add(`cuts its log back from ${before.last} to ${after.last}`, 2);
  }
  if (before !== null && after.first > before.first) add(`its log begins at ${after.first}`, 1);
  if (before !== null && after.commit > before.commit) add(`commits through ${after.commit}`, 1);
  if (told.length === 0) told.push(`takes ${kind}`);
  return { weight, text: told.join("; ") };
}

export function roleWords(role: string, term: number): string {
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

type Teller = (line: TraceLine) => Told;

const tellers: Readonly<Record<string, Teller>> = {
  violation: ({ data }) => ({
    weight: 3,
    text: `VIOLATION of ${textIn(data, "property") ?? plain(data)}`,
  }),
  faultBegan: ({ data }) => ({ weight: 3, text: `fault ${faultWords(data)}` }),
  faultEnded: ({ data }) => ({ weight: 3, text: `fault ${textIn(data, "id") ?? ""} ends` }),
  "phase-settle": () => phase("the attack ends; nodes that are down come back"),
  "phase-core": ({ data }) => phase(`healed: ${healed(data)}; they must make progress`),
  "phase-converge": () => phase("all is healed; all must become equal"),
  "phase-read": () => phase("clients look at every key once more"),
  "phase-over": () => phase("the run is over"),
  boot: ({ boot }) => ({ weight: 3, text: `boots, for the ${ordinal(boot)} time` }),
  crashed: () => ({ weight: 3, text: "CRASHES" }),
  stopped: ({ data }) => ({ weight: 3, text: `STOPS ITSELF: ${textIn(data, "reason") ?? ""}` }),
  replicaStarted: (line) => ({ weight: 2, text: startWords(line) }),
  restored: ({ data }) => ({
    weight: 2,
    text: `installs a snapshot through ${numberIn(data, "index") ?? "?"}`,
  }),
  elected: ({ data }) => ({
    weight: 3,
    text: `is elected in term ${numberIn(data, "term") ?? "?"}`,
  }),
  roleChanged: ({ data }) => {
    const role = textIn(data, "role") ?? "";
    const text = roleWords(role, numberIn(data, "term") ?? 0);
    return { weight: role === "leader" ? 3 : 2, text };
  },
  leaderKnown: ({ data }) => ({
    weight: 1,
    text: `takes replica ${numberIn(data, "leader") ?? "?"} for the leader`,
  }),
  removed: () => ({ weight: 2, text: "is removed from its group" }),
  repaired: () => ({ weight: 2, text: "has refilled its damaged log" }),
  configuration: ({ data }) => ({ weight: 2, text: `configuration ${plain(data)}` }),
  chosen: ({ data }) => ({ weight: 1, text: `chosen ${plain(data)}` }),
  acked: ({ data }) => ({ weight: 1, text: `acknowledged ${plain(data)}` }),
  released: (line) => ({ weight: messageWeight(line.data), text: messageWords(line.data) }),
  invoked: ({ data }) => ({ weight: 2, text: `client ${clientOf(data)} asks ${asked(data)}` }),
  completed: ({ data }) => ({
    weight: 2,
    text: `client ${clientOf(data)} has ${outcome(data)} for ${asked(data)}`,
  }),
};

function phase(text: string): Told {
  return { weight: 3, text: `-- ${text}` };
}

/** Indices of nodes, which count from 0. */
function healed(data: Json): string {
  const core = numbersIn(data, "core").map((index) => `n${index + 1}`);
  return core.length === 0 ? "a majority" : core.join(" ");
}

/** `cut-1 begins: cut, nodes 1 2 against 3, for 2 s`. */
export function faultWords(data: Json): string {
  const nodes = numbersIn(data, "nodes");
  const peers = numbersIn(data, "peers");
  const forUs = numberIn(data, "forUs") ?? 0;
  const amount = numberIn(data, "amount") ?? 0;
  const parts = [textIn(data, "kind") ?? "unknown"];
  if (nodes.length > 0) parts.push(`node${nodes.length > 1 ? "s" : ""} ${nodes.join(" ")}`);
  if (peers.length > 0) parts.push(`against ${peers.join(" ")}`);
  if (nodes.length === 0 && peers.length > 0) parts.splice(1, 0, "the leader");
  if (amount !== 0) parts.push(`amount ${amount}`);
  if (forUs > 0) parts.push(`for ${span(forUs)}`);
  return `${textIn(data, "id") ?? ""} begins: ${parts.join(", ")}`;
}

function startWords({ data, boot }: TraceLine): string {
  const term = numberIn(data, "term") ?? "?";
  const [first, last] = [numberIn(data, "first"), numberIn(data, "last")];
  const log = first === null || last === null ? "log unknown" : logWords({ first, last });
  return `starts (boot ${boot}) with term ${term}, ${log}`;
}

export function logWords({ first, last }: { first: number; last: number }): string {
  return last < first
    ? first <= 1
      ? "empty log"
      : `log empty after ${first - 1}`
    : `log ${first}..${last}`;
}

function messageWords(data: Json): string {
  const to = numberIn(data, "to") ?? "?";
  return `-> n${to} ${textIn(data, "message") ?? "frame"} of term ${numberIn(data, "term") ?? "?"}`;
}

const electionMessages = ["preVote", "preVoteReply", "vote", "voteReply", "timeoutNow"];

function messageWeight(data: Json): Weight {
  return electionMessages.includes(textIn(data, "message") ?? "") ? 1 : 0;
}

function clientOf(data: Json): string {
  return String(numberIn(data, "client") ?? "?");
}

/** `put k1 "v" [2.31]`, `cas k1 "old" -> "new" [2.32]`. */
function asked(data: Json): string {
  const what = textIn(data, "what") ?? "something";
  const value = textIn(data, "value") ?? "";
  const expected = textIn(data, "expected");
  const parts = [what, textIn(data, "key") ?? ""];
  if (what === "cas") parts.push(expected === null ? "nothing" : quoted(expected), "->");
  if (value !== "") parts.push(quoted(value));
  return `${parts.join(" ")} [${textIn(data, "operation") ?? "?"}]`;
}

function quoted(value: string): string {
  return JSON.stringify(unpadded(value));
}

/** Workloads fill values up with dots. */
function unpadded(value: string): string {
  return value.replace(/\.+$/, "");
}

function outcome(data: Json): string {
  const result = field(data, "result") ?? null;
  const how = textIn(data, "outcome") ?? "an answer";
  if (how !== "ok" || result === null) return how === "unknown" ? "no answer" : how;
  switch (textIn(result, "kind")) {
    case "value": {
      const value = textIn(result, "value");
      return value === null ? "nothing there" : quoted(value);
    }
    case "swapped":
      return field(result, "swapped") === true ? "swapped" : "not swapped";
    case "pairs": {
      const pairs = field(result, "pairs");
      return `${Array.isArray(pairs) ? pairs.length : "?"} pairs`;
    }
    default:
      return "ok";
  }
}

function ordinal(n: number): string {
  const tens = n % 100;
  const suffixes = ["th", "st", "nd", "rd"];
  return `${n}${tens > 10 && tens < 14 ? "th" : (suffixes[n % 10] ?? "th")}`;
}

/** Data without the quotes and braces of JSON. */
function plain(data: Json): string {
  return JSON.stringify(data).replace(/["{}]/g, "").replace(/,/g, " ");
}
