/**
 * Leaders are spread over the nodes: every node says which groups it leads, and what follows from that
 * is asked for, one group after the other. Nothing of it is kept: taken again, it looks again.
 */
import type { GroupId, NodeId } from "../ids.js";
import { type LeaderMove, type LedGroup, leaderMoves } from "../map/leaders.js";
import type { Marks } from "../marks.js";
import type { MapState } from "../map/state.js";
import { mapLimits } from "../map/types.js";
import { decodeLedPage, ledPageMax } from "../store/led-page.js";
import { type Errand, type Outcome, bytesOf, done, later, on } from "./errand.js";
import { leading } from "./member-errands.js";

/** Leaders that one job moves at most; who wants more asks again. */
const movesMax = 256;
/** Who does not answer so often is left out: nothing is moved to or from it. */
const asksMax = 3;
/** A group that has no leader, or whose leader may not go, is left out after so many askings. */
const moveAsksMax = 12;

export function balancing(map: Readonly<MapState>, marks: Marks): Errand {
  return new Balancing(map, marks);
}

class Balancing implements Errand {
  readonly #marks: Marks;
  /** Those that are still to be asked which groups they lead. */
  readonly #unheard: NodeId[];
  readonly #heard: NodeId[] = [];
  readonly #leaders = new Map<GroupId, NodeId>();
  /** The last group of the last page. */
  #above = 0;
  #asks = 0;
  /** Null until all nodes were asked. */
  #moves: LeaderMove[] | null = null;
  #move: Errand | null = null;

  constructor(map: Readonly<MapState>, marks: Marks) {
    this.#marks = marks;
    const up = map.nodes.all().filter(({ state }) => state === "up");
    this.#unheard = up.map(({ node }) => node);
  }

  next(map: Readonly<MapState>): ReturnType<Errand["next"]> {
    if (this.#asks++ >= (this.#moves === null ? asksMax : moveAsksMax)) this.#giveUp();
    const [node] = this.#unheard;
    if (node !== undefined) return { to: { node }, request: { kind: "led", above: this.#above } };
    this.#moves ??= this.#planned(map);
    const [move] = this.#moves;
    if (move === undefined) return null;
    this.#move ??= leading(move.group, move.node, this.#marks);
    return this.#move.next(map);
  }

  take(answer: Parameters<Errand["take"]>[0]): Outcome {
    const [node] = this.#unheard;
    if (node !== undefined) return this.#led(node, bytesOf(answer));
    const outcome = this.#move?.take(answer) ?? done;
    if (outcome.kind !== "done") return outcome;
    this.#moved();
    return on;
  }

  #led(node: NodeId, bytes: Uint8Array | null): Outcome {
    const page = bytes === null ? null : decodeLedPage(bytes);
    if (page === null || page.kind === "undecodable") return later;
    for (const group of page.groups) this.#leaders.set(group, node);
    this.#asks = 0;
    const last = page.groups.at(-1);
    if (last !== undefined && page.groups.length === ledPageMax) {
      this.#above = last;
      return on;
    }
    this.#heard.push(node);
    this.#nextNode();
    return on;
  }

  #giveUp(): void {
    if (this.#unheard.length > 0) this.#nextNode();
    else this.#moved();
    this.#asks = 1;
  }

  #nextNode(): void {
    this.#unheard.shift();
    this.#above = 0;
  }

  #moved(): void {
    this.#moves?.shift();
    this.#move = null;
    this.#asks = 0;
  }

  #planned(map: Readonly<MapState>): LeaderMove[] {
    const groups: LedGroup[] = [];
    for (const [group, leader] of this.#leaders) {
      const known = map.groups.get(group);
      if (known?.phase !== "live" || groups.length >= mapLimits.spreadGroupsMax) continue;
      groups.push({ group, leader, members: known.members.map(({ node }) => node) });
    }
    const nodes = this.#heard.flatMap((node) => {
      const known = map.nodes.get(node);
      return known?.state === "up" ? [{ node, weight: known.weight }] : [];
    });
    groups.sort((a, b) => a.group - b.group);
    return leaderMoves(groups, nodes, movesMax);
  }
}
