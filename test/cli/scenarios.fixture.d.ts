import type { Scenario } from "../../src/lab/scenario.js";

export declare const scenarios: readonly Scenario[];
