import type { Operation } from "../operation.js";
import { partByKey } from "../operation.js";
import type { Model } from "./model.js";

/** What a register holds; null before the first write. */
export type RegisterValue = string | number | boolean | null;

export type RegisterInput =
  { readonly f: "read" } | { readonly f: "write"; readonly value: RegisterValue };

export type CasRegisterInput =
  RegisterInput | { readonly f: "cas"; readonly from: RegisterValue; readonly to: RegisterValue };

/** `value` answers a read; `ok` says whether the compare of a `cas` held. */
export interface RegisterOutput {
  readonly value?: RegisterValue;
  readonly ok?: boolean;
}

/** Registers, one per key, initially null, that are only read and written. */
export const register: Model<RegisterValue, RegisterInput, RegisterOutput> = {
  name: "register",
  partition: partByKey,
  initial: null,
  step(state, input, output) {
    if (input.f === "write") return input.value;
    return output === undefined || (output.value ?? null) === state ? state : undefined;
  },
  readOnly: (input) => input.f === "read",
  stateKey: valueKey,
  operationKey(input, output) {
    if (input.f === "write") return `w${valueKey(input.value)}`;
    return output === undefined ? "r?" : `r${valueKey(output.value ?? null)}`;
  },
  abstraction: registerAbstraction,
};

/** Registers as above, with compare-and-set. A `cas` that failed has seen another value. */
export const casRegister: Model<RegisterValue, CasRegisterInput, RegisterOutput> = {
  name: "cas-register",
  partition: partByKey,
  initial: null,
  step(state, input, output) {
    if (input.f !== "cas") return register.step(state, input, output);
    const equal = input.from === state;
    if (output !== undefined && output.ok !== equal) return undefined;
    return equal ? input.to : state;
  },
  readOnly(input, output) {
    if (input.f === "cas") return input.from === input.to || output?.ok === false;
    return register.readOnly(input, output);
  },
  stateKey: valueKey,
  operationKey(input, output) {
    if (input.f !== "cas") return register.operationKey(input, output);
    return `c${String(output?.ok)}${JSON.stringify([input.from, input.to])}`;
  },
  abstraction: registerAbstraction,
};

/** Values that are neither read nor compared with are all alike. */
function registerAbstraction(
  operations: readonly Operation<CasRegisterInput, RegisterOutput>[],
): (state: RegisterValue) => RegisterValue {
  const seen = new Set<RegisterValue>();
  for (const { input, output } of operations) {
    if (input.f === "cas") seen.add(input.from);
    else if (input.f === "read" && output !== undefined) seen.add(output.value ?? null);
  }
  let unseen = "unseen";
  while (seen.has(unseen)) unseen += "?";
  return (state) => (seen.has(state) ? state : unseen);
}

function valueKey(value: RegisterValue): string {
  return typeof value === "string" ? `"${value}` : String(value);
}
