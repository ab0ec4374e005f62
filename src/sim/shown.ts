/**
 * What a replica's view showed after its last step. Two steps of three change nothing of it, and
 * most oracles judge changes only.
 */
import type { RaftView } from "../core/raft/view.js";

export class Shown {
  #term = -1;
  #vote = -1;
  #role = "";
  #leader = -1;
  #commit = -1;
  #applied = -1;
  #first = -1;
  #last = -1;
  #durable = -1;
  #damaged = false;
  #asleep = false;
  #configuration: RaftView["configuration"] | null = null;

  /** True when `view` shows something else than the last time; entries by where they changed. */
  changes(view: RaftView): boolean {
    if (
      view.changedFrom > view.last &&
      view.last === this.#last &&
      view.commit === this.#commit &&
      view.applied === this.#applied &&
      view.durable === this.#durable &&
      view.first === this.#first &&
      view.term === this.#term &&
      view.vote === this.#vote &&
      view.role === this.#role &&
      view.leader === this.#leader &&
      view.damaged === this.#damaged &&
      view.asleep === this.#asleep &&
      view.configuration === this.#configuration
    ) {
      return false;
    }
    this.#last = view.last;
    this.#commit = view.commit;
    this.#applied = view.applied;
    this.#durable = view.durable;
    this.#first = view.first;
    this.#term = view.term;
    this.#vote = view.vote;
    this.#role = view.role;
    this.#leader = view.leader;
    this.#damaged = view.damaged;
    this.#asleep = view.asleep;
    this.#configuration = view.configuration;
    return true;
  }
}
