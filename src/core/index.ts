/** The pure core: contracts, the Raft replica, the log, the store, and the node that runs them. */
export * from "./assert.js";
export * from "./consensus.js";
export * from "./entry.js";
export * from "./ids.js";
export * from "./machine.js";
export * from "./marks.js";
export * from "./plain.js";
export * from "./state-machine.js";
export * from "./ports/clock.js";
export * from "./ports/disk.js";
export * from "./ports/network.js";
export * from "./ports/random.js";
export * from "./raft/configuration.js";
export * from "./raft/messages.js";
export { checkRaftOptions, raftDefaults, type RaftOptions } from "./raft/options.js";
export { Raft } from "./raft/raft.js";
export * from "./raft/view.js";
