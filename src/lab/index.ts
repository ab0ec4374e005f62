/** What both worlds share to drive and judge a run. */
export * from "./draw.js";
export { type ExplainOptions, explainTrace } from "./explain/explain.js";
export * from "./fault.js";
export type { Foresight, Model } from "./history/models/model.js";
export {
  type Operation as HistoryOperation,
  type Part as HistoryPart,
  partByKey,
} from "./history/operation.js";
export { type HistoryProperty, linearizable, overHistory } from "./judged-history.js";
export * from "./operation.js";
export * from "./oracle.js";
export * from "./run-result.js";
export * from "./scenario.js";
export * from "./shapes.js";
export * from "./trace-reader.js";
