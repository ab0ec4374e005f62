/**
 * Two tokens asked the same, side by side: what they answer must be the same, as far as it can be. Handles
 * and what is made of chance differ; return values, attributes, lengths, and all that is computed with
 * keys from outside do not.
 */
import { expect } from "vitest";
import type { Handle, TokenAnswer, TokenCall } from "../../../src/core/hsm/cryptoki/calls.js";
import { cka, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import type { Choice, Step } from "./differential-step.js";

export interface TokenSide {
  ask(call: TokenCall): Promise<TokenAnswer>;
}

/** What the same thing is called on each side. */
interface Pair {
  readonly left: Handle;
  readonly right: Handle;
}

interface ObjectPair extends Pair {
  /** The same bytes on both sides. */
  readonly known: boolean;
  /** Half of a pair: SoftHSM drops the zeros in front of a private number, one in 256 has some. */
  readonly half: boolean;
}

interface BytesPair {
  readonly left: Uint8Array;
  readonly right: Uint8Array;
}

/** Made by chance, so that only their lengths can be compared, where the key is not known. */
const drawn: ReadonlySet<number> = new Set([
  cka.value,
  cka.modulus,
  cka.privateExponent,
  cka.prime1,
  cka.prime2,
  cka.exponent1,
  cka.exponent2,
  cka.coefficient,
  cka.ecPoint,
]);

export class SideBySide {
  readonly #left: TokenSide;
  readonly #right: TokenSide;
  readonly #label: string;
  #sessions: Pair[] = [];
  #objects: ObjectPair[] = [];
  #blobs: BytesPair[] = [];
  #slots = { left: -1, right: -1 };

  /** The same label on both. */
  constructor(left: TokenSide, right: TokenSide, label: string) {
    this.#left = left;
    this.#right = right;
    this.#label = label;
  }

  /** To an initialised library and a token without objects, and nobody logged in. */
  async clear(): Promise<void> {
    this.#sessions = [];
    this.#objects = [];
    this.#blobs = [];
    const [left, right] = await Promise.all(
      [this.#left, this.#right].map((side) => this.#empty(side)),
    );
    this.#slots = { left: left!, right: right! };
  }

  /** At the end: all objects, and each attribute of each that was made. */
  async survey(types: readonly number[]): Promise<void> {
    await this.#open(false);
    const session = this.#sessions.length - 1;
    if (session < 0) return;
    await this.#find({ do: "find", session, template: [] });
    for (const object of this.#objects.keys()) {
      for (const type of types) {
        await this.#attributes({ do: "attributes", session, object, types: [type] });
      }
    }
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case "initialize":
      case "finalize": {
        const { do: fn } = step;
        const { answers } = await this.#both(fn, () => ({ fn }));
        // Afterwards their handles name whatever is found first, and that is nobody's promise.
        if (fn === "finalize" && answers !== null) this.#objects = [];
        return;
      }
      case "slots":
      case "mechanisms":
        return await this.#describe(step.do);
      case "open":
        return await this.#open(step.badSlot);
      case "close":
      case "info":
      case "login":
      case "logout":
        return await this.#plain(step);
      case "create":
      case "generate":
      case "pair":
      case "unwrap":
        return await this.#make(step);
      case "find":
        return await this.#find(step);
      case "attributes":
        return await this.#attributes(step);
      case "set":
      case "destroy":
        return await this.#change(step);
      case "random":
        return await this.#random(step);
      default:
        return await this.#operate(step);
    }
  }

  async #empty(side: TokenSide): Promise<number> {
    await side.ask({ fn: "finalize" });
    await side.ask({ fn: "initialize" });
    const slots = valueOf<{ slot: number; label: string }[]>(await side.ask({ fn: "slots" }));
    const { slot } = slots.find(({ label }) => label.trimEnd() === this.#label)!;
    const session = valueOf<Handle>(await side.ask({ fn: "openSession", slot }));
    valueOf(await side.ask({ fn: "login", session }));
    const find = { fn: "find", session, template: [], max: 1_000 } as const;
    for (const object of valueOf<Handle[]>(await side.ask(find))) {
      // Some were made never to be destroyed: they may be, with their token.
      await side.ask({ fn: "destroyObject", session, object });
    }
    valueOf(await side.ask({ fn: "closeSession", session }));
    return slot;
  }

  async #describe(what: "slots" | "mechanisms"): Promise<void> {
    const { left, right } = this.#slots;
    const { answers } = await this.#both(what, (on) =>
      what === "slots" ? { fn: "slots" } : { fn: "mechanisms", slot: on === "left" ? left : right },
    );
    if (answers === null) return;
    if (what === "mechanisms") return expect(answers[1], what).toEqual(answers[0]);
    const told = answers.map((slots) =>
      (slots as { label: string; model: string; manufacturer: string; flags: number }[])
        .map(({ label, model, manufacturer, flags }) => ({ label, model, manufacturer, flags }))
        .filter(({ label }) => label.trimEnd() === this.#label),
    );
    expect(told[1], what).toEqual(told[0]);
  }

  async #open(badSlot: boolean): Promise<void> {
    const { answers } = await this.#both("open", (on) => ({
      fn: "openSession",
      slot: badSlot ? 0x7fff_fff1 : this.#slots[on],
    }));
    if (answers !== null) this.#sessions.push(pairOf(answers));
  }

  async #plain(step: Step & { do: "close" | "info" | "login" | "logout" }): Promise<void> {
    const session = this.#session(step.session);
    if (session === null) return;
    const names = {
      close: "closeSession",
      info: "sessionInfo",
      login: "login",
      logout: "logout",
    } as const;
    const { answers } = await this.#both(step.do, (on) => ({
      fn: names[step.do],
      session: session[on],
    }));
    if (step.do !== "info" || answers === null) return;
    const states = answers.map((info) => (info as { state: number }).state);
    expect(states[1], "state of the session").toBe(states[0]);
  }

  async #make(step: Step & { do: "create" | "generate" | "pair" | "unwrap" }): Promise<void> {
    const session = this.#session(step.session);
    const call = session === null ? null : this.#makeCall(step, session);
    if (call === null) return;
    const { answers } = await this.#both(step.do, call);
    if (answers === null) return this.#discard(session!, step.do !== "create");
    if (step.do !== "pair") {
      const known = step.do === "create" && step.known;
      this.#objects.push({ ...pairOf(answers), known, half: false });
      return;
    }
    const [left, right] = answers as { publicKey: Handle; privateKey: Handle }[];
    this.#objects.push(
      { left: left!.publicKey, right: right!.publicKey, known: false, half: true },
      { left: left!.privateKey, right: right!.privateKey, known: false, half: true },
    );
  }

  #makeCall(
    step: Step & { do: "create" | "generate" | "pair" | "unwrap" },
    session: Pair,
  ): ((on: keyof Pair) => TokenCall) | null {
    switch (step.do) {
      case "create":
        return (on) => ({ fn: "createObject", session: session[on], template: step.template });
      case "generate": {
        const { mechanism, template } = step;
        return (on) => ({ fn: "generateKey", session: session[on], mechanism, template });
      }
      case "pair": {
        const { mechanism, publicTemplate, privateTemplate } = step;
        const templates = { publicTemplate, privateTemplate };
        return (on) => ({ fn: "generateKeyPair", session: session[on], mechanism, ...templates });
      }
      default: {
        const key = chosen(this.#objects, step.object);
        const blob = chosen(this.#blobs, step.of);
        if (key === null || blob === null) return null;
        const { mechanism, template } = step;
        return (on) => ({
          fn: "unwrapKey",
          session: session[on],
          mechanism,
          unwrappingKey: key[on],
          wrapped: step.spoilt ? spoil(blob[on]) : blob[on],
          template,
        });
      }
    }
  }

  async #find({ session: choice, template }: Step & { do: "find" }): Promise<void> {
    const session = this.#session(choice);
    if (session === null) return;
    const { answers } = await this.#both("find", (on) => ({
      fn: "find",
      session: session[on],
      template,
      max: 1_000,
    }));
    if (answers === null) return this.#discard(session, true);
    const [left, right] = await Promise.all([
      this.#names(this.#left, session.left, answers[0] as Handle[]),
      this.#names(this.#right, session.right, answers[1] as Handle[]),
    ]);
    expect(right, "names of what was found").toEqual(left);
  }

  async #names(side: TokenSide, session: Handle, objects: readonly Handle[]): Promise<string[]> {
    const names: string[] = [];
    for (const object of objects) {
      const types = [cka.class, cka.label];
      const answer = await side.ask({ fn: "attributes", session, object, types });
      const values = answer.rv === ckr.ok ? (answer.value as Uint8Array[]) : [];
      names.push(
        `${answer.rv}:${values.map((value) => Buffer.from(value).toString("hex")).join("/")}`,
      );
    }
    return names.sort();
  }

  async #attributes(step: Step & { do: "attributes" }): Promise<void> {
    const session = this.#session(step.session);
    const object = chosen(this.#objects, step.object);
    if (session === null || object === null) return;
    const { types } = step;
    const { answers } = await this.#both("attributes", (on) => ({
      fn: "attributes",
      session: session[on],
      object: object[on],
      types,
    }));
    if (answers === null) return;
    const shown = answers.map((values) =>
      (values as Uint8Array[]).map((value, at) =>
        drawn.has(types[at]!) && !object.known
          ? object.half
            ? "drawn"
            : `${value.length} bytes`
          : Buffer.from(value).toString("hex"),
      ),
    );
    expect(shown[1], `attributes ${types.map((type) => type.toString(16)).join()}`).toEqual(
      shown[0],
    );
  }

  async #change(step: Step & { do: "set" | "destroy" }): Promise<void> {
    const session = this.#session(step.session);
    const object = chosen(this.#objects, step.object);
    if (session === null || object === null) return;
    await this.#both(step.do, (on) => {
      const at = { session: session[on], object: object[on] };
      return step.do === "set"
        ? { fn: "setAttributes", ...at, template: step.template }
        : { fn: "destroyObject", ...at };
    });
  }

  async #random({ session: choice, lengthBytes }: Step & { do: "random" }): Promise<void> {
    const session = this.#session(choice);
    if (session === null) return;
    const { answers } = await this.#both("random", (on) => ({
      fn: "generateRandom",
      session: session[on],
      lengthBytes,
    }));
    if (answers !== null) expect(lengths(answers)).toEqual([lengthBytes, lengthBytes]);
  }

  async #operate(
    step: Step & { do: "encrypt" | "decrypt" | "sign" | "verify" | "wrap" },
  ): Promise<void> {
    const session = this.#session(step.session);
    const key = chosen(this.#objects, step.object);
    if (session === null || key === null) return;
    const call = this.#operation(step, session, key);
    if (call === null) return;
    const { answers } = await this.#both(step.do, call.call);
    if (answers === null) return this.#discard(session, true);
    if (step.do === "verify") return;
    const [left, right] = answers as Uint8Array[];
    if (call.same)
      expect(Buffer.from(right!).toString("hex"), step.do).toBe(Buffer.from(left!).toString("hex"));
    else expect(right!.length, `length of ${step.do}`).toBe(left!.length);
    if (step.do !== "decrypt") this.#blobs.push({ left: left!, right: right! });
  }

  #operation(
    step: Step & { do: "encrypt" | "decrypt" | "sign" | "verify" | "wrap" },
    session: Pair,
    key: ObjectPair,
  ): { readonly call: (on: keyof Pair) => TokenCall; readonly same: boolean } | null {
    const { mechanism } = step;
    switch (step.do) {
      case "encrypt":
      case "sign": {
        const { do: fn, data } = step;
        const call = (on: keyof Pair): TokenCall => ({
          fn,
          session: session[on],
          mechanism,
          key: key[on],
          data,
        });
        return { call, same: key.known };
      }
      case "wrap": {
        const wrapped = chosen(this.#objects, step.wrapped);
        if (wrapped === null) return null;
        const call = (on: keyof Pair): TokenCall => ({
          fn: "wrapKey",
          session: session[on],
          mechanism,
          wrappingKey: key[on],
          key: wrapped[on],
        });
        return { call, same: key.known && wrapped.known };
      }
      default: {
        const blob = chosen(this.#blobs, step.of);
        if (blob === null) return null;
        const given = (on: keyof Pair): Uint8Array => (step.spoilt ? spoil(blob[on]) : blob[on]);
        const call = (on: keyof Pair): TokenCall => {
          const at = { session: session[on], mechanism, key: key[on] };
          return step.do === "decrypt"
            ? { fn: "decrypt", ...at, data: given(on) }
            : { fn: "verify", ...at, data: step.data, signature: given(on) };
        };
        return { call, same: key.known && Buffer.compare(blob.left, blob.right) === 0 };
      }
    }
  }

  /** What is wrong is told with the call: a shrunk sequence alone does not say which. */
  async #both(
    what: string,
    call: (on: keyof Pair) => TokenCall,
  ): Promise<{ readonly answers: [unknown, unknown] | null }> {
    const [left, right] = await Promise.all([
      this.#left.ask(call("left")),
      this.#right.ask(call("right")),
    ]);
    expect(`${what}: 0x${right.rv.toString(16)}`).toBe(`${what}: 0x${left.rv.toString(16)}`);
    return { answers: left.rv === ckr.ok ? [left.value, right.value] : null };
  }

  /** After an error its operation may still be active there. */
  async #discard(session: Pair, hadOperation: boolean): Promise<void> {
    if (!hadOperation) return;
    await this.#both("close after an error", (on) => ({
      fn: "closeSession",
      session: session[on],
    }));
    this.#sessions = this.#sessions.filter((other) => other !== session);
  }

  #session(choice: Choice): Pair | null {
    return chosen(this.#sessions, choice);
  }
}

function chosen<T>(list: readonly T[], choice: Choice): T | null {
  return list.length === 0 ? null : list[choice % list.length]!;
}

function pairOf([left, right]: [unknown, unknown]): Pair {
  return { left: left as Handle, right: right as Handle };
}

function lengths(answers: readonly unknown[]): number[] {
  return answers.map((bytes) => (bytes as Uint8Array).length);
}

function spoil(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? Uint8Array.of(1) : bytes.with(0, bytes[0]! ^ 1);
}

function valueOf<T>({ rv, value }: TokenAnswer): T {
  if (rv !== ckr.ok) throw new Error(`0x${rv.toString(16)}`);
  return value as T;
}
