/**
 * A failure in text: what was broken, what led to it, what each node believed at the end, and how
 * to run it again. Made from a trace alone.
 */
import type { TraceData, TraceEvent } from "../../core/trace/schema.js";
import { errandKinds } from "../fault.js";
import type { OracleSpec } from "../oracle.js";
import { allOracles } from "../oracles/index.js";
import { traceProblemText, type Trace } from "../trace-reader.js";
import { Bands } from "./bands.js";
import { Beliefs, type Belief } from "./beliefs.js";
import { clip, seconds, width, wrap } from "./layout.js";
import { Firsts } from "./firsts.js";
import { isOfTopic, topicOf, type Topic } from "./focus.js";
import { JobsAtEnd } from "./jobs-at-end.js";
import { coneOf, select, type Candidate } from "./select.js";
import { SlotStory, covers } from "./slot-story.js";
import { logWords, tell, type Weight } from "./words.js";

export interface ExplainOptions {
  /** Lines that bring the failure back when pasted; they end the text. */
  readonly replay?: readonly string[];
  /** Of the timeline; 150 by default. */
  readonly linesMax?: number;
  /** How long before the violation small things are told; 3 s by default. */
  readonly windowUs?: number;
  /** Of the user's own, beside those that ship. */
  readonly properties?: readonly Pick<OracleSpec, "id" | "about">[];
}

const linesMaxDefault = 150;
const windowUsDefault = 3_000_000;
/** Clusters with more nodes are told without lanes. */
const lanesMax = 24;

/** Lines of at most 110 columns, joined; ends with the replay lines and nothing after them. */
export function explainTrace(trace: Trace, options: ExplainOptions = {}): string {
  const { events } = trace;
  const found = events.findLastIndex(isViolation);
  const end = found >= 0 ? found : events.length - 1;
  const violation = events.findLast(isViolation) ?? null;
  const cone = violation === null ? new Set<number>() : coneOf(events, found);
  const story = followTo(events, end, cone);
  const sections = [
    headLines(trace),
    violation === null ? ["No violation in this trace."] : violationLines(violation, options),
    slotLines(story),
    timelineLines(story, options),
    jobLines(story),
    ...beliefSections(story),
    replayLines(options.replay ?? []),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

interface Moment extends Candidate {
  weight: Weight;
  readonly line: TraceEvent;
  readonly text: string;
  readonly bands: string;
  readonly lanes: string;
  readonly owner: string;
}

interface Story {
  readonly moments: readonly Moment[];
  readonly cone: ReadonlySet<number>;
  readonly end: number;
  readonly beliefs: Beliefs;
  readonly topic: Topic;
  /** Null where no slot is in question, or nobody was seen to serve it. */
  readonly slot: SlotStory | null;
  readonly jobs: JobsAtEnd;
  readonly nodes: readonly number[];
  readonly bandColumns: number;
  readonly endUs: number;
}

/** Goes through all events up to the end and notes how everything stood at each. */
function followTo(events: readonly TraceEvent[], end: number, cone: ReadonlySet<number>): Story {
  const topic = topicOf(events, end);
  const nodes = nodesOf(events, end);
  const beliefs = new Beliefs();
  const bands = new Bands();
  const jobs = new JobsAtEnd();
  const firsts = new Firsts();
  const slot = topic.slot === null ? null : new SlotStory(topic.slot);
  const moments: Moment[] = [];
  for (let position = 0; position <= end; position++) {
    const line = events[position]!;
    const atUs = timeOf(line);
    const change = beliefs.observe(line, atUs);
    bands.observe(line);
    jobs.observe(line, atUs);
    slot?.observe(line, atUs);
    const ours = isOfTopic(line, topic);
    const told = tell(line, change);
    const weight = firsts.isFirst(line) ? weighed(line, told.weight, ours, topic) : 0;
    // Most events are steps that changed nothing; they are told only as causes.
    if (weight === 0 && !cone.has(position)) continue;
    const text = told.text + answeredBy(line, slot);
    const lanes = beliefs.lanes(topic.group, nodes);
    const owner = slot?.now ?? "";
    moments.push({ position, atUs, weight, ours, line, text, bands: bands.text, lanes, owner });
  }
  for (const moment of moments) if (isStray(moment, slot)) moment.weight = 3;
  const endUs = end >= 0 ? timeOf(events[end]!) : 0;
  const shown = slot === null || slot.isEmpty ? null : slot;
  const bandColumns = bands.columns;
  return { moments, cone, end, beliefs, topic, slot: shown, jobs, nodes, bandColumns, endUs };
}

/**
 * In a cluster with many groups the leaders of others are nothing to the story, and how its slot
 * goes from group to group must not be crowded out by anything.
 */
function weighed({ kind, data }: TraceEvent, weight: Weight, ours: boolean, topic: Topic): Weight {
  if (!topic.mapped) return weight;
  if (!ours && (kind === "state" || kind === "role")) return weight === 0 ? 0 : 1;
  // What people set out to do is told by the jobs that come of it.
  if (kind === "fault" && errandKinds.some((each) => each === data.fault)) return 1;
  const moves = topic.slot !== null && ours && weight === 2;
  if (moves && kind === "slots") return 3;
  if (moves && kind === "job") return data.step === "" || isAbout(data, topic.slot) ? 3 : 1;
  return weight;
}

/** Asks or answers for which nothing spoke: what they were must not be crowded out either. */
function isStray({ line: { kind, data } }: Moment, slot: SlotStory | null): boolean {
  return (kind === "invoke" || kind === "return") && slot?.strays.has(data.operation) === true;
}

/** Who gave the answer that an operation on the slot returns with. */
function answeredBy({ kind, data }: TraceEvent, slot: SlotStory | null): string {
  const answer = kind === "return" ? (slot?.answerTo(data.operation) ?? null) : null;
  if (answer === null || slot === null || kind !== "return" || data.outcome !== "ok") return "";
  const { node, group, epoch, fits } = answer;
  const by = ` from n${node}, group ${group} at epoch ${epoch}`;
  return fits ? by : `${by}, NOT IN FORCE`;
}

function isAbout({ about, at }: TraceData<"job">, slot: number): boolean {
  return at === 0 || about.length === 0 || covers(about, slot);
}

function headLines({ header, cut }: Trace): string[] {
  const { scenario, seed, world, commit, nodeVersion, formatVersion, options } = header;
  const from = [commit && `commit ${commit}`, nodeVersion && `Node.js ${nodeVersion}`].filter(
    (part) => part !== "",
  );
  return [
    ...wrap(`${scenario}, seed ${seed}, world ${world}`, ""),
    ...wrap([`trace format ${formatVersion}`, ...from].join(", "), ""),
    ...wrap(`options ${JSON.stringify(options).replace(/["{}]/g, "").replace(/,/g, " ")}`, ""),
    ...(cut === null ? [] : wrap(`INCOMPLETE: ${traceProblemText(cut)}`, "")),
  ];
}

function violationLines(
  line: TraceEvent<"violation">,
  { properties = [] }: ExplainOptions,
): string[] {
  const { property, message } = line.data;
  const about = [...allOracles, ...properties].find(({ id }) => id === property)?.about;
  const where = [
    `at ${seconds(timeOf(line))} s`,
    ...(line.node > 0 ? [`node ${line.node}`] : []),
    ...(line.group > 0 ? [`group ${line.group}`] : []),
  ];
  return [
    `VIOLATION of ${property}, ${where.join(", ")}`,
    ...(about === undefined ? [] : wrap(`must hold: ${about}`, "  ")),
    ...wrap(`but: ${message}`, "  "),
  ];
}

function timelineLines(story: Story, options: ExplainOptions): string[] {
  const { moments, cone, topic, slot, nodes, bandColumns, end, endUs } = story;
  if (moments.length === 0) return ["Nothing happened."];
  const chosen = select(moments, {
    position: end,
    atUs: endUs,
    cone,
    linesMax: options.linesMax ?? linesMaxDefault,
    windowUs: options.windowUs ?? windowUsDefault,
  });
  const told = moments.filter((moment) => chosen.has(moment.position));
  const drawn = hasLanes(story) ? nodes : [];
  const clock = Math.max(8, seconds(endUs).length);
  const ownerColumns = Math.max(3, ...told.map(({ owner }) => owner.length));
  const row = (columns: RowColumns): string => {
    const { time, bands, lanes, owner, cause, text } = columns;
    const parts = [
      time.padStart(clock),
      ...(bandColumns > 0 ? [bands.padEnd(bandColumns)] : []),
      ...(drawn.length > 0 ? [lanes] : []),
      ...(slot === null ? [] : [owner.padStart(ownerColumns)]),
      ...(cone.size > 0 ? [cause ? "*" : " "] : []),
      text,
    ];
    return clip(parts.join(" ").trimEnd(), width);
  };
  const heads = drawn.map((node) => String(node % 10)).join("");
  return [
    `What led to it${aboutWords(story)}`,
    ...(legend(story) === "" ? [] : wrap(legend(story), "  ")),
    row({ time: "seconds", bands: "", lanes: heads, owner: "own", cause: false, text: "" }),
    ...told.map(({ position, atUs, bands, lanes, owner, line, text }) =>
      row({
        time: seconds(atUs),
        bands,
        lanes,
        owner,
        cause: cone.has(position),
        text: inPlace(line, text, topic),
      }),
    ),
    ...(told.length < moments.length ? [`(not shown: ${moments.length - told.length} more)`] : []),
  ];
}

function aboutWords({ topic: { group }, slot }: Story): string {
  if (slot !== null) return `, for slot ${slot.slot} (under the nodes: group ${group})`;
  return group > 0 ? `, in group ${group}` : "";
}

/** Who it happened to; and of which group, in the story of another one. */
function inPlace(line: TraceEvent, text: string, { group, mapped }: Topic): string {
  const { node, kind, group: own } = line;
  const who = node > 0 && kind !== "violation" ? `n${node} ` : "";
  // These name their groups themselves; whichever replica applies it first, a job is the map's.
  if (kind === "job") return text;
  if (kind === "slots") return `n${node}: ${text}`;
  if (kind === "steward") return who + text;
  const client = kind === "attempt" || kind === "reply" || kind === "return";
  const isOther = own > 0 && own !== group && (group > 0 || mapped);
  return who + text + (isOther && !client ? ` in group ${own}` : "");
}

interface RowColumns {
  readonly time: string;
  readonly bands: string;
  readonly lanes: string;
  readonly owner: string;
  readonly cause: boolean;
  readonly text: string;
}

/** Those of no one group, of many, would say nothing. */
function hasLanes({ nodes, topic: { group, mapped } }: Story): boolean {
  return nodes.length <= lanesMax && (group > 0 || !mapped);
}

function legend(story: Story): string {
  const { bandColumns, cone, slot } = story;
  return [
    ...(hasLanes(story)
      ? ["under each node: L leads, c campaigns, p asks around first, f follows, x is down"]
      : []),
    ...(bandColumns > 0 ? ["a letter for each fault while it lasts"] : []),
    ...(slot === null ? [] : [`own: the group that serves slot ${slot.slot}, - for nobody`]),
    ...(cone.size > 0 ? ["* caused the violation"] : []),
  ].join("; ");
}

function slotLines({ slot, topic }: Story): string[] {
  if (slot === null) return [];
  const keys = topic.keys.length === 0 ? "" : `, that of ${topic.keys.join(" ")}`;
  return [
    clip(`Who served slot ${slot.slot}${keys}`, width),
    "  one group at a time; each that takes it over, or takes it back, has a higher epoch",
    ...slot.lines(),
  ];
}

function jobLines({ topic, jobs }: Story): string[] {
  return topic.mapped ? ["Jobs at the end", ...jobs.lines()] : [];
}

/** Groups beside the one in question that are told of. */
const otherGroupsMax = 2;

function beliefSections(story: Story): string[][] {
  const { group, groups, mapped } = story.topic;
  if (!mapped) return [beliefLines(story, group)];
  const others = [...groups].filter((each) => each !== group).slice(-otherGroupsMax);
  return [group, ...others].flatMap((each) => (each === 0 ? [] : [beliefLines(story, each)]));
}

function beliefLines({ beliefs, nodes }: Story, group: number): string[] {
  const rows = nodes.flatMap((node) => {
    if (beliefs.isDown(node)) return [`  n${node}  is down`];
    const belief = beliefs.of(group, node);
    return belief === null ? [] : [clip(`  n${node}  ${beliefWords(belief)}`, width)];
  });
  if (rows.length === 0) return [];
  return [`What each node believed at the end${group > 0 ? `, in group ${group}` : ""}`, ...rows];
}

function beliefWords(belief: Belief): string {
  const { role, term, vote, leader, commit, replica, atUs } = belief;
  const parts = [
    ...(replica === null ? [] : [`replica ${replica}`]),
    role,
    `term ${term}`,
    vote === 0 ? "no vote" : `vote for ${vote}`,
    ...(leader === null || leader === 0 ? [] : [`leader ${leader}`]),
    `commit ${commit}`,
    logWords(belief),
    `seen at ${seconds(atUs)} s`,
  ];
  return parts.join(", ");
}

function replayLines(replay: readonly string[]): string[] {
  return replay.length === 0 ? [] : ["Run it again:", ...replay];
}

function nodesOf(events: readonly TraceEvent[], end: number): readonly number[] {
  const nodes = new Set<number>();
  for (let at = 0; at <= end; at++) if (events[at]!.node > 0) nodes.add(events[at]!.node);
  return [...nodes].toSorted((a, b) => a - b);
}

function isViolation(event: TraceEvent): event is TraceEvent<"violation"> {
  return event.kind === "violation";
}

function timeOf({ at, t }: TraceEvent): number {
  return at ?? t;
}
