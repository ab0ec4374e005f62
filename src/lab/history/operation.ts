/**
 * One operation of a recorded history, from its call to its return.
 *
 * 1. `call` and `return` are places in one common order: integer time, or the number of the line. A return at the
 *    same place as another operation's call counts as concurrent with it.
 * 2. `return` is null when the outcome never became known. The operation then stays open to the end of the history:
 *    it may take effect at any time after its call, or never.
 * 3. `output` is undefined exactly when `return` is null.
 */
export interface Operation<Input = unknown, Output = unknown> {
  /** The process or session that called; it has at most one operation under way, but the checker does not need that. */
  readonly client: number;
  readonly call: number;
  readonly return: number | null;
  /** What the operation is about, for models that judge key by key. */
  readonly key: string;
  readonly input: Input;
  readonly output: Output | undefined;
}

/** Operations that can be judged on their own, since no other operation touches the same state. */
export interface Part<Input, Output> {
  /** Names the part in reports. */
  readonly key: string;
  readonly operations: readonly Operation<Input, Output>[];
}

/** One part for each `key`, in order of first appearance. */
export function partByKey<Input, Output>(
  operations: readonly Operation<Input, Output>[],
): readonly Part<Input, Output>[] {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of operations) {
    const part = parts.get(operation.key);
    if (part === undefined) parts.set(operation.key, [operation]);
    else part.push(operation);
  }
  return [...parts].map(([key, list]) => ({ key, operations: list }));
}
