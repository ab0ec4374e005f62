/** Histories of an object that really is linearizable, for tests that then spoil them. */
import type { KvInput, KvOutput } from "../../../src/lab/history/models/kv.js";
import type { CasRegisterInput, RegisterOutput } from "../../../src/lab/history/models/register.js";
import type { Operation } from "../../../src/lab/history/operation.js";

/** A small generator of 32-bit numbers (mulberry32), so that a history is a function of its seed. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export interface GeneratedOptions {
  readonly seed: number;
  readonly clients: number;
  readonly keys: number;
  readonly operations: number;
  /** One operation in so many never returns; 0: all return. */
  readonly openOneIn: number;
}

interface Pending<Input, Output> {
  readonly call: number;
  readonly key: string;
  readonly input: Input;
  output: Output | undefined;
  hasTakenEffect: boolean;
}

/** Clients call, operations take effect at some moment, then return; an open one takes effect in half of the cases. */
export function generated<State, Input, Output>(
  options: GeneratedOptions,
  object: {
    readonly initial: State;
    readonly draw: (random: (below: number) => number, serial: number) => Input;
    readonly apply: (state: State, input: Input) => readonly [State, Output];
  },
): Operation<Input, Output>[] {
  const random = numbers(options.seed);
  const states = new Map<string, State>();
  const pending = new Map<number, Pending<Input, Output>>();
  const history: Operation<Input, Output>[] = [];
  const takeEffect = (operation: Pending<Input, Output>): void => {
    const [state, output] = object.apply(
      states.get(operation.key) ?? object.initial,
      operation.input,
    );
    states.set(operation.key, state);
    operation.output = output;
    operation.hasTakenEffect = true;
  };
  let started = 0;
  for (let now = 1; started < options.operations || pending.size > 0; now++) {
    const client = random(options.clients);
    const operation = pending.get(client);
    if (operation === undefined) {
      if (started === options.operations) continue;
      const key = String(random(options.keys));
      const input = object.draw(random, started++);
      pending.set(client, { call: now, key, input, output: undefined, hasTakenEffect: false });
      continue;
    }
    const isOpen = options.openOneIn > 0 && random(options.openOneIn) === 0;
    if (!operation.hasTakenEffect && !(isOpen && random(2) === 0)) {
      takeEffect(operation);
      if (random(2) === 0) continue;
    }
    pending.delete(client);
    const { call, key, input, output } = operation;
    history.push({
      client,
      call,
      return: isOpen ? null : now,
      key,
      input,
      output: isOpen ? undefined : output,
    });
  }
  return history;
}

export function generatedKv(options: GeneratedOptions): Operation<KvInput, KvOutput>[] {
  return generated<string, KvInput, KvOutput>(options, {
    initial: "",
    draw: (random, serial) => {
      const kind = random(10);
      if (kind < 4) return { f: "get" };
      return { f: kind < 5 ? "put" : "append", value: `x${serial}y` };
    },
    apply: (state, input) => {
      if (input.f === "get") return [state, { value: state }];
      return [input.f === "put" ? input.value : state + input.value, {}];
    },
  });
}

export function generatedCas(
  options: GeneratedOptions,
  values: number,
): Operation<CasRegisterInput, RegisterOutput>[] {
  return generated<number | null, CasRegisterInput, RegisterOutput>(options, {
    initial: null,
    draw: (random) => {
      const kind = random(3);
      if (kind === 0) return { f: "read" };
      if (kind === 1) return { f: "write", value: random(values) };
      return { f: "cas", from: random(values), to: random(values) };
    },
    apply: (state, input) => {
      if (input.f === "read") return [state, { value: state }];
      if (input.f === "write") return [input.value as number, {}];
      const ok = state === input.from;
      return [ok ? (input.to as number) : state, { ok }];
    },
  });
}
