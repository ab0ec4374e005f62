import type { Command } from "commander";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { table, type Output } from "../output.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";
import { dirOption } from "./hsm-description.js";
import { withStore } from "./hsm-store.js";

interface ProbeOptions extends CommonOptions {
  readonly dir: string;
}

export function hsmProbeVerb(cli: Cli): Command {
  return verb(cli, {
    name: "probe",
    about: "Tries what the keeper of the keys can do, with keys that are gone afterwards.",
    example: "npx quorumlab hsm probe",
    exits: [0, 65, 66, 69, 130],
  })
    .addOption(dirOption())
    .action(acting(cli, (output, options: ProbeOptions) => probe(cli, output, options)));
}

function probe(cli: Cli, output: Output, { dir }: ProbeOptions): Promise<ExitCode> {
  return withStore(cli, output, dir, async ({ store, title }) => {
    const capabilities = await store.capabilities();
    output.pretty(output.paint.bold(title));
    for (const { name, works, rv } of capabilities) {
      output.record({ kind: "capability", name, works, rv }, null);
    }
    const rows = capabilities.map(({ name, works, rv }) => [
      name,
      works ? "works" : rv === 0 ? "does not work" : `does not work (0x${rv.toString(16)})`,
    ]);
    output.pretty(table(rows));
    return exitCode.held;
  });
}
