import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder } from "../../../../src/sim/search/artifact/folders.js";
import { writeWhole } from "../../../../src/sim/search/artifact/json-file.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("writing: a plain file is replaced, with the folders made and nothing left beside it", () => {
  const path = join(folder, "a", "b", "file");
  writeWhole(path, ["old"]);
  writeWhole(path, ["new", "er"]);
  expect(readFileSync(path, "utf8")).toBe("newer");
  expect(readdirSync(join(folder, "a", "b"))).toEqual(["file"]);
});

test.runIf(process.platform !== "win32")("writing: into a pipe, which stays one", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reader = spawn("cat", [pipe]);
  let read = "";
  reader.stdout.setEncoding("utf8").on("data", (text: string) => (read += text));
  writeWhole(pipe, ["one ", "two"]);
  await once(reader, "close");
  expect(read).toBe("one two");
  expect(lstatSync(pipe).isFIFO()).toBe(true);
});

test("writing: through a symbolic link, which stays one, also before its file is there", () => {
  mkdirSync(join(folder, "elsewhere"));
  const link = join(folder, "link");
  symlinkSync(join("elsewhere", "file"), link);
  for (const text of ["first", "second"]) {
    writeWhole(link, [text]);
    expect(readFileSync(join(folder, "elsewhere", "file"), "utf8")).toBe(text);
  }
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test("writing: what fails in the middle leaves the old file, and nothing beside it", () => {
  const path = join(folder, "file");
  writeWhole(path, ["old"]);
  const parts = function* (): Generator<string> {
    yield "half";
    throw new Error("no more");
  };
  expect(() => writeWhole(path, parts())).toThrow("no more");
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("folders: one that is there is fine; below a file there can be none", () => {
  makeFolder(join(folder, "a", "b"));
  makeFolder(join(folder, "a", "b"));
  writeFileSync(join(folder, "file"), "");
  expect(() => makeFolder(join(folder, "file", "a", "b"))).toThrow("EEXIST");
});

// With `recursive`, Node's own never comes back from this.
test.runIf(process.platform === "linux")("folders: none below /proc, and that is said", () => {
  expect(() => makeFolder("/proc/quorumlab/out/deep")).toThrow("ENOENT");
});
