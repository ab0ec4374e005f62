import type { LineParser } from "../events.js";

const DEPTH_MAX = 16;

/** A keyword of EDN, such as `:invoke`, without its colon. */
export interface EdnKeyword {
  readonly keyword: string;
}

export type EdnValue =
  | null
  | boolean
  | number
  | string
  | EdnKeyword
  | readonly EdnValue[]
  | ReadonlyMap<string, EdnValue>;

/**
 * One EDN map per line: `{:process 0, :type :invoke, :f :get, :key "k", :value nil}`. Events whose process is a
 * keyword, such as `:nemesis`, are passed over.
 */
export const parseEdnLine: LineParser = (line) => {
  if (line.startsWith(";")) return null;
  const parsed = parseEdn(line);
  if (!parsed.ok) return parsed;
  const map = parsed.value;
  if (!(map instanceof Map)) return { expected: "one EDN map on the line" };
  const process = map.get("process");
  if (isKeyword(process)) return null;
  if (typeof process !== "number" || !Number.isSafeInteger(process) || process < 0) {
    return { expected: ":process and a whole number, not negative" };
  }
  const type = keywordOf(map.get("type"));
  if (type !== "invoke" && type !== "ok" && type !== "fail" && type !== "info") {
    return { expected: ":type and :invoke, :ok, :fail or :info" };
  }
  const f = keywordOf(map.get("f"));
  if (f === undefined) return { expected: ":f and a keyword, the name of the operation" };
  const key = map.get("key") ?? "";
  const name = typeof key === "string" || typeof key === "number" ? String(key) : keywordOf(key);
  if (name === undefined) return { expected: ":key and a string, a number or a keyword, or none" };
  return { process, type, f, key: name, value: map.get("value") ?? null };
};

/** Reads the one EDN value that is all of `text`: nil, booleans, numbers, strings, keywords, vectors, lists, maps. */
export function parseEdn(
  text: string,
):
  | { readonly ok: true; readonly value: EdnValue }
  | { readonly ok: false; readonly expected: string } {
  const reader: Reader = { text, at: 0 };
  const value = readValue(reader, 0);
  if (isMistake(value)) return { ok: false, expected: value.mistake };
  skipBlank(reader);
  if (reader.at < text.length && text[reader.at] !== ";") {
    return { ok: false, expected: `nothing after the value, at column ${reader.at + 1}` };
  }
  return { ok: true, value };
}

interface Reader {
  readonly text: string;
  at: number;
}

interface Mistake {
  readonly mistake: string;
}

function readValue(reader: Reader, depth: number): EdnValue | Mistake {
  skipBlank(reader);
  if (depth > DEPTH_MAX) return { mistake: `at most ${DEPTH_MAX} levels of nesting` };
  switch (reader.text[reader.at]) {
    case '"':
      return readString(reader);
    case "[":
      return readList(reader, "]", depth);
    case "(":
      return readList(reader, ")", depth);
    case "{":
      return readMap(reader, depth);
    default:
      return readAtom(reader);
  }
}

function readAtom(reader: Reader): EdnValue | Mistake {
  const start = reader.at;
  while (reader.at < reader.text.length && !/[\s,;"()[\]{}]/.test(reader.text[reader.at]!))
    reader.at++;
  const atom = reader.text.slice(start, reader.at);
  if (atom === "nil") return null;
  if (atom === "true" || atom === "false") return atom === "true";
  if (/^:[^:]+$/.test(atom)) return { keyword: atom.slice(1) };
  if (/^[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(atom)) return Number(atom);
  return { mistake: `an EDN value at column ${start + 1}` };
}

function readString(reader: Reader): string | Mistake {
  const start = reader.at++;
  let value = "";
  for (let from = reader.at; reader.at < reader.text.length;) {
    const character = reader.text[reader.at++]!;
    if (character === '"') return value + reader.text.slice(from, reader.at - 1);
    if (character !== "\\") continue;
    value += reader.text.slice(from, reader.at - 1);
    const escape = reader.text[reader.at++] ?? "";
    const code = escape === "u" ? reader.text.slice(reader.at, reader.at + 4) : "";
    const plain = ESCAPES.get(escape);
    if (plain !== undefined) value += plain;
    else if (/^[0-9a-fA-F]{4}$/.test(code)) {
      value += String.fromCharCode(parseInt(code, 16));
      reader.at += 4;
    } else return { mistake: `an escape of EDN at column ${reader.at - 1}` };
    from = reader.at;
  }
  return { mistake: `the end of the string that begins at column ${start + 1}` };
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
  ["\\", "\\"],
  ['"', '"'],
]);

function readList(reader: Reader, close: string, depth: number): EdnValue[] | Mistake {
  const start = reader.at++;
  const list: EdnValue[] = [];
  for (;;) {
    skipBlank(reader);
    if (reader.at >= reader.text.length)
      return { mistake: `"${close}" for the one at column ${start + 1}` };
    if (reader.text[reader.at] === close) {
      reader.at++;
      return list;
    }
    const value = readValue(reader, depth + 1);
    if (isMistake(value)) return value;
    list.push(value);
  }
}

function readMap(reader: Reader, depth: number): ReadonlyMap<string, EdnValue> | Mistake {
  const start = reader.at;
  const list = readList(reader, "}", depth);
  if (isMistake(list)) return list;
  const map = new Map<string, EdnValue>();
  for (let at = 0; at < list.length; at += 2) {
    const name = keywordOf(list[at]);
    if (name === undefined)
      return { mistake: `keywords as keys in the map at column ${start + 1}` };
    if (at + 1 === list.length)
      return { mistake: `a value for :${name} in the map at column ${start + 1}` };
    if (map.has(name)) return { mistake: `:${name} only once in the map at column ${start + 1}` };
    map.set(name, list[at + 1]!);
  }
  return map;
}

/** Commas are blanks in EDN. */
function skipBlank(reader: Reader): void {
  while (reader.at < reader.text.length && /[\s,]/.test(reader.text[reader.at]!)) reader.at++;
}

function isMistake(value: EdnValue | Mistake): value is Mistake {
  return typeof value === "object" && value !== null && "mistake" in value;
}

function isKeyword(value: EdnValue | undefined): value is EdnKeyword {
  return typeof value === "object" && value !== null && "keyword" in value;
}

function keywordOf(value: EdnValue | undefined): string | undefined {
  return isKeyword(value) ? value.keyword : undefined;
}
