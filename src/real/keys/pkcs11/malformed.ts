/** The call is none that can be made; it is answered `noCall.malformed`. Says nothing of its bytes. */
export class MalformedCallError extends Error {
  override readonly name = "MalformedCallError";
}
