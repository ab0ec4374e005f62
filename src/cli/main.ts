/** The program as it is started from a shell. */
import { codeOf } from "../sim/search/artifact/json-file.js";
import { simulate } from "../sim/simulate.js";
import { exitCode } from "./exit-codes.js";
import type { OutputStream } from "./output.js";
import { runProgram } from "./program.js";

const signals = ["SIGINT", "SIGTERM"] as const;
const stops = new Set<() => void>();
let reads = true;
let outputFails = false;

process.stdout.on("error", (error) => {
  if (!reads) return;
  reads = false;
  // Who reads us may have seen enough, as `head` does; what we do is worth finishing all the same.
  if (codeOf(error) === "EPIPE") return;
  outputFails = true;
  process.exitCode = exitCode.cannotWrite;
  process.stderr.write(`quorumlab: cannot write to standard output (${codeOf(error)})\n`);
  for (const stop of stops) stop();
});
// What cannot be said there can be said nowhere.
process.stderr.on("error", () => {});

const stdout: OutputStream = {
  isTTY: process.stdout.isTTY,
  write: (text) => reads && process.stdout.write(text),
};

const ended = await runProgram(process.argv.slice(2), {
  terminal: { stdout, stderr: process.stderr, env: process.env },
  simulate,
  onInterrupt(stop) {
    const handle = (): void => {
      stop();
      // A second interrupt does not wait.
      for (const signal of signals) process.once(signal, () => process.exit(exitCode.interrupted));
    };
    stops.add(stop);
    for (const signal of signals) process.once(signal, handle);
    return () => {
      stops.delete(stop);
      for (const signal of signals) process.removeListener(signal, handle);
    };
  },
});
process.exitCode = outputFails ? exitCode.cannotWrite : ended;
