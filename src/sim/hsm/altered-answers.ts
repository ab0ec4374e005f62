/** What becomes of a faulty token's answers after the deed, and of what was done. */
import type { Handle, TokenAnswer, TokenCall } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckr } from "../../core/hsm/cryptoki/constants.js";
import { attributeBytes, isSet } from "./attribute-bytes.js";
import { ok, refused } from "./context.js";
import type { TokenFaultRule, TokenFaults } from "./faults.js";
import type { SimToken } from "./module.js";

/** Answers of searches that a rule remembers. */
const searchesMax = 64;
const cutBytes = 8;

export class AlteredAnswers {
  readonly #module: SimToken;
  readonly #faults: TokenFaults;
  /** By function. */
  readonly #outputs = new Map<string, Uint8Array>();
  /** By rule and template. */
  readonly #searches = new Map<string, readonly Handle[]>();

  constructor(module: SimToken, faults: TokenFaults) {
    this.#module = module;
    this.#faults = faults;
  }

  altered(struck: readonly TokenFaultRule[], call: TokenCall, answer: TokenAnswer): TokenAnswer {
    let altered = answer;
    for (const rule of struck) altered = this.#by(rule, call, altered);
    if (answer.value instanceof Uint8Array) this.#outputs.set(call.fn, answer.value);
    return altered;
  }

  #by(rule: TokenFaultRule, call: TokenCall, answer: TokenAnswer): TokenAnswer {
    if (answer.rv !== ckr.ok) return answer;
    const { value } = answer;
    const { effect } = rule;
    switch (effect.kind) {
      case "answerLost":
        this.#faults.effective(rule);
        return refused(effect.rv);
      case "bytesCorrupted":
      case "bytesCut":
      case "outputStale":
        return value instanceof Uint8Array ? this.#bytes(rule, call, value) : answer;
      case "keyHidden":
        if (call.fn !== "find" || !Array.isArray(value) || value.length === 0) return answer;
        this.#faults.effective(rule);
        return ok<"find">((value as readonly Handle[]).slice(0, -1));
      case "findStale":
        return call.fn === "find" ? this.#stale(rule, call, value as readonly Handle[]) : answer;
      case "keyDoubled":
        if (call.fn === "find") this.#double(rule, (value as readonly Handle[]).slice(0, 1));
        return answer;
      case "keyMade":
        if (makes(call)) this.#double(rule, handlesIn(value));
        return answer;
      case "flagMisread":
        return call.fn === "attributes" ? this.#misread(rule, effect.type, call, answer) : answer;
      case "fullPartly":
        return makes(call) ? this.#writtenInPart(rule, answer) : answer;
      case "attributesIgnored":
        this.#expose(rule, call, answer);
        return answer;
      default:
        return answer;
    }
  }

  #bytes(rule: TokenFaultRule, { fn }: TokenCall, value: Uint8Array): TokenAnswer {
    const altered = this.#otherBytes(rule, fn, value);
    if (altered === null) return ok<"encrypt">(value);
    this.#faults.effective(rule);
    return ok<"encrypt">(altered);
  }

  /** Null: there is nothing to alter. */
  #otherBytes({ effect }: TokenFaultRule, fn: string, value: Uint8Array): Uint8Array | null {
    if (effect.kind === "outputStale") return this.#outputs.get(fn)?.slice() ?? null;
    if (value.length === 0) return null;
    if (effect.kind === "bytesCut") return value.slice(0, Math.max(0, value.length - cutBytes));
    return value.map((byte, at) => (at === value.length >> 1 ? byte ^ 1 : byte));
  }

  #stale(
    rule: TokenFaultRule,
    { template }: TokenCall & { readonly fn: "find" },
    found: readonly Handle[],
  ): TokenAnswer {
    const wanted = template.map(({ type, value }) => `${type}:${String(value)}`).join("/");
    const name = `${rule.id}/${wanted}`;
    const known = this.#searches.get(name);
    if (known === undefined) {
      if (this.#searches.size >= searchesMax) this.#searches.clear();
      this.#searches.set(name, found);
      return ok<"find">(found);
    }
    const same = known.length === found.length && known.every((one, at) => one === found[at]);
    if (!same) this.#faults.effective(rule);
    return ok<"find">(known);
  }

  #misread(
    rule: TokenFaultRule,
    type: number,
    { types }: TokenCall & { readonly fn: "attributes" },
    answer: TokenAnswer,
  ): TokenAnswer {
    const values = answer.value as readonly Uint8Array[];
    if (!types.some((one, at) => one === type && values[at]!.length === 1)) return answer;
    this.#faults.effective(rule);
    return ok<"attributes">(
      values.map((value, at) =>
        types[at] === type && value.length === 1 ? attributeBytes(value[0] === 0) : value,
      ),
    );
  }

  #double(rule: TokenFaultRule, handles: readonly Handle[]): void {
    let doubled = false;
    for (const handle of handles) {
      const object = this.#module.lastingObject(handle);
      if (object === null) continue;
      this.#module.token?.objects.add({ attributes: new Map(object.attributes) });
      doubled = true;
    }
    if (doubled) this.#faults.effective(rule);
  }

  /** What was written when the room ended is there, and nobody is told its handle. */
  #writtenInPart(rule: TokenFaultRule, answer: TokenAnswer): TokenAnswer {
    const handles = handlesIn(answer.value);
    const objects = handles.map((handle) => this.#module.lastingObject(handle));
    const last = objects.at(-1) ?? null;
    if (last === null) return answer;
    if (objects.length > 1) this.#module.token?.objects.delete(last);
    else for (const type of [cka.label, cka.id]) last.attributes.set(type, new Uint8Array(0));
    this.#faults.effective(rule);
    return refused(this.#module.fullRv);
  }

  #expose(rule: TokenFaultRule, call: TokenCall, { value }: TokenAnswer): void {
    if (call.fn !== "generateKey" && call.fn !== "generateKeyPair") return;
    const attributes = this.#module.lastingObject(handlesIn(value).at(-1)!)?.attributes;
    if (attributes === undefined || !isSet(attributes, cka.sensitive)) return;
    for (const type of [cka.sensitive, cka.alwaysSensitive, cka.neverExtractable]) {
      attributes.set(type, attributeBytes(false));
    }
    attributes.set(cka.extractable, attributeBytes(true));
    this.#faults.effective(rule);
  }
}

function makes({ fn }: TokenCall): boolean {
  return ["generateKey", "generateKeyPair", "createObject", "unwrapKey"].includes(fn);
}

/** Of what a call made; of a pair the public half first. */
function handlesIn(value: TokenAnswer["value"]): readonly Handle[] {
  if (typeof value === "string") return [value];
  const pair = value as { readonly publicKey: Handle; readonly privateKey: Handle };
  return [pair.publicKey, pair.privateKey];
}
