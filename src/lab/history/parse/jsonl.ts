import type { LineParser } from "../events.js";

/** One JSON object per line; docs/reference/history-format.md describes it. */
export const parseJsonLine: LineParser = (line) => {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { expected: "one JSON object on the line" };
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { expected: "one JSON object on the line" };
  }
  const { process, type, f, key, value } = json as Record<string, unknown>;
  if (typeof process !== "number" || !Number.isSafeInteger(process) || process < 0) {
    return { expected: '"process": a whole number, not negative' };
  }
  if (type !== "invoke" && type !== "ok" && type !== "fail" && type !== "info") {
    return { expected: '"type": "invoke", "ok", "fail" or "info"' };
  }
  if (typeof f !== "string") return { expected: '"f": the name of the operation' };
  if (key !== undefined && key !== null && typeof key !== "string" && typeof key !== "number") {
    return { expected: '"key": a string or a number, or none' };
  }
  return { process, type, f, key: String(key ?? ""), value: value ?? null };
};
