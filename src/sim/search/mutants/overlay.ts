/**
 * A copy of the built package in which the files that a mutant changes are its own. A worker loads
 * the copy; the package itself is never touched.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transformSync } from "esbuild";
import { applyEdits, type Mutant } from "./mutant.js";

export interface Overlay {
  /** The folder that takes the place of `dist`. */
  readonly dist: string;
  remove(): void;
}

/**
 * `root` is the package's folder. Overlays lie below its `node_modules`, so that what the code
 * imports is found from there as from the package itself.
 */
export function makeOverlay(root: string, mutant: Mutant): Overlay | { readonly error: string } {
  const changed = changedTexts(root, mutant);
  if ("error" in changed) return changed;
  const folder = join(root, "node_modules", ".cache", "quorumlab", `${mutant.id}-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Scenarios import the package by its own name, which its nearest package.json answers to.
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
  for (const [file, text] of changed.ok) {
    const target = join(folder, "dist", file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(
      target,
      transformSync(text, { loader: "ts", format: "esm", target: "es2023" }).code,
    );
  }
  return {
    dist: join(folder, "dist"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Null when the mutant still applies to the source. */
export function whyNotApplied(root: string, mutant: Mutant): string | null {
  const changed = changedTexts(root, mutant);
  return "error" in changed ? changed.error : null;
}

function changedTexts(root: string, { id, edits }: Mutant): ReturnType<typeof applyEdits> {
  const changed = applyEdits(edits, (file) => {
    const path = join(root, "src", file);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  });
  return "error" in changed
    ? { error: `mutant ${id} no longer applies: ${changed.error}` }
    : changed;
}
