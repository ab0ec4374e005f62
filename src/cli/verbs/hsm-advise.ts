import { Option, type Command } from "commander";
import { advise } from "../../core/hsm/advice/advise.js";
import type { Recommendation } from "../../core/hsm/advice/contract.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { counted, type Output } from "../output.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";
import { dirOption } from "./hsm-description.js";
import { withStore } from "./hsm-store.js";

interface AdviseOptions extends CommonOptions {
  readonly dir: string;
  readonly fips: boolean;
  readonly suite?: "cnsa-1" | "cnsa-2";
}

export function hsmAdviseVerb(cli: Cli): Command {
  return verb(cli, {
    name: "advise",
    about: "Judges keys and how they are kept, by rules that name their sources.",
    example: "npx quorumlab hsm advise --suite cnsa-1",
    exits: [0, 1, 65, 66, 69, 130],
  })
    .option("--fips", "as one who must keep to FIPS 140-3", false)
    .addOption(
      new Option("--suite <suite>", "as one who must keep to a suite of the NSA").choices([
        "cnsa-1",
        "cnsa-2",
      ]),
    )
    .addOption(dirOption())
    .action(acting(cli, (output, options: AdviseOptions) => adviseOn(cli, output, options)));
}

function adviseOn(cli: Cli, output: Output, options: AdviseOptions): Promise<ExitCode> {
  const { dir, fips, suite = null } = options;
  return withStore(cli, output, dir, async ({ store, factsOf, keeper, title }) => {
    const keys = (await store.list()).map(factsOf);
    const facts = { ...(await keeper()), fips, suite };
    const given = advise({ keys, keeper: facts, nowMs: Date.now() });
    output.pretty(output.paint.bold(`${title}: ${counted(keys.length, "key")}`));
    for (const each of given) output.record({ kind: "recommendation", ...each }, shown(each));
    if (given.length === 0) output.pretty("  nothing to recommend");
    const isCritical = given.some(({ severity }) => severity === "critical");
    return isCritical ? exitCode.violated : exitCode.held;
  });
}

function shown({ rule, severity, key, reason, action, source, recalled }: Recommendation): string {
  const about = key === null ? "" : `${key.label} version ${key.version}: `;
  const from = recalled ? `${source}, recalled` : source;
  return `  ${severity.padEnd(8)} ${rule.padEnd(3)} ${about}${reason}\n               ${action} (${from})`;
}
