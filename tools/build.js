/**
 * Compiles into dist/, removes what no source accounts for any more, and writes dist/build.json with
 * the commit that was built and a digest of what came of it.
 *
 * It never empties dist/ first: npm runs it again (as `prepare`) on the first `npx quorumlab`, when
 * another process may already be running from there.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");

if (!existsSync(compiler)) {
  process.stderr.write(
    "build: the TypeScript compiler is not installed. Run: npm ci --include=dev\n" +
      "(to install without building: npm ci --omit=dev --ignore-scripts)\n",
  );
  process.exit(69);
}

compile();
const expected = expectedOutputs();
// The compiler trusts its own notes and would not see that an output was deleted by hand.
if ([...expected.required].some((path) => !existsSync(join(dist, path)))) compile("--force");
prune(expected);
writeBuildInfo(codeDigest(expected.required));

/** @param {string[]} options */
function compile(...options) {
  const ran = spawnSync(process.execPath, [compiler, "-b", ...options], {
    cwd: root,
    stdio: "inherit",
  });
  if (ran.status !== 0) process.exit(ran.status ?? 70);
}

function expectedOutputs() {
  const required = new Set();
  const allowed = new Set(["build.json", "tsconfig.tsbuildinfo"]);
  for (const [folder, target] of [
    ["src", ""],
    ["scenarios", "scenarios"],
    ["test/mutants", "mutants"],
  ]) {
    for (const path of filesIn(join(root, folder))) {
      const output = join(target, path);
      if (path.endsWith("tsconfig.json")) {
        allowed.add(output.replace(/\.json$/, ".tsbuildinfo"));
      } else if (/(?<!\.test|\.d)\.ts$/.test(path)) {
        const stem = output.replace(/\.ts$/, "");
        required.add(`${stem}.js`).add(`${stem}.d.ts`);
        for (const end of [".js", ".js.map", ".d.ts", ".d.ts.map"]) allowed.add(stem + end);
      }
    }
  }
  return { required, allowed };
}

/** @param {{ allowed: Set<string> }} outputs */
function prune({ allowed }) {
  for (const path of filesIn(dist)) {
    if (!allowed.has(path)) rmSync(join(dist, path), { force: true });
  }
}

/** `commit` is null where there is no repository. */
/** @param {string} code */
function writeBuildInfo(code) {
  const commit = git("rev-parse", "HEAD");
  const dirty = commit !== null && git("status", "--porcelain") !== "";
  const text = `${JSON.stringify({ commit, dirty, code })}\n`;
  const path = join(dist, "build.json");
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

/**
 * Tells builds of changed files apart, which their commit does not.
 * @param {Set<string>} outputs
 */
function codeDigest(outputs) {
  const hash = createHash("sha256");
  const programs = [...outputs].filter((path) => path.endsWith(".js")).sort();
  for (const path of programs) hash.update(`${path}\n`).update(readFileSync(join(dist, path)));
  return hash.digest("hex");
}

/** @param {string[]} args */
function git(...args) {
  // A package unpacked inside someone else's repository must not take that one's commit.
  if (!existsSync(join(root, ".git"))) return null;
  try {
    const stdio = /** @type {const} */ (["ignore", "pipe", "ignore"]);
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio }).trim();
  } catch {
    return null;
  }
}

/**
 * @param {string} folder
 * @returns {string[]} paths relative to the folder
 */
function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
