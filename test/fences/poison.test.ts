/** Fence 3: under test, a clock or a source of chance used in core, lab or simulator throws. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plantTree, type PlantedTree } from "./planted.js";

const impurities: Record<string, string> = {
  "Date.now": "Date.now()",
  "new Date()": "new Date()",
  "Date()": "Date()",
  "Math.random": "Math.random()",
  "performance.now": "performance.now()",
  "process.hrtime.bigint": "process.hrtime.bigint()",
  setTimeout: "setTimeout(() => undefined, 1)",
  setInterval: "setInterval(() => undefined, 1)",
  setImmediate: "setImmediate(() => undefined)",
  queueMicrotask: "queueMicrotask(() => undefined)",
  "crypto.randomUUID": "crypto.randomUUID()",
  "crypto.getRandomValues": "crypto.getRandomValues(new Uint8Array(1))",
  "node:crypto randomBytes": `randomBytes(1)`,
};
const poisoned = ["test/core", "test/lab", "test/sim", "test/sim/deep"];
const unpoisoned = ["test/sim/search", "test/cli"];

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

let tree: PlantedTree;
let report: Report;

beforeAll(() => {
  tree = plantTree();
  for (const path of ["vitest.config.ts", "test/setup"]) tree.copy(path);
  // What the machine has for other tests is nothing to these.
  tree.write("test/setup/capabilities.ts", "export default (): void => {};\n");
  const calls = Object.entries(impurities)
    .map(([name, call]) => `  ${JSON.stringify(name)}: () => ${call},`)
    .join("\n");
  tree.write(
    "src/core/planted.ts",
    `import { randomBytes } from "node:crypto";\nexport const planted = {\n${calls}\n};\n`,
  );
  for (const folder of [...poisoned, ...unpoisoned]) {
    const up = "../".repeat(folder.split("/").length);
    tree.write(
      `${folder}/planted.test.ts`,
      `import { test } from "vitest";\n` +
        `import { planted } from "${up}src/core/planted.js";\n` +
        `for (const [name, call] of Object.entries(planted)) test(name, () => void call());\n` +
        `test("harmless", () => void new Date(0).toISOString());\n`,
    );
  }
  const ran = tree.run("vitest/vitest.mjs", [
    "run",
    "--reporter=json",
    "--outputFile=report.json",
    "--no-file-parallelism",
  ]);
  try {
    report = JSON.parse(readFileSync(join(tree.root, "report.json"), "utf8")) as Report;
  } catch {
    throw new Error(`the planted run wrote no report:\n${ran.output}`);
  }
});
afterAll(() => tree.remove());

describe.each(poisoned)("runtime fence: %s", (folder) => {
  test.each(Object.keys(impurities))("planted %s: throws a PurityError", (name) => {
    const result = resultOf(folder, name);
    expect(result.status).toBe("failed");
    expect(result.failureMessages.join("\n")).toContain(`PurityError: ${name} was used`);
  });

  test("harmless code: passes", () => {
    expect(resultOf(folder, "harmless").status).toBe("passed");
  });
});

describe.each(unpoisoned)("runtime fence: %s, which may touch the host", (folder) => {
  test.each(Object.keys(impurities))("%s: works", (name) => {
    expect(resultOf(folder, name).status).toBe("passed");
  });
});

function resultOf(
  folder: string,
  title: string,
): Report["testResults"][number]["assertionResults"][number] {
  const file = report.testResults.find(({ name }) => name.endsWith(`/${folder}/planted.test.ts`));
  const result = file?.assertionResults.find((assertion) => assertion.title === title);
  if (result === undefined) throw new Error(`no result for ${title} in ${folder}`);
  return result;
}
