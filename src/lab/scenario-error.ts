/** What a scenario's own code threw. It is its author's to put right, no fault of the simulator. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";

  constructor(scenario: string, where: string, thrown: unknown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    super(`scenario ${scenario}: ${where} threw: ${message}`, { cause: thrown });
  }
}

/** By its name, for a simulator with a planted bug has a class of its own. */
export function isScenarioError(error: unknown): error is ScenarioError {
  return error instanceof Error && error.name === "ScenarioError";
}
