/** Three ways to the same library: from C, by our native layer in this process, through the child. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TokenAnswer, TokenCall } from "../src/core/hsm/cryptoki/calls.js";
import { vendorProfile } from "../src/core/hsm/profiles/index.js";
import { loadCryptoki } from "../src/real/keys/pkcs11/cryptoki.js";
import { TokenExecutor } from "../src/real/keys/pkcs11/executor.js";
import { TokenModuleProcess } from "../src/real/keys/pkcs11/module-process.js";
import { type Ask, type Operation, callOf, makeKeys } from "./hsm-operations.js";

export interface Rate {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

export interface Side {
  /** `inFlight` calls at a time where that is possible. */
  run(operation: Operation, count: number, inFlight: number): Promise<Rate>;
  close(): Promise<void>;
}

export interface Setup {
  readonly library: string;
  readonly label: string;
  readonly pin: string;
  readonly folder: string;
}

const user = 1;

export async function fromC({ library, label, pin, folder }: Setup): Promise<Side> {
  const program = join(folder, "bench-c");
  const source = fileURLToPath(new URL("hsm.c", import.meta.url));
  const headers = join(dirname(createRequire(import.meta.url).resolve("pkcs11js")), "includes");
  execFileSync("cc", ["-O2", "-I", headers, "-o", program, source, "-ldl"], { stdio: "inherit" });
  const child = spawn(program, [library, label], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write(`${pin}\n`);
  return {
    run: async ({ inC }, count) => {
      child.stdin.write(`${inC} ${count}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error("the program in C ended");
      const [wallNs, cpuNs] = value.split(" ").map(Number) as [number, number];
      return { perSecond: (count * 1e9) / wallNs, perCpuSecond: (count * 1e9) / cpuNs };
    },
    close: async () => {
      child.stdin.end();
      await once(child, "close");
    },
  };
}

export async function layerInProcess({ library, label, pin }: Setup): Promise<Side> {
  const cryptoki = await loadCryptoki(library);
  const executor = new TokenExecutor(cryptoki, {
    gcmIv: "caller",
    login: (session) => {
      cryptoki.C_Login(session, user, pin);
      return 0;
    },
  });
  const ask = ((call: TokenCall) => Promise.resolve(valueOf(call, executor.execute(call)))) as Ask;
  const keys = await makeKeys(ask, label);
  return {
    run: async (operation, count) => {
      const call = callOf(operation, keys);
      const startedMs = performance.now();
      const before = process.cpuUsage();
      for (let n = 0; n < count; n++) valueOf(call, executor.execute(call));
      const { user: inUser, system } = process.cpuUsage(before);
      const tookMs = performance.now() - startedMs;
      return {
        perSecond: (count * 1_000) / tookMs,
        perCpuSecond: (count * 1e6) / (inUser + system),
      };
    },
    close: async () => cryptoki.C_Finalize(),
  };
}

export async function throughChild({ library, label, pin, folder }: Setup): Promise<Side> {
  const path = join(folder, "pin");
  writeFileSync(path, pin, { mode: 0o600 });
  let answered: (answer: TokenAnswer) => void = () => undefined;
  const module = await new Promise<TokenModuleProcess>((resolve, reject) => {
    const one: TokenModuleProcess = new TokenModuleProcess(
      {
        library,
        profile: vendorProfile("softhsm"),
        pin: { from: "file", path },
        pinGuardFolder: join(folder, "guard"),
      },
      {
        ready: () => resolve(one),
        answered: (_id, answer) => answered(answer),
        lost: ({ message }) => reject(new Error(message)),
      },
    );
    one.restart();
  });
  const ask = ((call: TokenCall) =>
    new Promise<unknown>((resolve) => {
      answered = (answer) => resolve(valueOf(call, answer));
      module.call(0, call);
    })) as Ask;
  const keys = await makeKeys(ask, label);
  return {
    run: async (operation, count, inFlight) => {
      const call = callOf(operation, keys);
      const startedMs = performance.now();
      await new Promise<void>((resolve) => {
        let made = 0;
        let missing = count;
        answered = (answer) => {
          valueOf(call, answer);
          if (made < count) module.call(++made, call);
          if (--missing === 0) resolve();
        };
        while (made < Math.min(inFlight, count)) module.call(++made, call);
      });
      const perSecond = (count * 1_000) / (performance.now() - startedMs);
      return { perSecond, perCpuSecond: Number.NaN };
    },
    close: () => module.close(),
  };
}

function valueOf(call: TokenCall, { rv, value }: TokenAnswer): unknown {
  if (rv !== 0) throw new Error(`${call.fn}: 0x${rv.toString(16)}`);
  return value;
}
