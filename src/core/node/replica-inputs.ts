/** What a replica steps its Raft with again and again. */
import type { Permissions } from "../consensus.js";
import type { RaftInput } from "../raft/raft.js";

export const timer: RaftInput = { kind: "timer" };

export const withKeys: Permissions = { mayLead: true, mayApply: true };
/** Who leads seals under it. */
export const withoutKeyInForce: Permissions = { mayLead: false, mayApply: true };
export const withoutKeys: Permissions = { mayLead: false, mayApply: false };
