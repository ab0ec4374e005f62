/**
 * Keys as libkmsp11 makes them: a template has a label and a number that says all the rest. Whatever
 * is made lasts, and its id is the module's own.
 */
import type { Template, TokenCall } from "../../core/hsm/cryptoki/calls.js";
import { cka, ckr, vendorAttribute } from "../../core/hsm/cryptoki/constants.js";
import { curveOfBits } from "../../core/hsm/der.js";
import { bytesKey } from "../../core/bytes.js";
import { valueIn } from "./attribute-bytes.js";
import type { ModuleContext } from "./context.js";

const labelPattern = /^[A-Za-z0-9_-]{1,63}$/;
const idBytes = 24;

type MakingCall = TokenCall & { readonly fn: "generateKey" | "generateKeyPair" };

/** CloudKMS algorithms, numbers of kmsp11.h. */
interface Algorithm {
  readonly kind: "aes" | "ecSign" | "rsaSign" | "rsaDecrypt";
  readonly bits: number;
}

const algorithms: Readonly<Record<number, Algorithm>> = {
  5: { kind: "rsaSign", bits: 2048 },
  6: { kind: "rsaSign", bits: 3072 },
  7: { kind: "rsaSign", bits: 4096 },
  8: { kind: "rsaDecrypt", bits: 2048 },
  9: { kind: "rsaDecrypt", bits: 3072 },
  10: { kind: "rsaDecrypt", bits: 4096 },
  12: { kind: "ecSign", bits: 256 },
  13: { kind: "ecSign", bits: 384 },
  19: { kind: "aes", bits: 256 },
};

/** The call with all that its number means, or why it is refused. */
export function cloudkmsCall(context: ModuleContext, call: MakingCall): MakingCall | number {
  const isPair = call.fn === "generateKeyPair";
  const template = isPair ? call.privateTemplate : call.template;
  const known = context.profile.generateAttributes ?? [];
  const said = isPair ? [...template, ...call.publicTemplate] : template;
  if (said.some(({ type }) => !known.includes(type))) return ckr.templateInconsistent;
  const label = valueIn(template, cka.label);
  const number = valueIn(template, vendorAttribute.cloudkmsAlgorithm);
  const algorithm = typeof number === "number" ? algorithms[number] : undefined;
  if (!(label instanceof Uint8Array) || number === undefined) return ckr.templateIncomplete;
  if (algorithm === undefined || !labelPattern.test(bytesKey(label))) {
    return ckr.attributeValueInvalid;
  }
  if (isPair === (algorithm.kind === "aes")) return ckr.templateInconsistent;
  const id = context.token.random(idBytes);
  const named: Template = [
    { type: cka.label, value: label },
    { type: cka.id, value: id },
    { type: cka.token, value: true },
  ];
  if (!isPair) return { ...call, template: [...named, ...secretTemplate(algorithm)] };
  return { ...call, ...pairTemplates(named, algorithm) };
}

const hidden: Template = [
  { type: cka.private, value: true },
  { type: cka.sensitive, value: true },
  { type: cka.extractable, value: false },
];

function secretTemplate({ bits }: Algorithm): Template {
  const rest = [cka.wrap, cka.unwrap, cka.sign, cka.verify];
  return [
    ...hidden,
    { type: cka.valueLen, value: bits / 8 },
    { type: cka.encrypt, value: true },
    { type: cka.decrypt, value: true },
    ...rest.map((type) => ({ type, value: false })),
  ];
}

function pairTemplates(
  named: Template,
  { kind, bits }: Algorithm,
): { readonly publicTemplate: Template; readonly privateTemplate: Template } {
  const signs = kind !== "rsaDecrypt";
  const size =
    kind === "ecSign"
      ? { type: cka.ecParams, value: curveOfBits(bits)!.parameters }
      : { type: cka.modulusBits, value: bits };
  return {
    publicTemplate: [
      ...named,
      { type: cka.verify, value: signs },
      { type: cka.encrypt, value: !signs },
      { type: cka.wrap, value: false },
      size,
    ],
    privateTemplate: [
      ...named,
      ...hidden,
      { type: cka.sign, value: signs },
      { type: cka.decrypt, value: !signs },
      { type: cka.unwrap, value: false },
    ],
  };
}
