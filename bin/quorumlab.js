#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write(
    "quorumlab: the compiled program is missing (dist/cli/main.js).\n" +
      "Build it in the repository with: npm ci    (or, once installed: npm run build)\n",
  );
  process.exitCode = 69;
}
