import { ConsensusNode, groupId } from "quorumlab/core";
import type { ConsensusNodeParts, GroupId, ProposeOutcome } from "quorumlab/core";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (from: Uint8Array): string => new TextDecoder().decode(from);

/** Orders that every node of a shop sees in one order. */
export class Orders {
  readonly node: ConsensusNode;
  /** What happened, in words, in the order in which this node learned of it. */
  readonly journal: string[] = [];
  readonly #group: GroupId = groupId(1);

  constructor(ports: ConsensusNodeParts) {
    this.node = new ConsensusNode(ports);
    this.node.bus.subscribe("consensus.leader.elected", ({ node, term }) => {
      this.journal.push(`node ${node} leads in term ${term}`);
    });
    this.node.onCommit(this.#group, (commit) => {
      if (commit.kind === "command") this.journal.push(`ordered: ${text(commit.command)}`);
    });
  }

  /** Where orders are taken: the others say who does it. */
  get takesOrders(): boolean {
    return this.node.isLeader(this.#group);
  }

  order(item: string, told: (message: string) => void): void {
    const proposal = { group: this.#group, key: bytes(item), command: bytes(item) };
    this.node.propose(proposal, (outcome) => told(inWords(outcome)));
  }

  /** One line for whoever looks after the node. */
  get standing(): string {
    const { healthy, replicas } = this.node.health();
    const status = this.node.status(this.#group);
    if (status === null) return "no replica here";
    const { role, lag, waitsFor, metrics } = status;
    const words = healthy ? `${role}, ${lag} behind, ${metrics.commits} committed` : waitsFor;
    return `${words}; leads ${replicas.leader} groups`;
  }
}

function inWords(outcome: ProposeOutcome): string {
  switch (outcome.kind) {
    case "done":
      return "ordered";
    case "refused":
      // Nothing was done: it may be ordered again, at the leader.
      return `not ordered (${outcome.reason}), ask node ${outcome.leader}`;
    case "unknown":
      return "nobody can tell yet: look at the journal";
  }
}
