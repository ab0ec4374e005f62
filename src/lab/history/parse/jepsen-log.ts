import type { HistoryEvent, LineParser } from "../events.js";

const SCALAR = String.raw`nil|-?\d{1,15}`;
const EVENT = new RegExp(
  String.raw`^INFO\s+jepsen\.util\s+-\s+(\d{1,15})\s+:(invoke|ok|fail|info)\s+:([a-z]+)\s+` +
    String.raw`(?:(${SCALAR})|\[(${SCALAR})\s+(${SCALAR})\]|:([a-z-]+))$`,
);
/** Lines of other loggers, and what the nemesis did. */
const OTHER =
  /^(?:TRACE|DEBUG|INFO|WARN|ERROR)\s+(?:(?!jepsen\.util\s)\S+\s+-|jepsen\.util\s+-\s+:nemesis)\s/;

/**
 * The text log of Jepsen: `INFO  jepsen.util - <process> :<type> :<f> <nil | int | [from to] | :timed-out>`. What
 * other loggers and the nemesis say is passed over.
 */
export const parseJepsenLine: LineParser = (line) => {
  const match = EVENT.exec(line);
  if (match === null) {
    if (OTHER.test(line)) return null;
    return {
      expected:
        "INFO jepsen.util - <process> :<invoke|ok|fail|info> :<f> <nil | int | [from to] | :word>",
    };
  }
  const [, process, type, f, scalar, from, to] = match;
  return {
    process: Number(process),
    type: type as HistoryEvent["type"],
    f: f!,
    key: "",
    value:
      scalar !== undefined
        ? scalarOf(scalar)
        : from !== undefined
          ? [scalarOf(from), scalarOf(to!)]
          : undefined,
  };
};

function scalarOf(text: string): number | null {
  return text === "nil" ? null : Number(text);
}
