import { Worker } from "node:worker_threads";

const everyMs = 1_000;

/**
 * A library that hangs never lets this process see that its channel was closed. A thread of its own
 * sees that the parent is another one, and ends the process.
 */
export function watchParent(): void {
  const thread = new Worker(
    `setInterval(() => {
      if (process.ppid !== ${process.ppid}) process.kill(process.pid, "SIGKILL");
    }, ${everyMs});`,
    { eval: true, env: {}, stdin: false },
  );
  thread.unref();
}
