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
export { type SlotAssignment, assignSlots, slotAssignmentName } from "./ring/assign-slots.js";
export { hashRing } from "./ring/hash-ring.js";
export { jump } from "./ring/jump.js";
export { capThousandthsDefault } from "./ring/load-bounds.js";
export { maglev } from "./ring/maglev.js";
export * from "./ring/place-replicas.js";
export { rendezvous } from "./ring/rendezvous.js";
export {
  type HashLookup,
  type HashScheme,
  type HashTarget,
  type TargetsProblem,
  targetsMax,
  targetsProblem,
  weightMax,
} from "./ring/scheme.js";
export { Wal, type WalParts } from "./wal/wal.js";
export { type WalOptions, walDefaults, walOptions } from "./wal/options.js";
export * from "./store/client-protocol.js";
export { Client } from "./client/client.js";
export type { ClientEffect, ClientInput, FailureReason, Outcome } from "./client/contract.js";
export { type ClientOptions, clientLimitsDefault, clientTimesDefault } from "./client/options.js";
export { type FixedGroup, type Route, type Routing, fixedRouting } from "./client/routing.js";
export { KvStore } from "./store/kv.js";
export { ReplicatedStore, type ReplicatedStoreOptions } from "./store/replicated-store.js";
export { slotHash, slotHashName, slotOf } from "./store/slots.js";
export { Bus, type BusOptions, type Cancel, type Reply, busDefaults } from "./bus/bus.js";
export { type ConsensusBus, ConsensusNode, type ConsensusNodeParts } from "./bus/consensus-node.js";
export type * from "./bus/topics.js";
export type { Clients, HostParts } from "./node/host-parts.js";
export { Host, type HostStage, type HostStatus } from "./node/host.js";
export type { FoundingGroup } from "./node/lifecycle.js";
export type { LogicFactory, NodeLogic } from "./node/logic.js";
export { userMachine } from "./node/machine-node.js";
export { multiRaft, type MultiRaftParts } from "./node/multi-raft-node.js";
export type { HostObserver, PersistRecord } from "./node/observer.js";
export { type NodeOptions, nodeDefaults, nodeOptions } from "./node/options.js";
