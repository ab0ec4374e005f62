/**
 * Whether a search tried what it was meant to try. A rare branch that was never entered, or a fault
 * that never changed anything, is a hole in the search, however green its seeds are (CONTRACTS 9).
 */
import { allMarks } from "../../core/marks.js";
import type { FaultKind } from "../../lab/fault.js";
import type { Scenario } from "../../lab/scenario.js";
import { marksElsewhere } from "./marks-elsewhere.js";
import type { PlannedTally, Tally } from "./tally.js";

/** Fewer runs say nothing about what is rare. */
export const judgedRunsMin = 2_000;
/** A fault must have an effect in one of so many runs that drew it. */
const effectiveOneIn = 100;
/** So many runs of a scenario, before what it has not shown counts against it. */
const scenarioRunsMin = 20;
/** So many runs that planned a fault, before it is judged by itself: in fewer, chance has a say. */
const plannedRunsMin = 100;

/** Kinds that nothing in a simulated node can feel, with the reason. */
export const unfelt: Partial<Readonly<Record<FaultKind, string>>> = {
  wallStep:
    "the core reads the wall clock only to date a change of the map, and decides nothing by that",
};

export interface SearchedScenarios {
  /** Those that took part. */
  readonly searched: readonly Scenario[];
  /** True if they are all that there are: only then must every mark be reached. */
  readonly all: boolean;
}

/** What is missing, in plain words; nothing for a search that is too short to be judged. */
export function vacuities(tally: Tally, { searched, all }: SearchedScenarios): string[] {
  if (tally.seeds < judgedRunsMin) return [];
  return [
    ...(all ? unreachedMarks(tally) : []),
    ...ineffectiveFaults(tally),
    ...searched.flatMap((scenario) => unshown(tally, scenario)),
  ];
}

function unreachedMarks({ marks }: Tally): string[] {
  return Object.entries(allMarks)
    .filter(([name]) => (marks[name] ?? 0) === 0 && !(name in marksElsewhere))
    .map(([name, about]) => `mark ${name} was never reached: ${about}`);
}

function ineffectiveFaults({ faults }: Tally): string[] {
  return (Object.keys(faults) as FaultKind[]).flatMap((kind) => {
    const { fired, drawnRuns, effectiveRuns } = faults[kind]!;
    if (kind in unfelt) return [];
    // Runs that a violation cut short before it had an effect are not among those that drew it.
    if (fired > 0 && effectiveRuns === 0) {
      return [`fault ${kind} was set off ${fired} times and never had an effect`];
    }
    if (effectiveRuns * effectiveOneIn >= drawnRuns) return [];
    return [
      `fault ${kind} had an effect in ${effectiveRuns} of the ${drawnRuns} seeds that drew it, ` +
        "which is less than 1 in 100",
    ];
  });
}

function unshown({ scenarios }: Tally, { name, expect }: Scenario): string[] {
  const counts = scenarios[name];
  if (counts === undefined || counts.runs < scenarioRunsMin) return [];
  const found: string[] = [];
  if (expect === "violation" && counts.violations === 0) {
    found.push(`scenario ${name} expects a violation, and ${counts.runs} seeds found none`);
  }
  for (const [kind, ids] of Object.entries(counts.planned)) {
    found.push(...inertFaults(name, kind, Object.entries(ids)));
  }
  return found;
}

/**
 * A fault that enough runs planned is judged by itself. An id may stand in the plans of a few seeds
 * only, when the plan draws how many faults it has: these are judged by all faults of their kind.
 */
function inertFaults(
  scenario: string,
  kind: string,
  ids: readonly (readonly [string, PlannedTally])[],
): string[] {
  const judged = ids.filter(([, { runs }]) => runs >= plannedRunsMin);
  const found = judged
    .filter(([, count]) => mostlyInert(count))
    .map(
      ([id, { runs, inertRuns }]) =>
        `fault ${id} of scenario ${scenario} changed nothing in ${inertRuns} of the ${runs} seeds ` +
        "that planned it, which is more than half",
    );
  if (found.length > 0 || judged.length === ids.length) return found;
  const all = { runs: 0, inertRuns: 0 };
  for (const [, { runs, inertRuns }] of ids) {
    all.runs += runs;
    all.inertRuns += inertRuns;
  }
  if (all.runs < scenarioRunsMin || !mostlyInert(all)) return [];
  return [
    `faults ${kind} of scenario ${scenario} changed nothing in ${all.inertRuns} of the ${all.runs} ` +
      "times that they were planned, which is more than half",
  ];
}

function mostlyInert({ runs, inertRuns }: PlannedTally): boolean {
  return inertRuns * 2 > runs;
}
