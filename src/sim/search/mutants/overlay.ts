/**
 * A copy of the built package in which the files that a mutant changes are its own. A worker loads
 * the copy; the package itself is never touched.
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { makeFolder } from "../artifact/folders.js";
import { applyEdits, type Mutant } from "./mutant.js";

/** Its id names the overlay's folder. */
type Planted = Pick<Mutant, "id" | "edits">;

export interface Overlay {
  /** The folder that takes the place of `dist`. */
  readonly dist: string;
  remove(): void;
}

/** Folders that a process that ends in a hurry, as after a second interrupt, still has to remove. */
const inUse = new Set<string>();
process.on("exit", () => {
  for (const folder of inUse) rmSync(folder, { recursive: true, force: true });
});

/**
 * `root` is the package's folder. Overlays lie below its `node_modules`, so that what the code
 * imports is found from there as from the package itself; where nothing can be written there, in a
 * temporary folder with links to what the package finds.
 * @throws NodeJS.ErrnoException when the system refuses both
 */
export function makeOverlay(root: string, mutant: Planted): Overlay | { readonly error: string } {
  const changed = changedTexts(root, mutant);
  if ("error" in changed) return changed;
  const name = `${mutant.id}-${process.pid}`;
  try {
    return fillOverlay(root, join(root, "node_modules", ".cache", "quorumlab", name), changed.ok);
  } catch {
    const folder = mkdtempSync(join(tmpdir(), "quorumlab-overlay-"));
    return fillOverlay(root, folder, changed.ok, linkModules);
  }
}

/** `prepare` gets the folder first, and says which below it takes the place of the package. */
function fillOverlay(
  root: string,
  folder: string,
  texts: ReadonlyMap<string, string>,
  prepare: (root: string, folder: string) => string = (_root, place) => place,
): Overlay {
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
    inUse.delete(folder);
  };
  rmSync(folder, { recursive: true, force: true });
  makeFolder(folder);
  inUse.add(folder);
  try {
    const place = prepare(root, folder);
    // Scenarios import the package by its own name, which its nearest package.json answers to.
    cpSync(join(root, "package.json"), join(place, "package.json"));
    cpSync(join(root, "dist"), join(place, "dist"), { recursive: true });
    for (const [file, text] of texts) {
      const target = join(place, "dist", file.replace(/\.ts$/, ".js"));
      makeFolder(dirname(target));
      const { code } = transformSync(text, { loader: "ts", format: "esm", target: "es2023" });
      writeFileSync(target, code);
    }
    return { dist: join(place, "dist"), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/**
 * What a package imports is in its own `node_modules`, or in the one that it is installed in: each
 * is linked to on a level of its own, the nearest innermost.
 */
function linkModules(root: string, folder: string): string {
  const inner = join(folder, "package");
  makeFolder(inner);
  const [own, outer] = modulesAbove(root);
  if (own !== undefined) symlinkSync(own, join(inner, "node_modules"), "junction");
  if (outer !== undefined) symlinkSync(outer, join(folder, "node_modules"), "junction");
  return inner;
}

/** Those that Node.js looks in for `root`, the nearest first. */
function modulesAbove(root: string): string[] {
  const found: string[] = [];
  for (let at = resolve(root); ; at = dirname(at)) {
    const modules = basename(at) === "node_modules" ? at : join(at, "node_modules");
    if (!found.includes(modules) && existsSync(modules)) found.push(modules);
    if (dirname(at) === at) return found;
  }
}

/** Null when the mutant still applies to the source. */
export function whyNotApplied(root: string, mutant: Planted): string | null {
  const changed = changedTexts(root, mutant);
  return "error" in changed ? changed.error : null;
}

function changedTexts(root: string, { id, edits }: Planted): ReturnType<typeof applyEdits> {
  const changed = applyEdits(edits, (file) => {
    const path = join(root, "src", file);
    return existsSync(path) ? readFileSync(path, "utf8") : null;
  });
  return "error" in changed
    ? { error: `mutant ${id} no longer applies: ${changed.error}` }
    : changed;
}
