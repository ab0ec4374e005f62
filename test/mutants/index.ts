/** Every planted bug, and every row of the catalogue that cannot be planted here. */
import type { Excluded, Mutant } from "../../src/sim/search/mutants/mutant.js";
import { durabilityMutants } from "./durability.js";
import { electionMutants } from "./election.js";
import { excludedRows } from "./excluded.js";
import { groupMutants } from "./groups.js";
import { keyMutants } from "./keys.js";
import { membershipMutants } from "./membership.js";
import { movingMutants } from "./moving.js";
import { readMutants } from "./reads.js";
import { replicationMutants } from "./replication.js";
import { resourceMutants } from "./resources.js";
import { sealingMutants } from "./sealing.js";
import { sessionMutants } from "./sessions.js";
import { sleepMutants } from "./sleep.js";
import { snapshotMutants } from "./snapshots.js";
import { walMutants } from "./wal.js";

export const mutants: readonly Mutant[] = [
  ...electionMutants,
  ...replicationMutants,
  ...durabilityMutants,
  ...walMutants,
  ...snapshotMutants,
  ...membershipMutants,
  ...readMutants,
  ...sessionMutants,
  ...resourceMutants,
  ...movingMutants,
  ...groupMutants,
  ...sleepMutants,
  ...keyMutants,
  ...sealingMutants,
];

export const excluded: readonly Excluded[] = excludedRows;

/** Ids of those that fall within a few seeds: one of each concern, for every commit. */
export const quickMutants: readonly string[] = [
  "03-vote-said-before-its-sync",
  "10-half-is-a-majority",
  "26-commit-set-not-raised",
  "34-acknowledges-its-whole-log",
  "36-replica-id-given-twice",
  "44-cache-keeps-a-cut-suffix",
  "45-write-taken-for-a-sync",
  "51-hole-taken-for-a-short-log",
  "53-snapshot-sets-the-term",
];
