// A module of scenarios as a user would name it with --scenarios.
const scenario = (name, expect = "ok") => ({
  name,
  about: `the ${name} one`,
  cluster: { nodes: 3, groups: 1, replication: 3, raft: {}, wal: {} },
  workload: { clients: 1, thinkUs: 1_000, keys: 1, mix: { get: 1 }, valueBytes: 8 },
  faults: { swarm: [], swarmFaultsMax: 0 },
  phases: { attackUs: 1_000_000 },
  expect,
});

export const scenarios = [scenario("first"), scenario("second"), scenario("broken", "violation")];
