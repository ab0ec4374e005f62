/** Where the simulated token is meant to differ from SoftHSM, or may: not compared, each for a reason. */
import type {
  TokenAnswer,
  TokenFunction,
  TokenValues,
} from "../../../src/core/hsm/cryptoki/calls.js";
import { ckf, ckr } from "../../../src/core/hsm/cryptoki/constants.js";
import { mechanismList } from "../../../src/sim/hsm/mechanisms.js";
import type { TokenSide } from "./differential.js";

interface Unlike<Fn extends TokenFunction = TokenFunction> {
  readonly what: string;
  readonly reason: string;
  readonly fn: Fn;
  /** The part that is compared. */
  readonly alike: (value: TokenValues[Fn]) => TokenValues[Fn];
}

const slotFlags = ckf.rng | ckf.loginRequired | ckf.userPinInitialized | ckf.tokenInitialized;
/** CKF_ENCRYPT to CKF_UNWRAP, of CK_MECHANISM_INFO. */
const uses = 0x7_ff00;
const simulated = mechanismList("softhsm").map(({ type }) => type);

const slots: Unlike<"slots"> = {
  what: "manufacturer, model, and flags of a slot that say nothing of logins",
  reason: "the simulated one is called as its profile is, and nobody asks for the other flags",
  fn: "slots",
  alike: (value) =>
    value.map((slot) => ({ ...slot, manufacturer: "", model: "", flags: slot.flags & slotFlags })),
};
const mechanisms: Unlike<"mechanisms"> = {
  what: "mechanisms that nothing here uses, and sizes of keys",
  reason: "SoftHSM has many more, and tells of sizes that this project never makes",
  fn: "mechanisms",
  alike: (value) =>
    simulated.flatMap((type) =>
      value
        .filter((mechanism) => mechanism.type === type)
        .map(({ flags }) => ({ type, minKeySize: 0, maxKeySize: 0, flags: flags & uses })),
    ),
};

/** `side` without what is not compared. */
export function comparable(side: TokenSide): TokenSide {
  return {
    ask: async (call) => {
      const answer = await side.ask(call);
      if (answer.rv !== ckr.ok) return answer;
      const { value } = answer;
      if (call.fn === slots.fn) return told(slots.alike(value as TokenValues["slots"]));
      if (call.fn !== mechanisms.fn) return answer;
      return told(mechanisms.alike(value as TokenValues["mechanisms"]));
    },
  };
}

function told(value: TokenValues["slots" | "mechanisms"]): TokenAnswer {
  return { rv: ckr.ok, value };
}
