/**
 * What this machine has of that which some tests need. A missing one is said in one line, and its
 * tests are skipped; what QUORUMLAB_REQUIRE names (comma-separated) must be there.
 */
import type { TestProject } from "vitest/node";
import { loadCryptoki } from "../../src/real/keys/pkcs11/cryptoki.js";
import { findSoftHsm } from "../../src/real/keys/softhsm/find.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of libsofthsm2.so; null: without it, or without pkcs11js. */
    readonly softhsm: string | null;
  }
}

const names = ["pkcs11", "softhsm"] as const;
type Capability = (typeof names)[number];

export default async function setup(project: TestProject): Promise<void> {
  const required = requiredFrom(process.env["QUORUMLAB_REQUIRE"] ?? "");
  const missing = new Map<Capability, string>();
  const library = await findSoftHsm().then(
    ({ library }) => library,
    (error: Error) => void missing.set("softhsm", error.message),
  );
  const whyNoBinding = await whyNotLoaded(library ?? null);
  if (whyNoBinding !== null) missing.set("pkcs11", whyNoBinding);
  for (const [name, why] of missing) {
    const line = `missing: ${name}: ${why}`;
    if (required.has(name)) throw new Error(`QUORUMLAB_REQUIRE asks for what is ${line}`);
    process.stdout.write(`${line}\n`);
  }
  project.provide("softhsm", missing.size === 0 ? (library ?? null) : null);
}

function requiredFrom(list: string): ReadonlySet<string> {
  const words = list.split(",").filter((word) => word !== "");
  const unknown = words.filter((word) => !names.includes(word as Capability));
  if (unknown.length > 0) {
    throw new Error(`QUORUMLAB_REQUIRE: ${unknown.join(", ")}: known are ${names.join(", ")}`);
  }
  return new Set(words);
}

/** Loading a library initialises nothing, and so is safe in this process. */
async function whyNotLoaded(library: string | null): Promise<string | null> {
  // Without a library the binding is still looked for: the missing file is then what fails.
  return await loadCryptoki(library ?? "/nonexistent").then(
    () => null,
    (error: Error & { readonly code?: string }) =>
      library === null && error.code === "libraryUnusable" ? null : error.message,
  );
}
