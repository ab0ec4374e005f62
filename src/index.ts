/**
 * What a user of the library imports: scenarios and what they are made of, one run of them, the
 * properties that judge it, the shrinking of a failure, the checker of recorded histories, and a node
 * as part of a program.
 */
export type { Machine, MachineEffect, MachineInput } from "./core/machine.js";
export * from "./lab/index.js";
export { allOracles } from "./lab/oracles/index.js";
export {
  checkHistory,
  checkOperations,
  HISTORY_INPUTS,
  HISTORY_MODELS,
  type CheckHistoryOptions,
  type CheckOptions,
  type CheckResult,
  type HistoryInput,
  type HistoryModel,
  type Verdict,
} from "./lab/history/index.js";
export * from "./sim/index.js";
export { Bus } from "./core/bus/bus.js";
export {
  type ConsensusBus,
  ConsensusNode,
  type ConsensusNodeParts,
} from "./core/bus/consensus-node.js";
export type * from "./core/bus/topics.js";
