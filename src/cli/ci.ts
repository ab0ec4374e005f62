/** What continuous integration reads: JUnit's XML and GitHub's annotations. */
import type { FailureRow } from "../sim/search/result-file.js";
import type { Tally } from "../sim/search/tally.js";

/** One test case for each scenario; a failed one holds its first failures. */
const shownPerScenario = 20;

export function junitXml(
  tally: Tally,
  failures: readonly FailureRow[],
  { wallMs, replay }: { readonly wallMs: number; readonly replay: (row: FailureRow) => string },
): string {
  const names = Object.keys(tally.scenarios);
  const cases = names.map((name) => {
    const own = failures.filter((row) => row.scenario === name);
    const open = `    <testcase classname="quorumlab" name="${escaped(name)}"`;
    if (own.length === 0) return `${open}/>`;
    const told = own
      .slice(0, shownPerScenario)
      .map((row) => `${row.property} seed ${row.seed}: ${row.message}\n${replay(row)}`);
    const message = escaped(`${own.length} of ${tally.scenarios[name]!.runs} seeds failed`);
    return (
      `${open}>\n      <failure message="${message}" type="${escaped(own[0]!.property)}">` +
      `${escaped(told.join("\n"))}</failure>\n    </testcase>`
    );
  });
  const failed = names.filter((name) => failures.some((row) => row.scenario === name)).length;
  const counts = `tests="${names.length}" failures="${failed}" time="${(wallMs / 1_000).toFixed(3)}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="quorumlab search" ${counts}>`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

/** A workflow command; it points at the file that holds the scenario. */
export function githubError(row: FailureRow, replay: string): string {
  const file = property(`scenarios/${row.scenario}.ts`);
  const title = property(`${row.property} violated`);
  const text = `${row.scenario}, seed ${row.seed}: ${row.message}\n${replay}`;
  return `::error file=${file},line=1,title=${title}::${data(text)}`;
}

function escaped(text: string): string {
  return (
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      // XML 1.0 has no way to write these.
      .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
  );
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
