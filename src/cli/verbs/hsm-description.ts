/** `hsm.json` in the folder of a cluster: where its keys are and how to get there. Never a secret. */
import { join } from "node:path";
import { InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { readJson, writeWhole } from "../../sim/search/artifact/json-file.js";
import { CliError, fileError, writing } from "../errors.js";
import { exitCode } from "../exit-codes.js";

const format = "quorumlab-hsm";
const version = 1;

/** Where a passphrase comes from. */
export type SecretSource =
  | { readonly from: "prompt" }
  | { readonly from: "descriptor"; readonly descriptor: number }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "credential"; readonly name: string };

export interface HsmDescription {
  readonly kind: "software";
  /** Of the keys; relative to the folder of this description. */
  readonly file: string;
  readonly passphrase: SecretSource;
}

type Described = HsmDescription & { readonly format: string; readonly version: number };

const path = z.string().min(1).max(4_096);

const secretSource: z.ZodType<SecretSource> = z.discriminatedUnion("from", [
  z.object({ from: z.literal("prompt") }),
  z.object({ from: z.literal("descriptor"), descriptor: z.int().min(0).max(1_023) }),
  z.object({ from: z.literal("file"), path }),
  z.object({ from: z.literal("credential"), name: z.string().min(1).max(64) }),
]);

const described: z.ZodType<Described> = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  kind: z.literal("software"),
  file: path,
  passphrase: secretSource,
});

export function descriptionPath(dir: string): string {
  return join(dir, "hsm.json");
}

export function readDescription(dir: string): HsmDescription {
  const read = readJson(descriptionPath(dir), described, { format, version });
  if ("ok" in read) return read.ok;
  if (read.problem.code !== "missing") throw fileError(read.problem);
  throw new CliError(
    exitCode.noFile,
    `there are no keys in ${dir} yet. Make a place for them: npx quorumlab hsm init --software --dir ${dir}`,
  );
}

export function writeDescription(dir: string, description: HsmDescription): void {
  const at = descriptionPath(dir);
  const text = `${JSON.stringify({ format, version, ...description }, null, 2)}\n`;
  writing(at, () => writeWhole(at, [text]));
}

export function dirOption(): Option {
  return new Option("--dir <dir>", "the folder of the cluster").default(".quorumlab");
}

const sourceForms = "prompt, fd:N, file:PATH or credential:NAME";

export function sourceOption(flags: string, about: string): Option {
  return new Option(flags, `${about}: ${sourceForms}`).argParser(parseSource);
}

export function parseSource(text: string): SecretSource {
  const colon = text.indexOf(":");
  const kind = colon < 0 ? text : text.slice(0, colon);
  const rest = colon < 0 ? "" : text.slice(colon + 1);
  const source = {
    prompt: { from: "prompt" },
    fd: { from: "descriptor", descriptor: /^\d{1,4}$/.test(rest) ? Number(rest) : -1 },
    file: { from: "file", path: rest },
    credential: { from: "credential", name: rest },
  }[kind];
  const parsed = secretSource.safeParse(source);
  if (parsed.success && (kind === "prompt") === colon < 0) return parsed.data;
  throw new InvalidArgumentError(`It is one of ${sourceForms}.`);
}
