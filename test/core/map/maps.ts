/** Maps of small clusters for tests, and the steward's side of them: every step goes well. */
import {
  type GroupId,
  type NodeId,
  groupId,
  incarnation,
  nodeId,
  replicaId,
} from "../../../src/core/ids.js";
import { ClusterMap } from "../../../src/core/map/cluster-map.js";
import {
  type Fact,
  type MapAnswer,
  type MapCommand,
  decodeMapAnswer,
  encodeMapCommand,
} from "../../../src/core/map/commands.js";
import type { Job, Step } from "../../../src/core/map/types.js";
import type { Member } from "../../../src/core/raft/configuration.js";

export class TestMap {
  readonly map: ClusterMap;
  #index: number;

  constructor(map: ClusterMap = new ClusterMap({ hit: () => {} }), index = 0) {
    this.map = map;
    this.#index = index;
  }

  ask(command: MapCommand): MapAnswer {
    const bytes = this.map.admin(
      encodeMapCommand(command),
      command.kind === "advance" ? "steward" : "somebody",
      1_000,
      ++this.#index,
    );
    const answer = decodeMapAnswer(bytes);
    if (answer === null) throw new Error("no answer");
    return answer;
  }

  /** The job that was begun. */
  begin(command: MapCommand): Job {
    const answer = this.ask(command);
    const job = answer.kind === "ok" ? this.map.state.jobs.get(answer.id) : undefined;
    if (job === undefined) throw new Error(`no job: ${JSON.stringify(answer)}`);
    return job;
  }

  job(id: number): Job | undefined {
    return this.map.state.jobs.get(id) ?? this.map.state.ended.get(id);
  }

  /** Reports the present step of a job done. */
  advance(id: number): MapAnswer {
    const job = this.map.state.jobs.get(id)!;
    const fact = this.#factOf(job.steps[job.at]!);
    return this.ask({ kind: "advance", job: id, turn: job.turn, fact });
  }

  /** Reports all that is left of it. */
  finish(id: number): void {
    while (this.map.state.jobs.get(id) !== undefined) this.advance(id);
  }

  #factOf(step: Step): Fact {
    if (step.kind === "release") return { kind: "kept", total: 10, checksum: 20 };
    if (step.kind !== "swap" && step.kind !== "renew") return { kind: "none" };
    const { groups, nodes } = this.map.state;
    const { members } = groups.get(step.group)!;
    const next = Math.max(...members.map(({ replica }) => replica)) + 1;
    const [enter, leave] = step.kind === "swap" ? [step.enter, step.leave] : [step.node, step.node];
    const stay = members.filter(({ node }) => node !== leave);
    const entered = { replica: replicaId(next), node: enter, disk: nodes.get(enter)!.disk };
    return { kind: "members", members: [...stay, entered] };
  }
}

/** Nodes from 1 on, each with a zone of its own; group 1 is the map's, those after it have slots. */
export function madeMap(nodes: number, groups: number, slotCount = 16): TestMap {
  const test = new TestMap();
  const ids = Array.from({ length: nodes }, (_, n) => nodeId(n + 1));
  const answer = test.ask({
    kind: "make",
    slotCount,
    nodes: ids.map((node) => ({ node, disk: node * 10, weight: 1, zone: `z${node}`, address: "" })),
    groups: Array.from({ length: groups + 1 }, (_, n) => ({
      group: groupId(n + 1),
      incarnation: incarnation(n + 1),
      weight: 1,
      members: membersOf(ids.slice(0, 3)),
    })),
  });
  if (answer.kind === "ok" && answer.id > 0) test.finish(answer.id);
  return test;
}

export function membersOf(nodes: readonly NodeId[]): Member[] {
  return nodes.map((node, at) => ({ replica: replicaId(at + 1), node, disk: node * 10 }));
}

export const group = (n: number): GroupId => groupId(n);
