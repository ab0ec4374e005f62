/** Every scenario that ships, in the order of `list`. */
import type { Scenario } from "quorumlab/lab";
import { calmCluster } from "./calm-cluster.js";
import { leaderCrashLoop } from "./leader-crash-loop.js";
import { majorityPartition } from "./majority-partition.js";
import { isolatedLeader } from "./isolated-leader.js";
import { oneWayLinks } from "./one-way-links.js";
import { bridgeTopology } from "./bridge-topology.js";
import { ringOfMajorities } from "./ring-of-majorities.js";
import { flappingNetwork } from "./flapping-network.js";
import { clockSkewLeaseReads } from "./clock-skew-lease-reads.js";
import { leasesAtRisk } from "./leases-at-risk.js";
import { pausedLeader } from "./paused-leader.js";
import { tornLogs } from "./torn-logs.js";
import { smallWindows } from "./small-windows.js";
import { fullDisk } from "./full-disk.js";
import { bitRot } from "./bit-rot.js";
import { snapshotToFreshReplica } from "./snapshot-to-fresh-replica.js";
import { membershipUnderFire } from "./membership-under-fire.js";
import { changesCutShort } from "./changes-cut-short.js";
import { unheardChanges } from "./unheard-changes.js";
import { wipedNodeReturns } from "./wiped-node-returns.js";
import { rollingRestart } from "./rolling-restart.js";
import { clientRetries } from "./client-retries.js";
import { leadershipReturns } from "./leadership-returns.js";
import { lyingFsync } from "./lying-fsync.js";
import { vanishedTail } from "./vanished-tail.js";
import { slowVotes } from "./slow-votes.js";
import { leadersInTurn } from "./leaders-in-turn.js";
import { halfWonElection } from "./half-won-election.js";
import { evenGroup } from "./even-group.js";
import { overwrittenInFlight } from "./overwritten-in-flight.js";
import { rotWithoutWitness } from "./rot-without-witness.js";
import { slotsOnTheMove } from "./slots-on-the-move.js";
import { groupsComeAndGo } from "./groups-come-and-go.js";
import { nodeDrained } from "./node-drained.js";
import { splitUnderCrashes } from "./split-under-crashes.js";
import { groupReborn } from "./group-reborn.js";
import { zoneLost } from "./zone-lost.js";
import { mapWithoutLeader } from "./map-without-leader.js";
import { hotKeys } from "./hot-keys.js";
import { staleClients } from "./stale-clients.js";
import { deposedOwner } from "./deposed-owner.js";
import { leadersRebalanced } from "./leaders-rebalanced.js";
import { stewardCrashLoop } from "./steward-crash-loop.js";
import { leadersEven } from "./leaders-even.js";
import { stalledMachine } from "./stalled-machine.js";
import { groupsInHaste } from "./groups-in-haste.js";
import { patientClients } from "./patient-clients.js";
import { sealed } from "./sealed.js";
import { keysAwayAtStart } from "./keys-away-at-start.js";
import { rotationCutShort } from "./rotation-cut-short.js";
import { rotationPastLaggard } from "./rotation-past-laggard.js";
import { membersAndKeys } from "./members-and-keys.js";
import { sealedOnTheMove } from "./sealed-on-the-move.js";
import { swarm } from "./swarm.js";
import { groupsAsleep } from "./groups-asleep.js";
import { tokensReplaced } from "./tokens-replaced.js";
import { wakeUpStorm } from "./wake-up-storm.js";

export const scenarios: readonly Scenario[] = [
  calmCluster,
  leaderCrashLoop,
  majorityPartition,
  isolatedLeader,
  oneWayLinks,
  bridgeTopology,
  ringOfMajorities,
  flappingNetwork,
  clockSkewLeaseReads,
  leasesAtRisk,
  pausedLeader,
  tornLogs,
  smallWindows,
  fullDisk,
  bitRot,
  snapshotToFreshReplica,
  membershipUnderFire,
  changesCutShort,
  unheardChanges,
  wipedNodeReturns,
  rollingRestart,
  clientRetries,
  leadershipReturns,
  slowVotes,
  leadersInTurn,
  halfWonElection,
  evenGroup,
  overwrittenInFlight,
  rotWithoutWitness,
  lyingFsync,
  vanishedTail,
  slotsOnTheMove,
  groupsComeAndGo,
  nodeDrained,
  splitUnderCrashes,
  groupReborn,
  zoneLost,
  mapWithoutLeader,
  hotKeys,
  staleClients,
  deposedOwner,
  leadersRebalanced,
  stewardCrashLoop,
  groupsInHaste,
  patientClients,
  sealed,
  keysAwayAtStart,
  rotationCutShort,
  rotationPastLaggard,
  membersAndKeys,
  tokensReplaced,
  sealedOnTheMove,
  swarm,
  groupsAsleep,
  wakeUpStorm,
  stalledMachine,
  leadersEven,
];
