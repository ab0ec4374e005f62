/** What is asked of groups that sleep, at the end of a run: that they do, and that they notice. */
import type { RaftView } from "../core/raft/view.js";
import type { Draw } from "../lab/draw.js";
import type { Cluster } from "./cluster.js";

/** How long the node that is taken away stays away, when it comes back at once. */
const shortlyUs = 50_000;

export class Rest {
  /** A node was taken away from those that slept. */
  disturbed = false;
  readonly #cluster: Cluster;
  readonly #draw: Draw;

  constructor(cluster: Cluster, draw: Draw) {
    this.#cluster = cluster;
    this.#draw = draw;
  }

  /** Every group that nothing keeps awake sleeps. */
  allAsleep(): boolean {
    return this.#groups().every(
      (group) => this.#isKeptAwake(group) || this.#cluster.survey.live(group).every(isAsleep),
    );
  }

  /** The node with most of the leaders fails: for good, or to start again before it is missed. */
  disturb(): void {
    const { processes, survey } = this.#cluster;
    const led = processes.map(() => 0);
    for (const group of this.#groups()) {
      const leader = survey.leader(group);
      if (leader !== null) led[leader.node - 1]!++;
    }
    const node = led.indexOf(Math.max(...led));
    this.disturbed = true;
    this.#cluster.kill(node, this.#draw.chance(500) ? shortlyUs : -1, "now", -1);
  }

  /** Every group with a majority of living members has a living leader. */
  allLed(): boolean {
    return this.#groups().every((group) => {
      const live = this.#cluster.survey.live(group);
      const newest = this.#cluster.survey.newest(group);
      const alive = newest?.voters.filter(({ replica }) =>
        live.some((view) => view.replica === replica && !view.damaged),
      );
      if (newest === null || newest.outgoing.length > 0) return true;
      if (alive!.length * 2 <= newest.voters.length) return true;
      return live.some(({ role }) => role === "leader");
    });
  }

  #groups(): number[] {
    return this.#cluster.survey.groups();
  }

  /** A member that cannot answer, or one of before that goes on asking. */
  #isKeptAwake(group: number): boolean {
    const { survey } = this.#cluster;
    const leader = survey.leader(group);
    if (leader === null) return true;
    const { voters, outgoing, learners } = leader.configuration;
    if (outgoing.length > 0) return true;
    const memberIds = [...voters, ...learners].map(({ replica }) => replica);
    const live = survey.live(group).map(({ replica }) => replica);
    return live.length !== memberIds.length || memberIds.some((replica) => !live.includes(replica));
  }
}

function isAsleep(view: RaftView): boolean {
  return view.asleep;
}
