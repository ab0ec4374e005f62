import type { Decisions } from "../../lab/run-result.js";

/** How much there is to read in a failure. */
export interface DecisionsSize {
  readonly faults: number;
  readonly operations: number;
  readonly clients: number;
  readonly draws: number;
  readonly nodes: number;
  readonly groups: number;
  readonly attackUs: number;
}

export function sizeOf(decisions: Decisions): DecisionsSize {
  return {
    faults: decisions.faults.length,
    operations: decisions.operations.length,
    clients: new Set(decisions.operations.map((operation) => operation.client)).size,
    draws: decisions.draws.length,
    nodes: numberOption(decisions, "nodes") ?? 0,
    groups: numberOption(decisions, "groups") ?? 0,
    attackUs: numberOption(decisions, "attackUs") ?? 0,
  };
}

/** What shrinking counts: the things that can be left out one by one. */
export function countOf(decisions: Decisions): number {
  return decisions.faults.length + decisions.operations.length + decisions.draws.length;
}

/** A whole number among the resolved options; null where there is none of that name. */
export function numberOption(decisions: Decisions, name: string): number | null {
  const value = decisions.options[name];
  return typeof value === "number" ? value : null;
}

export function withOption(decisions: Decisions, name: string, value: number): Decisions {
  return { ...decisions, options: { ...decisions.options, [name]: value } };
}
