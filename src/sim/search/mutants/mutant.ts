/**
 * A mutant is a known bug, planted on purpose: a small textual edit of the shipped source. No hook
 * or flag for it exists in the code. It is killed when a shipped scenario violates the property that
 * it is said to break, on a seed that the unmutated code passes.
 */
export interface Mutant {
  /** `NN-what-is-wrong`; NN is its row in the catalogue of real bugs, or a letter for our own. */
  readonly id: string;
  /** What is wrong now, in one sentence. */
  readonly about: string;
  readonly world: "sim" | "real";
  /** `find` must match exactly once in `file`, a path under `src/`. */
  readonly edits: readonly Edit[];
  /** Properties, any of which its violation may show as. */
  readonly breaks: readonly string[];
  /** The real system and report that it was learnt from. */
  readonly source: string;
  /** Scenarios that are searched for it, taking turns. */
  readonly scenarios: readonly string[];
}

export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A row of the catalogue that our design rules out, so that no edit can bring it about. */
export interface Excluded {
  readonly row: string;
  readonly was: string;
  readonly because: string;
}

/** What the edits make of a source text; an edit that does not apply is an error that says so. */
export function applyEdits(
  edits: readonly Edit[],
  read: (file: string) => string | null,
): { readonly ok: ReadonlyMap<string, string> } | { readonly error: string } {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const text = texts.get(file) ?? read(file);
    if (text === null) return { error: `${file} is not there` };
    const count = text.split(find).length - 1;
    if (count !== 1) {
      return { error: `${file}: the text to replace is there ${count} times, not once: ${find}` };
    }
    if (find === replace) return { error: `${file}: the edit changes nothing: ${find}` };
    texts.set(
      file,
      text.replace(find, () => replace),
    );
  }
  return { ok: texts };
}
