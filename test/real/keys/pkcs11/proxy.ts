/** The library of proxy.c between a module and SoftHSM. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TokenModuleOptions } from "../../../../src/real/keys/pkcs11/token-module.js";
import type { Place } from "./driver.js";

export type Harm = "hang" | "crash" | "crash-after" | "scribble";

export interface Proxy {
  readonly options: TokenModuleOptions;
  /** Done to the next call of that function, once. */
  harm(what: Harm, fn: string): void;
  /** Asked for and not yet done. */
  pending(what: Harm, fn: string): boolean;
  /** PINs that were sent to the token, in order. */
  logins(): string[];
  /** Ids of the processes that have the library. */
  processes(): number[];
}

const source = fileURLToPath(new URL("proxy.c", import.meta.url));
const headers = join(dirname(createRequire(import.meta.url).resolve("pkcs11js")), "includes");

/** Compiles it; the binding was built with a compiler, too. */
export function proxyFor(place: Place): Proxy {
  const folder = join(place.folder, "proxy");
  mkdirSync(folder, { recursive: true });
  const library = join(folder, "proxy.so");
  if (!existsSync(library)) {
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-I", headers, "-o", library, source, "-ldl"]);
  }
  const environment = {
    ...place.options.environment,
    PROXY_FOLDER: folder,
    PROXY_LIBRARY: place.options.library,
  };
  const logins = join(folder, "logins");
  return {
    options: { ...place.options, library, environment },
    harm: (what, fn) => writeFileSync(join(folder, `${what}-${fn}`), ""),
    pending: (what, fn) => existsSync(join(folder, `${what}-${fn}`)),
    logins: () => (existsSync(logins) ? readFileSync(logins, "utf8").trimEnd().split("\n") : []),
    processes: () => processesWith(`PROXY_FOLDER=${folder}`),
  };
}

/** By their environment, which only those have whose module was given it. */
function processesWith(variable: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(variable);
      } catch {
        return false;
      }
    })
    .map(Number);
}
