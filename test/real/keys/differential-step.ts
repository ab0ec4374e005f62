/** One step of a sequence: what to ask of both tokens, with choices in the place of handles. */
import type { Mechanism, Template } from "../../../src/core/hsm/cryptoki/calls.js";

/** Which of those that are there. */
export type Choice = number;

export type Step =
  | { readonly do: "initialize" | "finalize" | "slots" | "mechanisms" }
  | { readonly do: "open"; readonly badSlot: boolean }
  | { readonly do: "close" | "info" | "login" | "logout"; readonly session: Choice }
  | {
      readonly do: "create";
      readonly session: Choice;
      readonly template: Template;
      readonly known: boolean;
    }
  | {
      readonly do: "generate";
      readonly session: Choice;
      readonly mechanism: Mechanism;
      readonly template: Template;
    }
  | {
      readonly do: "pair";
      readonly session: Choice;
      readonly mechanism: Mechanism;
      readonly publicTemplate: Template;
      readonly privateTemplate: Template;
    }
  | { readonly do: "find"; readonly session: Choice; readonly template: Template }
  | {
      readonly do: "attributes";
      readonly session: Choice;
      readonly object: Choice;
      readonly types: readonly number[];
    }
  | {
      readonly do: "set";
      readonly session: Choice;
      readonly object: Choice;
      readonly template: Template;
    }
  | { readonly do: "destroy"; readonly session: Choice; readonly object: Choice }
  | {
      readonly do: "encrypt" | "sign";
      readonly session: Choice;
      readonly object: Choice;
      readonly mechanism: Mechanism;
      readonly data: Uint8Array;
    }
  /** Of what an earlier step gave, changed in one bit or not. */
  | {
      readonly do: "decrypt" | "verify";
      readonly session: Choice;
      readonly object: Choice;
      readonly mechanism: Mechanism;
      readonly of: Choice;
      readonly spoilt: boolean;
      readonly data: Uint8Array;
    }
  | {
      readonly do: "wrap";
      readonly session: Choice;
      readonly mechanism: Mechanism;
      readonly object: Choice;
      readonly wrapped: Choice;
    }
  | {
      readonly do: "unwrap";
      readonly session: Choice;
      readonly mechanism: Mechanism;
      readonly object: Choice;
      readonly of: Choice;
      readonly spoilt: boolean;
      readonly template: Template;
    }
  | { readonly do: "random"; readonly session: Choice; readonly lengthBytes: number };
