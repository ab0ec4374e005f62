/**
 * The process of a PKCS#11 library. It reads calls, executes them one after the other, and writes the
 * answers in their order, all by functions that block: there is nothing else for it to do. Whatever the
 * library does to this process (crash, hang, print) does not reach the node.
 */
import { readSync, writeSync } from "node:fs";
import { ByteReader, ByteWriter } from "../../../core/bytes.js";
import type { TokenAnswer, TokenFunction } from "../../../core/hsm/cryptoki/calls.js";
import { noCall } from "../../../core/hsm/cryptoki/calls.js";
import { ckr } from "../../../core/hsm/cryptoki/constants.js";
import { writeAnswer } from "./answer-codec.js";
import { readCall } from "./call-codec.js";
import { type ChildSetup, type StartFailure, channelDescriptor } from "./child-setup.js";
import { loadCryptoki } from "./cryptoki.js";
import { TokenExecutor } from "./executor.js";
import { loginWith } from "./login.js";
import { PinGuard } from "./pin-guard.js";
import { FrameCutter, control, functions, readText, writeFrame, writeText } from "./wire.js";
import { watchParent } from "./watch-parent.js";

const inputBytes = 1 << 18;
/** Answers are held back for others to travel with, but no longer and no more than this. */
const heldMs = 1;
const heldBytesMax = 1 << 16;

/**
 * Short, and nothing of them stays in the token. The answers to all other calls are written at once,
 * and so are all answers before such a call, as it may be slow.
 */
const brief: ReadonlySet<TokenFunction> = new Set([
  "sessionInfo",
  "find",
  "attributes",
  "encrypt",
  "decrypt",
  "sign",
  "verify",
  "wrapKey",
  "generateRandom",
]);

const cutter = new FrameCutter();
const output = new ByteWriter(heldBytesMax * 2);
let executor: TokenExecutor | null = null;
let heldSinceMs = 0;
/** Of the frames that came in one read. */
let pending: Buffer[] = [];

// Whoever stops the node by Ctrl-C stops it in order; the end of the channel then ends this process.
process.on("SIGINT", () => undefined);
watchParent();
await main();

async function main(): Promise<void> {
  const input = Buffer.alloc(inputBytes);
  for (;;) {
    const length = readSync(channelDescriptor, input, 0, input.length, null);
    if (length === 0) return finalize();
    pending = [];
    const sound = cutter.cut(input.subarray(0, length), (frame) => pending.push(frame));
    if (!sound) throw new Error("the channel does not hold frames");
    for (const frame of pending) {
      if (executor === null) executor = await start(frame);
      else answer(executor, frame);
      frame.fill(0);
    }
    input.fill(0, 0, length);
    flush();
  }
}

async function start(frame: Buffer): Promise<TokenExecutor> {
  const from = new ByteReader(frame, 5);
  const setup = JSON.parse(readText(from)) as ChildSetup;
  try {
    const cryptoki = await loadCryptoki(setup.library);
    const login = loginWith(cryptoki, {
      source: setup.pin,
      encoding: setup.pinEncoding,
      guard: new PinGuard(setup.pinGuardFolder, setup.loginAttemptsMax),
      notice,
    });
    writeFrame(output, 0, control.ready, () => undefined);
    return new TokenExecutor(cryptoki, { gcmIv: setup.gcmIv, login });
  } catch (error) {
    const { code, message } = error as StartFailure;
    const known = code === "pkcs11jsMissing" || code === "libraryUnusable";
    const failure: StartFailure = { code: known ? code : "failed", message };
    writeFrame(output, 0, control.failed, (to) => writeText(to, JSON.stringify(failure)));
    flush();
    process.exit(1);
  }
}

function answer(to: TokenExecutor, frame: Buffer): void {
  const from = new ByteReader(frame);
  const number = from.u32();
  const kind = from.u8();
  const fn = functions[kind];
  if (fn === undefined || !brief.has(fn) || isHeldLong()) flush();
  if (output.length === 0) heldSinceMs = performance.now();
  if (fn === undefined) {
    write(number, kind, "closeSession", { rv: noCall.malformed, value: null });
    return;
  }
  const call = readCall(from, fn);
  const given: TokenAnswer = from.complete
    ? to.execute(call)
    : { rv: noCall.malformed, value: null };
  write(number, kind, fn, given);
  if (!brief.has(fn)) flush();
}

function isHeldLong(): boolean {
  if (output.length === 0) return false;
  return output.length > heldBytesMax || performance.now() - heldSinceMs > heldMs;
}

function write(number: number, kind: number, fn: TokenFunction, given: TokenAnswer): void {
  const start = output.length;
  try {
    writeFrame(output, number, kind, (to) => writeAnswer(to, fn, given));
  } catch {
    // Longer than any answer may be.
    output.length = start;
    const tooLong: TokenAnswer = { rv: ckr.hostMemory, value: null };
    writeFrame(output, number, kind, (to) => writeAnswer(to, fn, tooLong));
  }
}

function flush(): void {
  const bytes = output.written();
  for (let at = 0; at < bytes.length;) at += writeSync(channelDescriptor, bytes, at);
  bytes.fill(0);
  output.reset();
}

/** Goes to the node, with whatever is held back. */
function notice(text: string): void {
  writeFrame(output, 0, control.notice, (to) => writeText(to, text));
}

/** The node is done with us, or gone. */
function finalize(): void {
  executor?.execute({ fn: "finalize" });
  process.exit(0);
}
