/** `hsm.json` in the folder of a cluster: where its keys are and how to get there. Never a secret. */
import { join } from "node:path";
import { Option } from "commander";
import { z } from "zod";
import { readJson, writeWhole } from "../../sim/search/artifact/json-file.js";
import type { SlotChoice } from "../../core/hsm/options.js";
import type { VendorName } from "../../core/hsm/profile.js";
import { vendorProfiles } from "../../core/hsm/profiles/index.js";
import type { PinSource } from "../../real/keys/pkcs11/pin.js";
import { CliError, fileError, usageError, writing } from "../errors.js";
import { exitCode } from "../exit-codes.js";

const format = "quorumlab-hsm";
const version = 1;

/** Where a passphrase comes from. */
export type SecretSource =
  | { readonly from: "prompt" }
  | { readonly from: "descriptor"; readonly descriptor: number }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "credential"; readonly name: string };

export interface SoftwareDescription {
  readonly kind: "software";
  /** Of the keys; relative to the folder of this description. */
  readonly file: string;
  readonly passphrase: SecretSource;
}

export interface Pkcs11Description {
  readonly kind: "pkcs11";
  readonly library: string;
  readonly vendor: VendorName;
  readonly slot: SlotChoice;
  readonly pin: PinSource;
  /** Of a PIN that is made with one: the user's name, or the id of a key. */
  readonly user?: string | undefined;
  /** Variables that the library wants besides those it is known to read. */
  readonly environment: Readonly<Record<string, string>>;
}

export type HsmDescription = SoftwareDescription | Pkcs11Description;

type Described = HsmDescription & { readonly format: string; readonly version: number };

const path = z.string().min(1).max(4_096);
const word = z.string().min(1).max(256);
const descriptor = z.int().min(0).max(1_023);

const secretSource: z.ZodType<SecretSource> = z.discriminatedUnion("from", [
  z.strictObject({ from: z.literal("prompt") }),
  z.strictObject({ from: z.literal("descriptor"), descriptor }),
  z.strictObject({ from: z.literal("file"), path }),
  z.strictObject({ from: z.literal("credential"), name: z.string().min(1).max(64) }),
]);

const pinSource: z.ZodType<PinSource> = z.discriminatedUnion("from", [
  z.strictObject({ from: z.literal("file"), path }),
  z.strictObject({ from: z.literal("descriptor"), descriptor }),
  z.strictObject({ from: z.literal("program"), path, args: z.array(path).max(64) }),
  z.strictObject({ from: z.literal("environment"), variable: word }),
]);

const slot: z.ZodType<SlotChoice> = z.discriminatedUnion("by", [
  z.strictObject({ by: z.literal("label"), label: word }),
  z.strictObject({ by: z.literal("serial"), serial: word }),
  z.strictObject({ by: z.literal("id"), slot: z.int().min(0) }),
]);

const head = { format: z.literal(format), version: z.literal(version) };

const described: z.ZodType<Described> = z.discriminatedUnion("kind", [
  z.strictObject({ ...head, kind: z.literal("software"), file: path, passphrase: secretSource }),
  z.strictObject({
    ...head,
    kind: z.literal("pkcs11"),
    library: path,
    vendor: z.enum(Object.keys(vendorProfiles) as VendorName[]),
    slot,
    pin: pinSource,
    user: word.optional(),
    environment: z.record(word, path),
  }),
]);

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
const pinForms = "file:PATH, fd:N, program:PATH or env:VARIABLE";

export function sourceOption(flags: string, about: string): Option {
  return new Option(flags, `${about}: ${sourceForms}`).argParser((text) => {
    const { kind, rest } = partsOf(text);
    const source = {
      prompt: { from: "prompt" },
      fd: { from: "descriptor", descriptor: numberOf(rest) },
      file: { from: "file", path: rest },
      credential: { from: "credential", name: rest },
    }[kind];
    return checked(
      secretSource,
      kind === "prompt" && rest !== "" ? undefined : source,
      sourceForms,
    );
  });
}

export function pinOption(flags: string, about: string): Option {
  return new Option(flags, `${about}: ${pinForms}`).argParser((text) => {
    const { kind, rest } = partsOf(text);
    const source = {
      fd: { from: "descriptor", descriptor: numberOf(rest) },
      file: { from: "file", path: rest },
      program: { from: "program", path: rest, args: [] },
      env: { from: "environment", variable: rest },
    }[kind];
    return checked(pinSource, source, pinForms);
  });
}

function partsOf(text: string): { readonly kind: string; readonly rest: string } {
  const colon = text.indexOf(":");
  if (colon < 0) return { kind: text, rest: "" };
  return { kind: text.slice(0, colon), rest: text.slice(colon + 1) };
}

function numberOf(text: string): number {
  return /^\d{1,4}$/.test(text) ? Number(text) : -1;
}

/** What was typed is not repeated, as commander would: it may be the secret itself. */
function checked<T>(schema: z.ZodType<T>, source: unknown, forms: string): T {
  const parsed = schema.safeParse(source);
  if (parsed.success) return parsed.data;
  throw usageError(`where a secret comes from is one of ${forms}`);
}
