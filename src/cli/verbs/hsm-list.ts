import { InvalidArgumentError, type Command } from "commander";
import { isLabel } from "../../core/hsm/key-names.js";
import type { KeyAttributes, KeyDescription } from "../../core/hsm/keys.js";
import { exitCode, type ExitCode } from "../exit-codes.js";
import { table, type Output } from "../output.js";
import { acting, verb, type Cli, type CommonOptions } from "../verb.js";
import { dirOption } from "./hsm-description.js";
import { withStore } from "./hsm-store.js";

interface ListOptions extends CommonOptions {
  readonly dir: string;
  readonly label?: string;
}

export function hsmListVerb(cli: Cli): Command {
  return verb(cli, {
    name: "list",
    about: "Lists keys: names and attributes, never a key.",
    example: "npx quorumlab hsm list --label node-kek",
    exits: [0, 65, 66, 69, 130],
  })
    .option("--label <label>", "every version of this one", (text) => {
      if (isLabel(text)) return text;
      throw new InvalidArgumentError("A label has 1 to 48 letters, digits, _ and -.");
    })
    .addOption(dirOption())
    .action(acting(cli, (output, options: ListOptions) => list(cli, output, options)));
}

function list(cli: Cli, output: Output, { dir, label }: ListOptions): Promise<ExitCode> {
  return withStore(cli, output, dir, async ({ store, title }) => {
    const keys = await store.list(label);
    for (const { reference, attributes } of keys) {
      const { id, version, spec, publicDigest } = reference;
      const record = { label: reference.label, version, id, ...spec, publicDigest };
      output.record({ kind: "key", ...record, attributes }, null);
    }
    output.pretty(output.paint.bold(title));
    output.pretty(keys.length === 0 ? "  none" : table([heads, ...keys.map(rowOf)]));
    return exitCode.held;
  });
}

const heads = ["label", "version", "kind", "for", "id", "attributes"];

function rowOf({ reference, attributes }: KeyDescription): string[] {
  const { label, version, id, spec } = reference;
  return [
    label,
    String(version),
    `${spec.algorithm} ${spec.bits}`,
    spec.purpose,
    id,
    flagsOf(attributes),
  ];
}

function flagsOf(attributes: KeyAttributes): string {
  const { uses: _, ...flags } = attributes;
  const set = Object.entries(flags).filter(([, value]) => value === true);
  return set.map(([name]) => name).join(" ");
}
