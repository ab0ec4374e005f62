/** What each kind of fault means in a simulated world: how it begins, goes on and ends. */
import { groupId } from "../core/ids.js";
import { ckr } from "../core/hsm/cryptoki/constants.js";
import type { Fault, FaultKind } from "../lab/fault.js";
import type { SimDisk } from "./disk.js";
import type { DiskFaults } from "./disk-faults.js";
import type { Executor, FaultRun } from "./executor.js";
import type { TokenFaultEffect, TokenFaultRule } from "./hsm/faults.js";
import { InForce } from "./in-force.js";
import type { RateKind } from "./network.js";
import { within } from "./streams.js";

export interface FaultHandler {
  begin(executor: Executor, run: FaultRun): void;
  /** After `forUs`, if that is not 0. */
  end?(executor: Executor, run: FaultRun): void;
  /** When a beat that it asked for is due. */
  beat?(executor: Executor, run: FaultRun, beat: number): void;
}

function rate(kind: RateKind): FaultHandler {
  return {
    begin: ({ world }, { fault, ordinal }) => world.network.rate(kind, fault.amount, ordinal),
    end: ({ world }, { ordinal }) => world.network.rate(kind, 0, ordinal),
  };
}

type OnLink = (executor: Executor, run: FaultRun, from: number, to: number, on: boolean) => void;

/** A fault of the links from `nodes` to `peers`; `ways` says whether the way back has it too. */
function link(ways: "one" | "both", set: OnLink): FaultHandler {
  const all = (executor: Executor, run: FaultRun, on: boolean): void => {
    for (const from of run.nodes) {
      for (const to of run.peers) {
        if (from === to) continue;
        set(executor, run, from, to, on);
        if (ways === "both") set(executor, run, to, from, on);
      }
    }
  };
  return {
    begin: (executor, run) => all(executor, run, true),
    end: (executor, run) => all(executor, run, false),
  };
}

const setCut: OnLink = ({ world }, { ordinal }, from, to, on) =>
  world.network.cut(from, to, ordinal, on);

const cutBoth = link("both", setCut);

const flap: FaultHandler = {
  begin(executor, run) {
    cutBoth.begin(executor, run);
    executor.beatAt(run, 1, within(executor.word(run, 1), 20_000, 400_000));
  },
  beat(executor, run, beat) {
    if (beat % 2 === 0) cutBoth.begin(executor, run);
    else cutBoth.end!(executor, run);
    executor.beatAt(run, beat + 1, within(executor.word(run, beat + 1), 20_000, 400_000));
  },
  // A cut that is not there is taken away without harm.
  end: (executor, run) => cutBoth.end!(executor, run),
};

const drift: FaultHandler = {
  begin({ world }, { nodes, fault, ordinal }) {
    for (const node of nodes) {
      const process = world.processes[node]!;
      process.drift.begin(ordinal, fault.amount);
      process.clockChanged();
    }
  },
  end({ world }, { nodes, ordinal }) {
    for (const node of nodes) {
      const process = world.processes[node]!;
      process.drift.end(ordinal);
      process.clockChanged();
    }
  },
};

const wallStep: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      const process = executor.world.processes[node]!;
      process.clock.stepWall(run.fault.amount);
      process.wallSteppedBy = run.ordinal;
    }
  },
};

/** Time that a killed node stays away when its fault names none. */
const downUsUsual = 300_000;

const kill: FaultHandler = {
  begin({ world }, { nodes, fault, ordinal }) {
    for (const node of nodes) world.kill(node, fault.forUs || downUsUsual, "soon", ordinal);
  },
};

const killInStart: FaultHandler = {
  begin({ world }, { nodes, fault, ordinal }) {
    for (const node of nodes) {
      const { startsToCut } = world.processes[node]!;
      for (let starts = 0; starts < Math.max(1, fault.amount); starts++) startsToCut.push(ordinal);
      // The kill is only there to have it start.
      world.kill(node, fault.forUs || downUsUsual, "soon", -1);
    }
  },
};

const pause: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      const process = executor.world.processes[node]!;
      if (!process.alive || process.pausedUntilUs > 0) continue;
      process.pausedBy = run.ordinal;
      const word = executor.word(run, node);
      if (word % 2 === 0) {
        process.pause(run.fault.forUs);
      } else {
        process.pauseForUs = run.fault.forUs;
        process.callsUntilPause = (word >>> 8) % 10;
      }
    }
  },
};

const slowNode: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      const { slowness } = executor.world.processes[node]!;
      slowness.begin(run.ordinal, Math.max(1, run.fault.amount));
    }
  },
  end(executor, run) {
    for (const node of run.nodes) executor.world.processes[node]!.slowness.end(run.ordinal);
  },
};

const slowMachine: FaultHandler = {
  begin(executor, { nodes, fault, ordinal }) {
    for (const node of nodes) {
      const { slowMachines } = executor.world.processes[node]!;
      const slow = slowMachines.get(fault.group) ?? new InForce(0);
      slowMachines.set(fault.group, slow);
      slow.begin(ordinal, fault.amount);
    }
  },
  end({ world }, { nodes, fault, ordinal }) {
    for (const node of nodes) world.processes[node]!.slowMachines.get(fault.group)?.end(ordinal);
  },
};

const wipe: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      const downUs = run.fault.forUs || downUsUsual;
      if (executor.world.wipe(node, downUs, run.ordinal)) executor.effective(run.ordinal);
    }
  },
};

const newToken: FaultHandler = {
  begin(executor, { nodes, fault, ordinal }) {
    for (const node of nodes) {
      const downUs = fault.forUs || downUsUsual;
      if (executor.world.replaceToken(node, downUs)) executor.effective(ordinal);
    }
  },
};

const rollingRestart: FaultHandler = {
  begin: (executor, run) => executor.beatAt(run, 0, 0),
  beat(executor, run, beat) {
    const node = run.nodes[beat];
    if (node === undefined) return;
    const slotUs = Math.floor(run.fault.forUs / run.nodes.length);
    executor.world.kill(node, Math.floor(slotUs / 2), "soon", run.ordinal);
    executor.beatAt(run, beat + 1, slotUs);
  },
};

type OnDisk = (disk: SimDisk, run: FaultRun, executor: Executor) => void;

function disk(begin: OnDisk, end?: OnDisk): FaultHandler {
  const all = (executor: Executor, run: FaultRun, set: OnDisk): void => {
    for (const node of run.nodes) set(executor.world.processes[node]!.disk, run, executor);
  };
  return {
    begin: (executor, run) => all(executor, run, begin),
    ...(end === undefined ? {} : { end: (executor, run) => all(executor, run, end) }),
  };
}

/** What is to go wrong on a disk as often as `amount` says, at least once. */
function next(of: (faults: DiskFaults) => number[]): FaultHandler {
  return disk(({ faults }, { fault, ordinal }) => {
    for (let times = 0; times < Math.max(1, fault.amount); times++) of(faults).push(ordinal);
  });
}

/** `damage` changes one place, and is false where there is none. */
function rot(damage: (disk: SimDisk, run: FaultRun, word: number) => boolean): FaultHandler {
  return {
    begin(executor, run) {
      for (const node of run.nodes) {
        const target = executor.world.processes[node]!.disk;
        let damaged = false;
        for (let place = 0; place < Math.max(1, run.fault.amount); place++) {
          if (!damage(target, run, executor.word(run, place))) continue;
          executor.effective(run.ordinal);
          damaged = true;
        }
        if (damaged) executor.world.lost(node);
      }
    },
  };
}

const lyingSync: FaultHandler = {
  begin: ({ world }, { nodes, ordinal }) => {
    for (const node of nodes) world.processes[node]!.disk.faults.lying.begin(ordinal, true);
  },
  // "And a crash follows": what was never synced is gone.
  end({ world }, { nodes, ordinal }) {
    for (const node of nodes) {
      const process = world.processes[node]!;
      if (process.alive) world.kill(node, downUsUsual, "now", -1);
      process.disk.faults.lying.end(ordinal);
    }
  },
};

type TokenRule = Pick<TokenFaultRule, "effect"> & Partial<Pick<TokenFaultRule, "nth" | "chance">>;

/** A rule for the tokens of `nodes`, as long as the fault lasts. */
function token(ruleOf: (fault: Fault) => TokenRule): FaultHandler {
  return {
    begin({ world }, { nodes, fault, ordinal }) {
      const always = { id: ordinal, chance: 1_000, fromUs: 0, toUs: Infinity };
      for (const node of nodes) {
        world.processes[node]!.hsm.faults.begin({ ...always, ...ruleOf(fault) });
      }
    },
    end({ world }, { nodes, ordinal }) {
      for (const node of nodes) world.processes[node]!.hsm.faults.end(ordinal);
    },
  };
}

/** What one call of a token may meet, chosen by `amount`. */
const lapses: readonly TokenFaultEffect[] = [
  { kind: "sessionsLost" },
  { kind: "loginLost" },
  { kind: "initLost", failures: 0 },
  { kind: "initLost", failures: 2 },
  { kind: "handlesMoved" },
  { kind: "deviceError" },
  { kind: "hang" },
  { kind: "throttled" },
  { kind: "keyHidden" },
  { kind: "operationLeft" },
  { kind: "bytesCorrupted" },
  { kind: "full" },
  { kind: "attributesIgnored" },
];

const errand: FaultHandler = {
  begin: ({ world }, { fault, ordinal }) => world.errand(fault, ordinal),
};

/** Room that is left to a full disk, bytes. */
const roomBytesMax = 1_024;

export const handlers: Readonly<Record<FaultKind, FaultHandler>> = {
  loss: rate("loss"),
  duplicate: rate("duplicate"),
  delay: rate("delay"),
  reorder: rate("reorder"),
  cut: cutBoth,
  cutOneWay: link("one", setCut),
  flap,
  slowLink: link("both", ({ world }, { fault, ordinal }, from, to, on) =>
    world.network.slow(from, to, ordinal, on ? Math.max(1, fault.amount) : 1),
  ),
  fullQueue: link("one", ({ world }, { ordinal }, from, to, on) =>
    world.network.narrow(from, to, ordinal, on),
  ),
  corrupt: link("both", ({ world }, { ordinal }, from, to, on) =>
    world.network.corrupt(from, to, ordinal, on),
  ),
  halfOpen: link("one", ({ world }, { ordinal }, from, to, on) =>
    world.network.halfOpen(from, to, ordinal, on),
  ),
  drift,
  wallStep,
  kill,
  killInStart,
  pause,
  slowNode,
  slowMachine,
  wipe,
  rollingRestart,
  tornWrite: disk(
    ({ faults }, { ordinal }) => faults.torn.begin(ordinal, true),
    ({ faults }, { ordinal }) => faults.torn.end(ordinal),
  ),
  failSync: next(({ failSyncs }) => failSyncs),
  rot: rot((target, _run, word) => target.rot(word)),
  rotGroup: rot((target, { fault }, word) => target.rotEntryOf(groupId(fault.group + 1), word)),
  misdirectRead: next(({ misdirectReads }) => misdirectReads),
  misdirectWrite: next(({ misdirectWrites }) => misdirectWrites),
  fullDisk: disk(
    (target, run, executor) => target.leaveRoom(run.ordinal, executor.word(run, 0) % roomBytesMax),
    ({ faults }, { ordinal }) => faults.limitBytes.end(ordinal),
  ),
  slowDisk: disk(
    ({ faults }, { fault, ordinal }) => faults.slowness.begin(ordinal, Math.max(1, fault.amount)),
    ({ faults }, { ordinal }) => faults.slowness.end(ordinal),
  ),
  failRead: next(({ failReads }) => failReads),
  lyingSync,
  vanishTail: disk(({ faults }, { fault, ordinal }) =>
    faults.vanishSyncs.begin(ordinal, Math.max(1, fault.amount)),
  ),
  tokenAway: token(({ forUs, amount }) => ({
    nth: 1,
    effect: { kind: "tokenAway", forUs, silent: amount % 2 === 1 },
  })),
  tokenSlow: token(({ amount }) => ({ effect: { kind: "slow", delayUs: amount * 1_000 } })),
  tokenSilent: token(({ amount }) => ({
    chance: amount,
    effect: { kind: "answerLost", rv: ckr.deviceError },
  })),
  tokenLapse: token(({ amount }) => ({ nth: 1, effect: lapses[amount % lapses.length]! })),
  newToken,
  rotateKeys: errand,
  transferLeader: errand,
  moveSlots: errand,
  splitGroup: errand,
  mergeGroups: errand,
  createGroup: errand,
  destroyGroup: errand,
  spreadSlots: errand,
  moveReplica: errand,
  drainNode: errand,
  joinNode: errand,
  loseNode: errand,
  cancelJob: errand,
  moveLeader: errand,
  balanceLeaders: errand,
  addLearner: errand,
  promote: errand,
  removeMember: errand,
  removeLeader: errand,
  replaceMembers: errand,
};
