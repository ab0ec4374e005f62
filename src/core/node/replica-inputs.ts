/** What a replica steps its Raft with again and again. */
import type { RaftInput } from "../raft/raft.js";

export const timer: RaftInput = { kind: "timer" };
export const withKeys: RaftInput = {
  kind: "permitted",
  permissions: { mayLead: true, mayApply: true },
};
/** Votes and appends go on; it applies nothing, leads nothing. */
export const withoutKeys: RaftInput = {
  kind: "permitted",
  permissions: { mayLead: false, mayApply: false },
};
