import { describe, expect, it } from "vitest";
import { type Index, type NodeId, type Term, nodeId, replicaId } from "../../../src/core/ids.js";
import { encodeConfiguration } from "../../../src/core/raft/configuration-codec.js";
import type { ClientAnswer } from "../../../src/core/store/client-protocol.js";
import { encodeGroupStatus } from "../../../src/core/store/group-status.js";
import { encodeLedPage } from "../../../src/core/store/led-page.js";
import { type TestMap, group, madeMap } from "../map/maps.js";
import { type Asked, StewardWorld, done, refused } from "./world.js";

/** A cluster whose nodes do as they are asked; `leaders` has the node of each group's leader. */
class Leaders {
  readonly test: TestMap;
  readonly world: StewardWorld;
  readonly leaders = new Map<number, number>();
  readonly silent = new Set<number>();

  constructor(nodes: number, groups: number) {
    this.test = madeMap(nodes, groups);
    for (let group = 1; group <= groups + 1; group++) this.leaders.set(group, 1);
    this.world = new StewardWorld(this.test, (asked) => this.answer(asked));
  }

  answer({ node, request }: Asked): ClientAnswer | null {
    if (this.silent.has(node)) return null;
    if (request.kind === "led") {
      const groups = this.test.map.state.groups.all().map(({ group }) => group);
      const led = groups.filter((group) => this.leaders.get(group) === node);
      const bytes = encodeLedPage(led.filter((group) => group > request.above));
      return { kind: "readResult", bytes };
    }
    if (request.kind !== "status" && request.kind !== "transfer") return refused(0);
    const leader = this.leaders.get(request.group)!;
    if (leader !== node) return refused(leader);
    if (request.kind === "status") return this.#status(request.group, leader);
    this.leaders.set(request.group, request.to);
    return done;
  }

  /** Replicas have the numbers of their nodes. */
  #status(group: number, leader: number): ClientAnswer {
    const { members } = this.test.map.state.groups.get(group)!;
    const configuration = encodeConfiguration({
      voters: members,
      outgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
      nextReplicaId: replicaId(9),
    });
    const bytes = encodeGroupStatus({
      term: 1 as Term,
      leader: replicaId(leader),
      configuration,
      configurationIndex: 1 as Index,
      commit: 1 as Index,
      members: [],
    });
    return { kind: "readResult", bytes };
  }

  balance(): number {
    const { id } = this.test.begin({ kind: "balanceLeaders" });
    this.world.asked.length = 0;
    this.world.begin();
    this.world.run(() => this.test.job(id)!.state !== "running");
    return id;
  }

  get loads(): number[] {
    const nodes = this.test.map.state.nodes.all().map(({ node }) => node as NodeId);
    return nodes.map((node) => [...this.leaders.values()].filter((at) => at === node).length);
  }

  get transfers(): number {
    return this.world.kinds.filter((kind) => kind === "transfer").length;
  }
}

describe("leaders are balanced", () => {
  it("all on one node: the fewest transfers that spread them, the map's leader stays", () => {
    const cluster = new Leaders(3, 5);
    const job = cluster.balance();
    expect(cluster.test.job(job)!.state).toBe("done");
    expect(cluster.loads).toEqual([2, 2, 2]);
    expect(cluster.transfers).toBe(4);
    expect(cluster.leaders.get(1)).toBe(1);
  });

  it("balanced already: every node is asked once, and nothing moves", () => {
    const cluster = new Leaders(3, 5);
    cluster.balance();
    const again = cluster.balance();
    expect(cluster.test.job(again)!.state).toBe("done");
    expect(cluster.world.kinds).toEqual(["led", "led", "led"]);
  });

  it("a node does not answer: it is left out, and gets no leader", () => {
    const cluster = new Leaders(3, 7);
    cluster.silent.add(3);
    const job = cluster.balance();
    expect(cluster.test.job(job)!.state).toBe("done");
    expect(cluster.loads).toEqual([4, 4, 0]);
  });

  it("a group's leader can't be had: the others are moved all the same", () => {
    const cluster = new Leaders(3, 5);
    const answering = cluster.world.answering;
    cluster.world.answering = (asked) =>
      asked.request.kind === "transfer" && asked.request.group === 2
        ? refused(0)
        : answering(asked);
    const job = cluster.balance();
    expect(cluster.test.job(job)!.state).toBe("done");
    expect(cluster.leaders.get(2)).toBe(1);
    expect(cluster.loads[0]).toBeLessThanOrEqual(3);
  });

  it("another steward takes over: it looks again, and does what is left", () => {
    const cluster = new Leaders(3, 5);
    const { id } = cluster.test.begin({ kind: "balanceLeaders" });
    cluster.world.begin();
    cluster.world.run(() => cluster.transfers === 2);
    const next = new StewardWorld(cluster.test, (asked) => cluster.answer(asked));
    next.begin();
    next.run();
    expect(cluster.test.job(id)!.state).toBe("done");
    expect(cluster.loads).toEqual([2, 2, 2]);
  });

  it("one such job at a time; it holds no group, and can be cancelled", () => {
    const test = madeMap(4, 2);
    const job = test.begin({ kind: "balanceLeaders" });
    expect(test.ask({ kind: "balanceLeaders" })).toEqual({
      kind: "refused",
      reason: "busy",
      job: job.id,
    });
    const { group, members } = test.map.state.groups.all()[1]!;
    const leave = members[0]!.node;
    expect(test.ask({ kind: "moveReplica", group, leave, enter: nodeId(4) }).kind).toBe("ok");
    expect(test.ask({ kind: "cancel", job: job.id }).kind).toBe("ok");
    expect(test.job(job.id)!.state).toBe("undone");
  });

  it("unasked, so long after taking office, and after another job is over; not after its own", () => {
    const cluster = new Leaders(4, 5);
    const world = new StewardWorld(cluster.test, (asked) => cluster.answer(asked), 10_000);
    const jobs = (): string[] => cluster.test.map.state.ended.all().map(({ kind }) => kind);
    world.begin();
    world.run();
    expect(world.nowUs).toBeGreaterThanOrEqual(10_000);
    expect(jobs()).toEqual(["assign", "balanceLeaders"]);
    expect(Math.max(...cluster.loads)).toBe(2);
    cluster.test.begin({ kind: "moveLeader", group: group(2), node: nodeId(1) });
    world.steward.look(cluster.test.map.state);
    world.run();
    expect(jobs().slice(2)).toEqual(["moveLeader", "balanceLeaders"]);
    world.steward.look(null);
    world.run();
    expect(jobs().length).toBe(4);
  });
});
