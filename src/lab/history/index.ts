export type { CheckHistoryOptions, HistoryInput, HistoryModel } from "./check-history.js";
export { checkHistory, HISTORY_INPUTS, HISTORY_MODELS, parseHistory } from "./check-history.js";
export type { CheckOptions, CheckResult, PartReport, Verdict } from "./checker.js";
export { checkOperations } from "./checker.js";
export type { HistoryError, Parsed } from "./events.js";
export type { KvInput, KvOutput } from "./models/kv.js";
export { kv } from "./models/kv.js";
export type { Foresight, Model } from "./models/model.js";
export type {
  CasRegisterInput,
  RegisterInput,
  RegisterOutput,
  RegisterValue,
} from "./models/register.js";
export { casRegister, register } from "./models/register.js";
export type { SlotKvInput, SlotKvOutput } from "./models/slot-kv.js";
export { slotKv } from "./models/slot-kv.js";
export type { Operation as HistoryOperation, Part as HistoryPart } from "./operation.js";
export { partByKey } from "./operation.js";
