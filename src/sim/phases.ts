/**
 * The phases of a run: attack; then a random core is healed and must make progress within a bound;
 * then all is healed and must converge; then clients look once more at all that was done.
 */
import type { Configuration } from "../core/raft/configuration.js";
import type { Draw } from "../lab/draw.js";
import type { PlannedOperation } from "../lab/run-result.js";
import type { Asked, Vocabulary } from "../lab/workload.js";
import type { NextOperation, Population } from "./clients.js";
import type { Cluster } from "./cluster.js";
import { eventKind } from "./events.js";
import { linkRest } from "./healing.js";
import { leftToDo } from "./left-to-do.js";
import { unevenLoads } from "./served.js";
import { standingKey } from "./standing-key.js";
import { Rest } from "./rest.js";

/** The one property that is judged by the phases and by no oracle: something good must happen. */
export const livenessProperty: { readonly id: string; readonly about: string } = {
  id: "liveness",
  about:
    "a healed majority commits and answers a read within 20 of the longest election timeouts, and all converge and are read",
};

/** CONTRACTS 9: progress within so many of the longest election timeout. */
const timeoutsUntilProgress = 20;
/** Then so many more, in which leaders stay: who cannot hear the core must not keep deposing them. */
const timeoutsOfCalm = 10;
/** Elections of one group in that time which are no sign of trouble yet. */
const electionsInCalmMax = 2;
const tickUs = 50_000;
/** Dead nodes get so long to come back before the core is chosen. */
const settleUsMax = 2_000_000;
/** The last job has begun by then, if there is anything to do. */
const spreadingUsMin = 500_000;
/** The last reads get so long. */
const readingUsMax = 20_000_000;

type Stage =
  | "attack"
  | "settle"
  | "unasked"
  | "core"
  | "steady"
  | "converge"
  | "spread"
  | "quiet"
  | "orphaned"
  | "read"
  | "over";

export interface PhaseOptions {
  readonly attackUs: number;
  /** The longest election timeout of any replica. */
  readonly electionTimeoutUs: number;
  /** False: nothing wrong may be said, but nobody asks for progress. */
  readonly demandProgress: boolean;
  /** Groups with nothing to do fall asleep. */
  readonly groupsSleep: boolean;
  readonly vocabulary: Vocabulary;
  /** Those of the workload. */
  readonly clients: Population;
  /** Clients that must find out soon whether anybody serves them. */
  readonly newProbes: (clients: number, next: NextOperation) => Population;
  readonly draw: Draw;
}

export class Phases {
  readonly #cluster: Cluster;
  readonly #options: PhaseOptions;
  readonly #boundUs: number;
  #stage: Stage = "attack";
  #sinceUs = 0;
  #core: number[] = [];
  #probes: Population | null = null;
  #workloadOperations = Infinity;
  /** Also where there is nothing to spread. */
  #isSpread: boolean;
  /** Keys that the last reads have not begun on. */
  #unread: PlannedOperation[][] = [];
  readonly #rest: Rest | null;
  /** Leaders seen when the core had made progress. */
  #leadersBefore = 0;

  constructor(cluster: Cluster, options: PhaseOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#isSpread = cluster.resolved.map === null;
    this.#boundUs = timeoutsUntilProgress * options.electionTimeoutUs;
    this.#rest = options.groupsSleep ? new Rest(cluster, options.draw) : null;
    cluster.onPhase = () => this.#tick();
    cluster.scheduler.add(options.attackUs, eventKind.phase);
  }

  get over(): boolean {
    return this.#stage === "over";
  }

  /** How many operations the workload had begun when the last reads set in. */
  get operations(): number {
    return this.#workloadOperations;
  }

  /** The nodes that were healed first. */
  get core(): readonly number[] {
    return this.#core;
  }

  #tick(): void {
    const { scheduler } = this.#cluster;
    const passedUs = scheduler.nowUs - this.#sinceUs;
    switch (this.#stage) {
      case "attack":
        this.#stopAttack();
        break;
      case "settle":
        if (passedUs >= settleUsMax || this.#allUp()) this.#healCore();
        break;
      case "unasked":
        this.#watchUnasked(passedUs);
        break;
      case "core":
        this.#watchProbes(passedUs);
        break;
      case "steady":
        this.#watchLeaders(passedUs);
        break;
      case "converge":
        this.#watchConvergence(passedUs);
        break;
      case "spread":
        this.#watchSpread(passedUs);
        break;
      case "quiet":
        this.#watchQuiet(passedUs);
        break;
      case "orphaned":
        this.#watchOrphans(passedUs);
        break;
      case "read":
        this.#watchReads(passedUs);
        break;
      case "over":
        return;
    }
    if (!this.over) scheduler.add(scheduler.nowUs + tickUs, eventKind.phase);
  }

  #stopAttack(): void {
    const { executor, people, processes } = this.#cluster;
    executor.stopAttack();
    people.stop();
    this.#options.clients.stop();
    for (const { index, startsToCut } of processes) {
      startsToCut.length = 0;
      this.#cluster.start(index);
    }
    this.#enter("settle");
  }

  #allUp(): boolean {
    return this.#cluster.processes.every(({ boot }) => boot > 0);
  }

  /** A majority of every configuration in force; the rest stays broken as it was. */
  #healCore(): void {
    const { executor, processes, network } = this.#cluster;
    this.#core = this.#chooseCore();
    executor.heal(this.#core);
    const rest = processes.map(({ index }) => index).filter((node) => !this.#core.includes(node));
    const { draw } = this.#options;
    linkRest(network, { core: this.#core, rest }, draw);
    for (const node of this.#core) this.#cluster.start(node);
    if (this.#rest !== null) return this.#enter("unasked");
    this.#probe();
    this.#enter("core");
  }

  /** A group that sleeps under a leader that is gone must find out though nobody asks it. */
  #watchUnasked(passedUs: number): void {
    const { survey } = this.#cluster;
    const led = survey.groups().every((group) => survey.leader(group) !== null);
    if (!led && passedUs < this.#boundUs) return;
    if (!led && this.#options.demandProgress) return this.#fail("has no leader, unasked,");
    this.#probe();
    this.#enter("core");
  }

  #chooseCore(): number[] {
    const { processes, survey } = this.#cluster;
    const order = this.#options.draw.some(
      processes.map(({ index }) => index),
      processes.length,
    );
    const configurations = survey
      .groups()
      .flatMap((group) =>
        survey.configurations(group).map((configuration) => ({ group, configuration })),
      );
    const core: number[] = [];
    for (const node of order) {
      core.push(node);
      if (configurations.every((each) => this.#hasMajority(each.group, each.configuration, core)))
        break;
    }
    return core.sort((a, b) => a - b);
  }

  #hasMajority(
    group: number,
    { voters, outgoing }: Configuration,
    core: readonly number[],
  ): boolean {
    return [voters, outgoing].every((half) => {
      const whole = half.filter(
        (member) => core.includes(member.node - 1) && this.#cluster.survey.holds(group, member),
      );
      return half.length === 0 || whole.length * 2 > half.length;
    });
  }

  /**
   * One client for each group writes and then reads. Who does not know what became of its write, for
   * its session was evicted while that was in doubt, writes once more.
   */
  #probe(): void {
    const { resolved, clients } = this.#cluster;
    const { vocabulary, newProbes } = this.#options;
    const left = resolved.groups.map((_, group) =>
      vocabulary.probes(group).map((asked) => plain(asked, `probe-${group}.${asked.kind}`, group)),
    );
    this.#probes = newProbes(left.length, (client, last) => {
      if (last?.outcome === "unknown") return { ...last.planned, thinkUs: tickUs };
      return left[client]!.shift() ?? null;
    });
    clients[1] = this.#probes;
    this.#probes.start();
  }

  #watchProbes(passedUs: number): void {
    const probes = this.#probes!;
    const { resolved, recorder } = this.#cluster;
    const done = probes.idle && probes.acknowledged === resolved.groups.length * 2;
    if (!done && passedUs < this.#boundUs) return;
    if (!done && this.#options.demandProgress) return this.#fail("makes no progress");
    this.#leadersBefore = recorder.leaderChanges;
    this.#enter("steady");
  }

  #watchLeaders(passedUs: number): void {
    const { resolved, executor, processes, recorder } = this.#cluster;
    if (passedUs < timeoutsOfCalm * this.#options.electionTimeoutUs) return;
    const elections = recorder.leaderChanges - this.#leadersBefore;
    const calm = elections <= electionsInCalmMax * resolved.groups.length;
    if (!calm && this.#options.demandProgress) return this.#fail("keeps changing its leaders");
    executor.heal(processes.map(({ index }) => index));
    for (const { index } of processes) this.#cluster.start(index);
    this.#enter("converge");
  }

  #watchConvergence(passedUs: number): void {
    const { survey } = this.#cluster;
    const apart = survey.groups().filter((group) => !this.#converged(group));
    const settled = apart.length === 0 && leftToDo(this.#cluster, this.#core).length === 0;
    if (!settled && passedUs < 2 * this.#boundUs) return;
    if (!settled && this.#options.demandProgress) return this.#fail("does not converge", apart);
    if (this.#isSpread) return this.#lookAround();
    this.#isSpread = true;
    this.#cluster.people.spreadAtLast();
    this.#enter("spread");
  }

  /** Where there is a map, slots are spread once more: then nobody has much more than its share. */
  #watchSpread(passedUs: number): void {
    const map = this.#cluster.survey.map();
    const uneven = map === null ? [] : unevenLoads(map);
    const left = [...leftToDo(this.#cluster, this.#core), ...uneven];
    if (passedUs < spreadingUsMin || (left.length > 0 && passedUs < 2 * this.#boundUs)) return;
    if (left.length > 0 && this.#options.demandProgress) {
      const what = `slots are not spread: ${uneven.join(", ")}`;
      return this.#notLive("does not spread its slots", what);
    }
    this.#lookAround();
  }

  #lookAround(): void {
    if (this.#rest === null || this.#rest.disturbed) this.#readAll();
    else this.#enter("quiet");
  }

  /** With nothing to do, all groups fall asleep. */
  #watchQuiet(passedUs: number): void {
    const awake = !this.#rest!.allAsleep();
    if (awake && passedUs < this.#boundUs) return;
    if (awake && this.#options.demandProgress) return this.#fail("does not fall asleep");
    this.#rest!.disturb();
    this.#enter("orphaned");
  }

  /** A node under whose leaders others sleep has failed: all groups have leaders again, unasked. */
  #watchOrphans(passedUs: number): void {
    const orphaned = !this.#rest!.allLed();
    if (orphaned && passedUs < this.#boundUs) return;
    if (orphaned && this.#options.demandProgress) return this.#fail("sleeps under a dead leader");
    for (const { index } of this.#cluster.processes) this.#cluster.start(index);
    this.#enter("converge");
  }

  #readAll(): void {
    const { vocabulary, clients } = this.#options;
    const reads = vocabulary.lastReads();
    this.#unread = Array.from({ length: clients.count }, (_, client) =>
      reads
        .filter((_read, at) => at % clients.count === client)
        .map((asked, at) => plain(asked, `${client}.last-${at}`, client)),
    );
    this.#workloadOperations = clients.operations.length;
    clients.start((client) => this.#unread[client]!.shift() ?? null);
    this.#enter("read");
  }

  /** Who loses patience with a last read has not read. */
  #watchReads(passedUs: number): void {
    const { clients, demandProgress } = this.#options;
    if (!clients.idle && passedUs < readingUsMax) return;
    const unanswered = clients.operations
      .slice(this.#workloadOperations)
      .filter(({ outcome }) => outcome !== "ok")
      .map(({ planned }) => planned);
    const left = [...unanswered, ...this.#unread.flat()];
    if (left.length === 0 || !demandProgress) return this.#enter("over");
    const what = left.map(({ key, group }) => `${key} of group ${group + 1}`).join(", ");
    this.#notLive("reads do not end", `the last reads do not end, of ${what}`);
  }

  /** All members of the group that have their disks hold the leader's state, all of it. */
  #converged(group: number): boolean {
    const { survey, recorder, processes } = this.#cluster;
    const leader = survey.leader(group);
    if (leader === null || leader.configuration.outgoing.length > 0) return false;
    const own = recorder.appliedStates.get(standingKey(leader.group, leader.node));
    if (leader.applied !== leader.last) return false;
    const { voters, learners } = leader.configuration;
    for (const member of [...voters, ...learners]) {
      const process = processes[member.node - 1]!;
      if (process.diskId !== member.disk) continue;
      const view = survey.replicaOf(group, member);
      if (view === null && survey.isDamaged(process.index)) continue;
      if (view === null || view.applied !== leader.applied) return false;
      const state = recorder.appliedStates.get(standingKey(view.group, view.node));
      // A replica that found all in its snapshot has applied nothing since.
      if (state === undefined || own === undefined || state.index !== own.index) continue;
      if (state.digest[0] !== own.digest[0] || state.digest[1] !== own.digest[1]) return false;
    }
    return true;
  }

  #fail(what: string, groups?: readonly number[]): void {
    this.#notLive(what, `the cluster ${what} within its bound`, groups);
  }

  /** `groups`: those that have not done what they should; all of them unless given. */
  #notLive(
    shape: string,
    what: string,
    groups: readonly number[] = this.#cluster.survey.groups(),
  ): void {
    const { recorder, survey } = this.#cluster;
    const waits = groups.map((group) => {
      const views = survey.live(group);
      const said = views.map(
        (view) =>
          `node ${view.node} (replica ${view.replica}, ${view.role}, applied ${view.applied} of ${view.last}): ${view.waitsFor()}`,
      );
      return `group ${group + 1}: ${said.join("; ") || "no replica lives"}`;
    });
    recorder.report(livenessProperty.id, {
      message: `${what} after healing of nodes ${this.#core
        .map((node) => node + 1)
        .join(", ")}: ${[...leftToDo(this.#cluster, this.#core), ...waits].join(" | ")}`,
      shape,
      node: 0,
      group: 0,
    });
    this.#enter("over");
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#sinceUs = this.#cluster.scheduler.nowUs;
    this.#cluster.recorder.phase(stage, this.#core);
  }
}

/** Without thinking, of whoever leads. */
function plain(asked: Asked, id: string, client: number): PlannedOperation {
  return { ...asked, id, client, thinkUs: 0, read: "leader" };
}
