/** Bytes that are not one of the messages that a decoder knows. */
export interface Undecodable {
  readonly kind: "undecodable";
  readonly code: UndecodableCode;
}

export type UndecodableCode =
  /** Of a format that this version doesn't know. */
  | "version"
  /** No message has this number. */
  | "kind"
  /** A field holds what none of its kind may hold. */
  | "field"
  /** The bytes end too early or too late. */
  | "end";

export const undecodableCodes: readonly UndecodableCode[] = ["version", "kind", "field", "end"];

export function undecodable(code: UndecodableCode): Undecodable {
  return { kind: "undecodable", code };
}
