/** The program as it is started from a shell. */
import { simulate } from "../sim/simulate.js";
import { runProgram } from "./program.js";

// Who reads us may have seen enough, as `head` does; that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: process,
  simulate,
  onInterrupt(stop) {
    const handle = (): void => {
      stop();
      // A second interrupt does not wait.
      process.once("SIGINT", () => process.exit(130));
    };
    process.once("SIGINT", handle);
    return () => process.removeListener("SIGINT", handle);
  },
});
