/** Counters of each replica on a node, kept from what its observer sees; no step costs more than one look. */
import type { GroupId, Incarnation, ReplicaId } from "../ids.js";
import type { RaftRole, RaftView } from "../raft/view.js";
import type { GroupMetrics, ReplicaCounts } from "./topics.js";

type Counters = { -readonly [Name in keyof GroupMetrics]: number };

export interface Meter {
  readonly incarnation: Incarnation;
  readonly replica: ReplicaId;
  readonly counters: Counters;
  role: RaftRole;
  term: number;
  commit: number;
  /** The newest term whose leader was told of. */
  toldTerm: number;
}

export class Meters {
  readonly #meters = new Map<GroupId, Meter>();
  readonly #replicas: Record<RaftRole, number> = {
    follower: 0,
    preCandidate: 0,
    candidate: 0,
    leader: 0,
  };

  get replicas(): ReplicaCounts {
    return { ...this.#replicas };
  }

  /** Null when no replica of the group lives here. */
  metricsOf(group: GroupId): GroupMetrics | null {
    const meter = this.#meters.get(group);
    return meter === undefined ? null : { ...meter.counters };
  }

  /** Null for what is left of an earlier replica of the group: the newest one counts. */
  of(view: RaftView): Meter | null {
    const { group, incarnation, replica } = view;
    const meter = this.#meters.get(group);
    if (meter !== undefined && meter.replica === replica && meter.incarnation === incarnation) {
      return meter;
    }
    if (meter !== undefined && !isNewer(view, meter)) return null;
    if (meter !== undefined) this.#replicas[meter.role]--;
    const { role, term, commit } = view;
    const counters = noCounts();
    const fresh: Meter = { incarnation, replica, counters, role, term, commit, toldTerm: 0 };
    this.#meters.set(group, fresh);
    this.#replicas[role]++;
    return fresh;
  }

  /** The replica has handled an input. */
  stepped(kind: string, view: RaftView): Meter | null {
    const meter = this.of(view);
    if (meter === null) return null;
    const { role, term, commit } = view;
    const { counters } = meter;
    if (kind === "propose") counters.proposals++;
    else if (kind === "snapshotTaken") counters.snapshotsTaken++;
    if (commit > meter.commit) {
      counters.commits += commit - meter.commit;
      meter.commit = commit;
    }
    if (term > meter.term) {
      meter.term = term;
      // Its own vote in a new term is how it stands for election.
      if (view.vote === view.replica) counters.elections++;
    }
    if (role !== meter.role) {
      this.#replicas[meter.role]--;
      this.#replicas[role]++;
      meter.role = role;
    }
    return meter;
  }

  removed(group: GroupId, incarnation: Incarnation, replica: ReplicaId): void {
    const meter = this.#meters.get(group);
    if (meter?.replica !== replica || meter.incarnation !== incarnation) return;
    this.#meters.delete(group);
    this.#replicas[meter.role]--;
  }
}

function isNewer(view: RaftView, than: Meter): boolean {
  if (view.incarnation !== than.incarnation) return view.incarnation > than.incarnation;
  return view.replica > than.replica;
}

function noCounts(): Counters {
  return {
    proposals: 0,
    commits: 0,
    appliedEntries: 0,
    appliedBytes: 0,
    elections: 0,
    leaderChanges: 0,
    snapshotsTaken: 0,
    snapshotsRestored: 0,
  };
}
