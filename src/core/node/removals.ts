/**
 * Who has left its group and does not know it. What its leader said last may be lost, and nobody speaks to
 * it any more: it would stand for election for ever, and keep on disk what the others have erased.
 */
import type { NodeId } from "../ids.js";
import { hasRemoved } from "../raft/configuration.js";
import type { RaftMessage } from "../raft/messages.js";
import type { NodeContext } from "./context.js";
import type { Desk } from "./desk.js";
import { encodeNodeRequest } from "./node-requests.js";
import type { Replica } from "./replica.js";
import type { Replicas } from "./replicas.js";

export class Removals {
  readonly #context: NodeContext;
  readonly #replicas: Replicas;
  readonly #desk: Desk;

  constructor(context: NodeContext, replicas: Replicas, desk: Desk) {
    this.#context = context;
    this.#replicas = replicas;
    this.#desk = desk;
  }

  /** Who would campaign may be told by any node that knows better, whether it was the one asked or not. */
  campaigns(from: NodeId, { group, incarnation, from: replica }: RaftMessage): void {
    const here = this.#replicas.peekAll(group);
    if (!here.some((each) => each.incarnation === incarnation && removes(each, replica))) return;
    this.#context.marks.hit("removedReplicaTold");
    this.#desk.ask(from, encodeNodeRequest({ kind: "erase", group, incarnation, replica }));
  }

  /** A learner never campaigns. Where a newer replica of the group came to its node, that one knows. */
  endOlder(newer: Replica): void {
    for (let older = newer.sibling; older !== null; older = older.sibling) {
      if (older.leaving || older.incarnation !== newer.incarnation) continue;
      if (!removes(newer, older.replica)) continue;
      this.#context.marks.hit("removedBesideNewer");
      older.leave();
    }
  }
}

/** What is committed stays true: no id is given out twice. */
function removes({ raft: { view } }: Replica, replica: Replica["replica"]): boolean {
  return view.configurationIndex <= view.commit && hasRemoved(view.configuration, replica);
}
