/** `hsm`: what keeps a node's keys, made, looked at, tried and judged. */
import { Command } from "commander";
import { usageError } from "../errors.js";
import { nearest } from "../nearest.js";
import type { Cli } from "../verb.js";
import { hsmAdviseVerb } from "./hsm-advise.js";
import { hsmInitVerb } from "./hsm-init.js";
import { hsmListVerb } from "./hsm-list.js";
import { hsmProbeVerb } from "./hsm-probe.js";
import { hsmTestVerb } from "./hsm-test.js";

export function hsmVerb(cli: Cli): Command {
  const group = new Command("hsm")
    .description("Keys: makes a place for them, and shows, tries and judges what is there.")
    .argument("[what]", "one of the commands below")
    .addHelpText("after", "\nExample:\n  npx quorumlab hsm init --software")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.terminal.stdout.write(text),
      writeErr: () => {},
    });
  const verbs = [hsmInitVerb, hsmProbeVerb, hsmListVerb, hsmTestVerb, hsmAdviseVerb];
  for (const make of verbs) group.addCommand(make(cli));
  group.action((what: string | undefined) => {
    const names = group.commands.map((command) => command.name());
    if (what === undefined) throw usageError(`say what to do: hsm ${names.join(", hsm ")}`);
    const meant = nearest(what, names);
    const hint = meant === null ? `All of them: ${names.join(", ")}` : `Did you mean ${meant}?`;
    throw usageError(`there is no hsm ${what}. ${hint}`);
  });
  return group;
}
