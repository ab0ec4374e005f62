/** What may reach a terminal of text that came from elsewhere: a file, a protocol, a path. */

/** Colours and emphasis as our own paint writes them; whatever else begins with ESC is not ours. */
const paint = String.raw`\u001b\[(?:1|2|22|3\d)m`;
/** Controls other than the line feed, and marks that turn the order of what is shown around. */
const control = String.raw`[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]`;
const unprintable = new RegExp(`${paint}|${control}`, "g");

/** Control characters are written as escapes. `painted`: but our own colours are kept. */
export function printable(text: string, { painted }: { readonly painted: boolean }): string {
  return text.replace(unprintable, (found) =>
    painted && found.length > 1 ? found : escapeOf(found.charCodeAt(0)) + found.slice(1),
  );
}

function escapeOf(code: number): string {
  return `\\u${code.toString(16).padStart(4, "0")}`;
}
