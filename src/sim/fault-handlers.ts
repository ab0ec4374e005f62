/** What each kind of fault means in a simulated world: how it begins, goes on and ends. */
import type { FaultKind } from "../lab/fault.js";
import type { DiskFault, DiskFaults } from "./disk.js";
import type { Executor, FaultRun } from "./executor.js";
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
  begin(executor, run) {
    for (const node of run.nodes) {
      const process = executor.world.processes[node]!;
      process.clock.setRate(run.fault.amount);
      process.clockChanged();
      if (run.fault.amount !== 0) executor.effective(run.ordinal);
    }
  },
  end(executor, run) {
    for (const node of run.nodes) {
      const process = executor.world.processes[node]!;
      process.clock.setRate(0);
      process.clockChanged();
    }
  },
};

const wallStep: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      executor.world.processes[node]!.clock.stepWall(run.fault.amount);
      if (run.fault.amount !== 0) executor.effective(run.ordinal);
    }
  },
};

/** Time that a killed node stays away when its fault names none. */
const downUsUsual = 300_000;

function killed(executor: Executor, run: FaultRun, node: number, downUs: number): void {
  if (!executor.world.processes[node]!.alive) return;
  executor.effective(run.ordinal);
  executor.world.kill(node, downUs, "soon");
}

const kill: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) killed(executor, run, node, run.fault.forUs || downUsUsual);
  },
};

const killInStart: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      executor.world.processes[node]!.killStarts = Math.max(1, run.fault.amount);
      killed(executor, run, node, run.fault.forUs || downUsUsual);
    }
  },
};

const pause: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      const process = executor.world.processes[node]!;
      if (!process.alive || process.pausedUntilUs > 0) continue;
      executor.effective(run.ordinal);
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
      const process = executor.world.processes[node]!;
      process.slowness = Math.max(1, run.fault.amount);
      if (process.alive) executor.effective(run.ordinal);
    }
  },
  end(executor, run) {
    for (const node of run.nodes) executor.world.processes[node]!.slowness = 1;
  },
};

const wipe: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      executor.effective(run.ordinal);
      executor.world.wipe(node, run.fault.forUs || downUsUsual, run.ordinal);
    }
  },
};

const rollingRestart: FaultHandler = {
  begin: (executor, run) => executor.beatAt(run, 0, 0),
  beat(executor, run, beat) {
    const node = run.nodes[beat];
    if (node === undefined) return;
    const slotUs = Math.floor(run.fault.forUs / run.nodes.length);
    killed(executor, run, node, Math.floor(slotUs / 2));
    executor.beatAt(run, beat + 1, slotUs);
  },
};

type OnDisk = (faults: DiskFaults, run: FaultRun, executor: Executor) => void;

function disk(kind: DiskFault, begin: OnDisk, end?: OnDisk): FaultHandler {
  const all = (executor: Executor, run: FaultRun, set: OnDisk): void => {
    for (const node of run.nodes) {
      executor.arm(node, kind, run);
      set(executor.world.processes[node]!.disk.faults, run, executor);
    }
  };
  return {
    begin: (executor, run) => all(executor, run, begin),
    ...(end === undefined ? {} : { end: (executor, run) => all(executor, run, end) }),
  };
}

const rot: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      executor.arm(node, "rot", run);
      const target = executor.world.processes[node]!.disk;
      let damaged = false;
      for (let place = 0; place < Math.max(1, run.fault.amount); place++) {
        damaged = target.rot(executor.word(run, place)) || damaged;
      }
      if (damaged) executor.world.lost(node);
    }
  },
};

const misdirectWrite: FaultHandler = {
  begin(executor, run) {
    for (const node of run.nodes) {
      executor.arm(node, "misdirectWrite", run);
      executor.world.processes[node]!.disk.faults.misdirectWrites = 1;
      executor.world.lost(node);
    }
  },
};

const lying = disk("lyingSync", (faults) => (faults.lying = true));

/** "And a crash follows": what was never synced is gone. */
const lyingSync: FaultHandler = {
  begin: (executor, run) => lying.begin(executor, run),
  end(executor, run) {
    for (const node of run.nodes) {
      const process = executor.world.processes[node]!;
      if (process.alive) executor.world.kill(node, downUsUsual, "now");
      process.disk.faults.lying = false;
    }
  },
};

function errand(kind: FaultKind): FaultHandler {
  return { begin: ({ world }, { fault, ordinal }) => world.errand(kind, fault.group, ordinal) };
}

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
  wipe,
  rollingRestart,
  tornWrite: disk(
    "tornWrite",
    (faults) => (faults.torn = true),
    (faults) => (faults.torn = false),
  ),
  failSync: disk("failSync", (faults) => (faults.failSyncs = 1)),
  rot,
  misdirectRead: disk("misdirectRead", (faults, { fault }) => {
    faults.misdirectReads = Math.max(1, fault.amount);
  }),
  misdirectWrite,
  fullDisk: disk(
    "fullDisk",
    (faults, run, executor) => (faults.roomBytes = executor.word(run, 0) % roomBytesMax),
    (faults) => (faults.roomBytes = Infinity),
  ),
  slowDisk: disk(
    "slowDisk",
    (faults, { fault }) => (faults.slowness = Math.max(1, fault.amount)),
    (faults) => (faults.slowness = 1),
  ),
  failRead: disk("failRead", (faults, { fault }) => {
    faults.failReads = Math.max(1, fault.amount);
  }),
  lyingSync,
  vanishTail: disk("vanishTail", (faults, { fault }) => {
    faults.vanishSyncs = Math.max(1, fault.amount);
  }),
  transferLeader: errand("transferLeader"),
  addLearner: errand("addLearner"),
  promote: errand("promote"),
  removeMember: errand("removeMember"),
  removeLeader: errand("removeLeader"),
  replaceMembers: errand("replaceMembers"),
};
