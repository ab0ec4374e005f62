/**
 * The one thing that the core throws. A broken invariant is a bug of ours: the host stops the node
 * for good, and the simulator reports the property `invariant`.
 */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  readonly code = "invariant";
  readonly details: Readonly<Record<string, unknown>>;

  constructor(mustHold: string, details: Readonly<Record<string, unknown>> = {}) {
    super(mustHold);
    this.details = details;
  }
}

/** Throws InvariantError unless `condition`; `mustHold` says what is true in a correct run. */
export function assert(
  condition: boolean,
  mustHold: string,
  details?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantError(mustHold, details);
}

/** Marks a branch that the types say cannot be reached. */
export function assertNever(value: never): never {
  throw new InvariantError("every kind is handled", { value });
}
