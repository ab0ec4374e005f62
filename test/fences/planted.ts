import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository: string = fileURLToPath(new URL("../..", import.meta.url));

/** A throw-away copy of the parts of the repository that make a fence, with impurities planted. */
export interface PlantedTree {
  readonly root: string;
  /** Copies a file or folder of the repository to the same place in the tree. */
  copy(path: string): void;
  write(path: string, text: string): void;
  /** Runs a script of an installed package with Node; never throws on a failing exit code. */
  run(script: string, args: readonly string[]): { code: number | null; output: string };
  remove(): void;
}

export function plantTree(): PlantedTree {
  const root = mkdtempSync(join(tmpdir(), "quorumlab-fence-"));
  symlinkSync(join(repository, "node_modules"), join(root, "node_modules"), "dir");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("package.json", JSON.stringify({ name: "planted", type: "module", private: true }));
  return {
    root,
    write,
    copy: (path) => cpSync(join(repository, path), join(root, path), { recursive: true }),
    run: (script, args) => {
      const path = join(repository, "node_modules", script);
      const ran = spawnSync(process.execPath, [path, ...args], {
        cwd: root,
        encoding: "utf8",
        env: { ...process.env, NO_COLOR: "1", CI: "", GITHUB_ACTIONS: "" },
      });
      return { code: ran.status, output: ran.stdout + ran.stderr };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
