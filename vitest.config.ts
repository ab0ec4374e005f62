import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

// Scenarios name the package as its users do; under test that name means the sources.
const alias = [
  { find: /^quorumlab\/(core|lab|sim|real)$/, replacement: source("$1/index.ts") },
  { find: /^quorumlab$/, replacement: source("index.ts") },
];

// What runs inside a simulation is tested with clocks and chance made to throw. What starts workers
// or touches the machine is tested without.
const pure = ["test/core/**/*.test.ts", "test/lab/**/*.test.ts", "test/sim/**/*.test.ts"];
const touchesHost = ["test/sim/search/**/*.test.ts"];

// Bounds against hanging, far above what a slow and busy machine needs. A soak takes its time.
const soaking = (process.env["QUORUMLAB_SOAK"] ?? "") !== "";
const timeoutMs = soaking ? 3_600_000 : 180_000;
const timeouts = { testTimeout: timeoutMs, hookTimeout: timeoutMs };

export default defineConfig({
  resolve: { alias },
  test: {
    // One core fewer than there are is one worker on a small machine, and twice the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text-summary", "html", "json-summary"],
      reportsDirectory: "coverage",
      reportOnFailure: true,
    },
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          include: pure,
          exclude: touchesHost,
          setupFiles: ["test/setup/poison.ts"],
          ...timeouts,
        },
      },
      {
        extends: true,
        test: {
          name: "edge",
          globalSetup: ["test/setup/capabilities.ts"],
          include: ["test/**/*.test.ts"],
          exclude: ["test/core/**", "test/lab/**", "test/sim/*.test.ts", "test/sim/!(search)/**"],
          ...timeouts,
        },
      },
    ],
  },
});
