/** The simulated world: one call runs a scenario with a seed and judges it. */
export { type SimulateOptions, type SimulationResult, simulate } from "./simulate.js";
export type { TraceSink } from "../lab/trace-recorder.js";
export {
  type TraceOrigin,
  traceEndText,
  traceEventText,
  traceHeader,
  traceHeaderText,
} from "./trace-writer.js";
export { type ShrinkOptions, type ShrinkResult, shrink } from "./shrink/shrink.js";
