/** Text for a terminal of `width` columns. */

/** No line that `explain` prints is longer. */
export const width = 110;

/** Microseconds as seconds, all digits, so that a time can be searched for in the trace. */
export function seconds(us: number): string {
  const whole = Math.floor(Math.abs(us) / 1_000_000);
  const rest = Math.abs(us) % 1_000_000;
  return `${us < 0 ? "-" : ""}${whole}.${String(rest).padStart(6, "0")}`;
}

/** A span as people say it: `3 s`, `120 ms`, `45 us`. */
export function span(us: number): string {
  if (us >= 1_000_000) return `${trimmed(us / 1_000_000)} s`;
  if (us >= 1_000) return `${trimmed(us / 1_000)} ms`;
  return `${us} us`;
}

/** At most three digits after the point, none that are zero. */
function trimmed(n: number): string {
  return String(Math.round(n * 1_000) / 1_000);
}

/** One line of at most `columns`, cut with an ellipsis. Control characters become a dot. */
export function clip(text: string, columns: number): string {
  const clean = printable(text);
  return clean.length <= columns ? clean : `${clean.slice(0, Math.max(0, columns - 3))}...`;
}

/** Lines of at most `width`, broken at spaces where there are any, each after `indent`. */
export function wrap(text: string, indent: string): string[] {
  const columns = width - indent.length;
  const lines: string[] = [];
  let left = printable(text);
  while (left.length > columns) {
    const space = left.lastIndexOf(" ", columns);
    const end = space > 0 ? space : columns;
    lines.push(indent + left.slice(0, end));
    left = left.slice(end).trimStart();
  }
  lines.push(indent + left);
  return lines;
}

/** Keys and values are anybody's; a terminal must not obey them. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, ".");
}
