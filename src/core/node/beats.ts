/**
 * Watches, for the replicas that sleep here, whether the nodes live that their groups depend on
 * (docs/decisions/0005). A node with sleeping leaders sends one beat to each node that has followers
 * of theirs, whatever the number of groups. A node that falls silent, or starts anew, may be what
 * they wait for in vain: they are woken, so many in an interval and never all at once.
 */
import type { NodeId } from "../ids.js";
import type { Bound } from "../raft/view.js";
import type { RaftOptions } from "../raft/options.js";
import type { RaftState } from "../raft/state.js";
import type { NodeContext } from "./context.js";
import { Links } from "./links.js";
import type { Sleeper } from "./wake-heap.js";

/** What is known of another node. Lists are those of `Links`. */
interface PeerNode {
  readonly node: NodeId;
  /** Its newest start that was heard of. */
  boot: number;
  lastHeardUs: number;
  /** Replicas that sleep here under leaders there. */
  readonly under: number;
  /** Leaders that sleep here and have a member there. */
  readonly over: number;
}

/** Who sleeps is known by a number; `links` are for this class alone. */
export interface SleepingReplica {
  readonly sleeper: number;
  links: number;
}

export class Beats implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #context: NodeContext;
  readonly #heartbeatUs: number;
  readonly #silenceUs: number;
  readonly #wake: (sleeper: number) => void;
  readonly #links = new Links();
  readonly #peers = new Map<NodeId, PeerNode>();
  /** To be woken in any case: since a start, here or of a node that they depend on. */
  readonly #due: number = this.#links.newList();
  #tickDueUs = 0;
  #tickedUs = -Infinity;
  #wasLate = false;
  /** The most that were woken in one interval. */
  #wokenMost = 0;

  /** `wake` steps the replica with that number, which then sleeps no more. */
  constructor(context: NodeContext, raft: RaftOptions, wake: (sleeper: number) => void) {
    this.#context = context;
    this.#heartbeatUs = raft.heartbeatUs;
    this.#silenceUs = raft.electionTimeoutMaxUs;
    this.#wake = wake;
  }

  bounds(): Bound {
    const { wakesMax } = this.#context.options;
    return { name: "wakes of an interval", size: this.#wokenMost, limit: wakesMax };
  }

  /** A replica has fallen asleep in this state. */
  asleep(replica: SleepingReplica, state: RaftState): void {
    if (state.role === "leader") {
      for (const { node, boot } of state.peers) this.#join(replica, node, boot, "over");
    } else if (state.leaderNode !== null) {
      this.#join(replica, state.leaderNode, state.leaderBoot, "under");
    } else {
      replica.links = this.#links.add(this.#due, replica.sleeper, replica.links);
    }
    this.#arm();
  }

  awake(replica: SleepingReplica): void {
    this.#links.remove(replica.links);
    replica.links = -1;
  }

  heard(from: NodeId, boot: number): void {
    const peer = this.#peer(from);
    if (boot < peer.boot) {
      this.#context.marks.hit("staleBeatDropped");
      return;
    }
    this.started(from, boot);
    peer.lastHeardUs = this.#context.nowUs;
  }

  /** A greeting or a beat named a start of that node. */
  started(node: NodeId, boot: number): void {
    const peer = this.#peer(node);
    if (boot <= peer.boot) return;
    peer.boot = boot;
    const { under, over } = peer;
    if (this.#links.isEmpty(under) && this.#links.isEmpty(over)) return;
    this.#context.marks.hit("nodeStartedAnew");
    this.#links.moveAll(under, this.#due);
    this.#links.moveAll(over, this.#due);
  }

  /** Once in each interval as long as anybody sleeps. */
  woken(): void {
    const { nowUs } = this.#context;
    const late = nowUs > this.#tickDueUs + this.#heartbeatUs;
    // Who stood still has heard nobody: that is no silence of others. But not for ever.
    const excused = late && !this.#wasLate;
    this.#wasLate = late;
    this.#tickedUs = nowUs;
    this.#wakeSome(excused);
    for (const { node, over } of this.#peers.values()) {
      if (this.#links.isEmpty(over)) continue;
      this.#context.outbox.add(node, { kind: "beat", boot: this.#context.boot });
    }
    this.#arm();
  }

  #wakeSome(excused: boolean): void {
    const { nowUs, marks } = this.#context;
    let woken = this.#wakeFrom(this.#due, 0);
    for (const { under, lastHeardUs } of this.#peers.values()) {
      if (nowUs < lastHeardUs + this.#silenceUs || this.#links.isEmpty(under)) continue;
      if (excused) {
        marks.hit("silenceExcused");
        continue;
      }
      marks.hit("nodeSilent");
      woken = this.#wakeFrom(under, woken);
    }
    this.#wokenMost = Math.max(this.#wokenMost, woken);
  }

  /** In the order in which they fell asleep. Gives how many were woken in all. */
  #wakeFrom(list: number, wokenBefore: number): number {
    const { marks, options } = this.#context;
    const { wakesMax } = options;
    let woken = wokenBefore;
    for (; woken < wakesMax && !this.#links.isEmpty(list); woken++) {
      this.#wake(this.#links.first(list));
    }
    if (!this.#links.isEmpty(list)) marks.hit("wakesPutOff");
    return woken;
  }

  #join(replica: SleepingReplica, node: NodeId, boot: number, side: "under" | "over"): void {
    if (node === this.#context.node) return;
    const peer = this.#peer(node);
    this.started(node, boot);
    if (this.#links.isEmpty(peer.under)) peer.lastHeardUs = this.#context.nowUs;
    // It fell asleep with a start of that node that has ended since.
    const list = boot < peer.boot ? this.#due : peer[side];
    replica.links = this.#links.add(list, replica.sleeper, replica.links);
  }

  #peer(node: NodeId): PeerNode {
    let peer = this.#peers.get(node);
    if (peer === undefined) {
      const [under, over] = [this.#links.newList(), this.#links.newList()];
      peer = { node, boot: 0, lastHeardUs: this.#context.nowUs, under, over };
      this.#peers.set(node, peer);
    }
    return peer;
  }

  #arm(): void {
    if (this.wakeSlot >= 0 || !this.#anybodySleeps()) return;
    const { nowUs, wakes } = this.#context;
    this.#tickDueUs = Math.max(nowUs, this.#tickedUs + this.#heartbeatUs);
    wakes.wakeAt(this, this.#tickDueUs);
  }

  #anybodySleeps(): boolean {
    if (!this.#links.isEmpty(this.#due)) return true;
    for (const { under, over } of this.#peers.values()) {
      if (!this.#links.isEmpty(under) || !this.#links.isEmpty(over)) return true;
    }
    return false;
  }
}
