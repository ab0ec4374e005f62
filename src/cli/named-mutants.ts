/** Finds mutants as people name them: by id, or by the row that the id begins with. */
import type { Mutant } from "../sim/search/mutants/mutant.js";
import { usageError } from "./errors.js";
import { nearest } from "./nearest.js";

/** At least one. */
export function mutantsNamed(all: readonly Mutant[], asked: string): readonly Mutant[] {
  const found = all.filter(({ id }) => id === asked || id.startsWith(`${asked}-`));
  if (found.length > 0) return found;
  const meant = nearest(
    asked,
    all.map(({ id }) => id),
  );
  const hint = meant === null ? "" : ` Did you mean ${meant}?`;
  throw usageError(`there is no mutant ${asked}.${hint} All of them: npx quorumlab list`);
}

export function oneMutant(all: readonly Mutant[], asked: string): Mutant {
  const [found, ...others] = mutantsNamed(all, asked);
  if (others.length === 0) return found!;
  const ids = [found!, ...others].map(({ id }) => id);
  throw usageError(`${asked} may be ${ids.join(" or ")}; name one of them`);
}
