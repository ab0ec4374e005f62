/**
 * A failure in text: what was broken, what led to it, what each node believed at the end, and how
 * to run it again. Made from a trace alone.
 */
import type { TraceEvent } from "../../core/trace/schema.js";
import type { OracleSpec } from "../oracle.js";
import { allOracles } from "../oracles/index.js";
import { traceProblemText, type Trace } from "../trace-reader.js";
import { Bands } from "./bands.js";
import { Beliefs, type Belief } from "./beliefs.js";
import { clip, seconds, width, wrap } from "./layout.js";
import { coneOf, select, type Candidate } from "./select.js";
import { logWords, tell } from "./words.js";

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
    timelineLines(story, options),
    beliefLines(story),
    replayLines(options.replay ?? []),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

interface Moment extends Candidate {
  readonly line: TraceEvent;
  readonly text: string;
  readonly bands: string;
  readonly lanes: string;
}

interface Story {
  readonly moments: readonly Moment[];
  readonly cone: ReadonlySet<number>;
  readonly end: number;
  readonly beliefs: Beliefs;
  readonly group: number;
  readonly nodes: readonly number[];
  readonly bandColumns: number;
  readonly endUs: number;
}

/** Goes through all events up to the end and notes how everything stood at each. */
function followTo(events: readonly TraceEvent[], end: number, cone: ReadonlySet<number>): Story {
  const group = focusGroup(events, end);
  const nodes = nodesOf(events, end);
  const beliefs = new Beliefs();
  const bands = new Bands();
  const moments: Moment[] = [];
  for (let position = 0; position <= end; position++) {
    const line = events[position]!;
    const atUs = timeOf(line);
    const change = beliefs.observe(line, atUs);
    bands.observe(line);
    const { weight, text } = tell(line, change);
    // Most events are steps that changed nothing; they are told only as causes.
    if (weight === 0 && !cone.has(position)) continue;
    const lanes = beliefs.lanes(group, nodes);
    moments.push({
      position,
      atUs,
      weight,
      group: line.group,
      line,
      text,
      bands: bands.text,
      lanes,
    });
  }
  const endUs = end >= 0 ? timeOf(events[end]!) : 0;
  return { moments, cone, end, beliefs, group, nodes, bandColumns: bands.columns, endUs };
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
  const { moments, cone, group, nodes, bandColumns, end, endUs } = story;
  if (moments.length === 0) return ["Nothing happened."];
  const chosen = select(moments, {
    position: end,
    atUs: endUs,
    group,
    cone,
    linesMax: options.linesMax ?? linesMaxDefault,
    windowUs: options.windowUs ?? windowUsDefault,
  });
  const told = moments.filter((moment) => chosen.has(moment.position));
  const drawn = nodes.length <= lanesMax ? nodes : [];
  const clock = Math.max(8, seconds(endUs).length);
  const row = (columns: RowColumns): string => {
    const { time, bands, lanes, cause, text } = columns;
    const parts = [
      time.padStart(clock),
      ...(bandColumns > 0 ? [bands.padEnd(bandColumns)] : []),
      ...(drawn.length > 0 ? [lanes] : []),
      ...(cone.size > 0 ? [cause ? "*" : " "] : []),
      text,
    ];
    return clip(parts.join(" ").trimEnd(), width);
  };
  const heads = drawn.map((node) => String(node % 10)).join("");
  return [
    `What led to it${group > 0 ? `, in group ${group}` : ""}`,
    ...wrap(legend(story), "  "),
    row({ time: "seconds", bands: "", lanes: heads, cause: false, text: "" }),
    ...told.map(({ position, atUs, bands, lanes, line, text }) =>
      row({
        time: seconds(atUs),
        bands,
        lanes,
        cause: cone.has(position),
        text: inPlace(line, text, group),
      }),
    ),
    ...(told.length < moments.length ? [`(not shown: ${moments.length - told.length} more)`] : []),
  ];
}

/** Who it happened to; and of which group, in the story of another one. */
function inPlace({ node, kind, group: own }: TraceEvent, text: string, group: number): string {
  const who = node > 0 && kind !== "violation" ? `n${node} ` : "";
  const where = group > 0 && own > 0 && own !== group ? ` in group ${own}` : "";
  return who + text + where;
}

interface RowColumns {
  readonly time: string;
  readonly bands: string;
  readonly lanes: string;
  readonly cause: boolean;
  readonly text: string;
}

function legend({ bandColumns, cone }: Story): string {
  return [
    "under each node: L leads, c campaigns, p asks around first, f follows, x is down",
    ...(bandColumns > 0 ? ["a letter for each fault while it lasts"] : []),
    ...(cone.size > 0 ? ["* caused the violation"] : []),
  ].join("; ");
}

function beliefLines({ beliefs, group, nodes }: Story): string[] {
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

/** The group of the violation; else the one with most events. 0 when there is only that. */
function focusGroup(events: readonly TraceEvent[], end: number): number {
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
