/**
 * A hostile little world around one client: two groups that own slots at epochs, three nodes, and
 * decisions on what happens to each request and answer. Requests may be late or lost, as on a link
 * that breaks, but never come twice; answers may.
 */
import { Client } from "../../../src/core/client/client.js";
import type { ClientEffect, ClientInput, Outcome } from "../../../src/core/client/contract.js";
import { mix32 } from "../../../src/core/hash.js";
import { type GroupId, type NodeId, groupId, nodeId } from "../../../src/core/ids.js";
import { digestOf } from "../../../src/core/plain.js";
import {
  type ClientAnswer,
  type ClientRequest,
  decodeClientRequest,
  encodeClientAnswer,
} from "../../../src/core/store/client-protocol.js";
import { CountedMarks } from "../counted-marks.js";
import { ModelGroup, type Parcel } from "./groups-model.js";
import { type Owners, nodes, decodeOwners, encodeOwners } from "./maps.js";
import type { Decision, Happening } from "./happenings.js";
import { nonsense } from "./nonsense.js";

export const slotCount = 4;
const groupA = groupId(2);
const groupB = groupId(3);

const operationsMax = 4;
const attemptsOpenMax = 3;
const times = {
  timeoutUs: { min: 20_000, max: 80_000 },
  backoffUs: { min: 2_000, max: 16_000 },
  mapEveryUs: 10_000,
} as const;

interface Sent {
  readonly number: number;
  readonly node: NodeId;
  readonly request: ClientRequest;
}

interface Answered {
  readonly number: number;
  readonly bytes: Uint8Array;
}

interface Asked {
  readonly deadlineUs: number;
  readonly isCommand: boolean;
  outcome: Outcome | null;
}

interface Move {
  readonly slot: number;
  readonly epoch: number;
  readonly from: ModelGroup;
  readonly to: ModelGroup;
  readonly parcel: Parcel;
}

export class HostileWorld {
  readonly marks = new CountedMarks();
  readonly operations = new Map<number, Asked>();
  readonly applied = new Map<number, number>();
  readonly client: Client;
  /** What must never be; the first that was. */
  broken: string | null = null;
  #nowUs = 1_000;
  #wakeAtUs = Infinity;
  #nextOperation = 1;
  readonly #groups: readonly [ModelGroup, ModelGroup];
  readonly #groupsMax: number;
  readonly #leaders = new Map<GroupId, NodeId>();
  #requests: Sent[] = [];
  /** Of before the calm. */
  #late: Sent[] = [];
  #answers: Answered[] = [];
  /** Proposed, and nobody knows whether they will be committed. */
  #limbo: Sent[] = [];
  readonly #moves: Move[] = [];
  #epoch = 0;
  /** The owners as they are, whether the map says so or not. */
  #owners: Owners;
  readonly #maps: Owners[] = [];

  constructor(seed: number) {
    const applied = (command: Uint8Array): Uint8Array => this.#apply(command);
    this.#groups = [new ModelGroup(groupA, applied), new ModelGroup(groupB, applied)];
    this.#owners = Array.from({ length: slotCount }, (_, slot) => {
      const group = this.#groups[slot % 2]!;
      group.slots.set(slot, { epoch: 0, owned: true, cameAt: 0 });
      return { group: group.group, epoch: 0 };
    });
    this.#maps.push(this.#owners);
    for (const { group } of this.#groups) this.#leaders.set(group, nodes[0]!);
    // One world in two has a client that can't remember both groups.
    this.#groupsMax = 1 + (seed % 2);
    this.client = new Client({
      seeds: nodes.slice(0, 2),
      slotCount,
      routing: null,
      decodeMap: decodeOwners,
      nonce: Uint8Array.of(7, 7),
      seed: [seed, 2, 3, 4],
      marks: this.marks,
      limits: { operationsMax, groupsMax: this.#groupsMax, attemptsOpenMax },
      times,
    });
  }

  decide({ what, word }: Decision): void {
    this.#nowUs += mix32(word) % 1_500;
    switch (what) {
      case "submit":
        return this.#submit(word % slotCount, 5_000 + (mix32(word) % 400_000), word);
      case "exchange":
        this.#arrive(word, null);
        if (this.#answers.length > 0) this.#deliver(this.#answers.pop()!);
        return;
      case "arrive":
        return this.#arrive(word, null);
      case "refuse":
        return this.#arrive(word, refusal(word));
      case "unsure":
        return this.#unsure(word);
      case "settle":
        return this.#settle(word);
      case "answer":
        return this.#deliver(taken(this.#answers, word));
      case "repeatAnswer":
        return this.#deliver(this.#answers[word % Math.max(1, this.#answers.length)]);
      case "loseRequest":
        taken(this.#requests, word);
        return;
      case "loseAnswer":
        // Of the newest request: the group has taken it.
        this.#arrive(word, null);
        this.#answers.pop();
        return;
      case "nonsense":
        return this.#nonsense(word);
      case "unreachable":
        return this.#step({ kind: "unreachable", node: nodes[word % nodes.length]! });
      case "timer":
        return this.#timer(word % 3 === 0 ? mix32(word) % 60_000 : 0);
      default:
        this.#change(what, word);
    }
  }

  /** Nobody answers any more, and what is under way runs out of time. */
  silence(): void {
    for (let n = 0; n < 2_000 && this.client.state.operations.size > 0; n++) this.#timer(0);
    if (this.client.state.operations.size > 0) this.#fault("an operation never ends");
  }

  /** All goes well again: then a command on each slot is carried out. */
  calm(): void {
    while (this.#moves.length > 0) this.#change("accept", 0);
    this.#change("publish", 0);
    this.#answers = [];
    this.#late = this.#requests.splice(0);
    const first = this.#nextOperation;
    for (let slot = 0; slot < slotCount; slot++) this.#submit(slot, 60_000_000, calmWord);
    for (let n = 0; n < 500 && this.client.state.operations.size > 0; n++) {
      if (this.#requests.length === 0) this.#timer(0);
      this.#arrive(calmWord, null);
      while (this.#answers.length > 0) this.#deliver(this.#answers.pop());
    }
    for (let id = first; id < this.#nextOperation; id++) {
      if (this.operations.get(id)?.outcome?.kind !== "done") this.#fault("all is well, and no use");
    }
  }

  /** What is still under way reaches its group, or most of it. */
  end(word: number): void {
    for (const [at, sent] of [...this.#late, ...this.#limbo].reverse().entries()) {
      const lost = mix32(word + at) % 4 === 0;
      if (sent.request.kind === "command" && !lost) {
        this.#groupOf(sent.request)?.apply(sent.request);
      }
    }
    this.#judge();
  }

  #judge(): void {
    for (const [id, { outcome, isCommand }] of this.operations) {
      const times = this.applied.get(id) ?? 0;
      const least = outcome?.kind === "done" && isCommand ? 1 : 0;
      const most = outcome?.kind === "failed" || !isCommand ? 0 : 1;
      if (times >= least && times <= most) continue;
      this.#fault(`${outcome?.kind} was applied ${times} times`);
    }
  }

  #submit(slot: number, timeoutUs: number, word: number): void {
    const operation = this.#nextOperation++;
    const type = word % 7 === 0 ? ({ type: "read", mode: "index" } as const) : null;
    const deadlineUs = this.#nowUs + timeoutUs;
    this.operations.set(operation, { deadlineUs, isCommand: type === null, outcome: null });
    this.#step({
      kind: "submit",
      operation,
      slot,
      bytes: Uint8Array.of(operation >> 8, operation),
      timeoutUs,
      ...(type ?? { type: "command" }),
    });
  }

  #timer(lateUs: number): void {
    if (this.#wakeAtUs === Infinity) return;
    this.#nowUs = Math.max(this.#nowUs, this.#wakeAtUs) + lateUs;
    this.#wakeAtUs = Infinity;
    this.#step({ kind: "timer" });
  }

  /** A request reaches its node, mostly one of the newest. */
  #arrive(word: number, instead: ClientAnswer | null): void {
    const at = word % 4 > 0 ? this.#requests.length - 1 : word;
    const sent = taken(this.#requests, at);
    if (sent === undefined) return;
    const answer = instead ?? this.#serve(sent, word);
    if (answer !== null) this.#answerTo(sent, answer);
  }

  #serve({ node, request }: Sent, word: number): ClientAnswer | null {
    if (request.kind === "map") return this.#mapAnswer(request.known, word);
    const group = this.#groupOf(request);
    if (group === undefined) return { kind: "refused", reason: "noGroup", leader: 0 };
    const leader = this.#leaders.get(group.group)!;
    if (leader !== node)
      return { kind: "refused", reason: "notLeader", leader: hint(leader, word) };
    switch (request.kind) {
      case "openSession":
        return group.open(request.nonce);
      case "closeSession":
        group.evict(request.session);
        return null;
      case "command":
        return group.apply(request);
      case "read": {
        const { slot, epoch, question } = request;
        if (!group.serves(slot, epoch)) return group.moved(slot);
        return { kind: "readResult", bytes: question };
      }
    }
  }

  /** Leadership is lost after the proposal: it is committed later, or never. */
  #unsure(word: number): void {
    const sent = taken(this.#requests, this.#requests.length - 1);
    if (sent === undefined) return;
    if (sent.request.kind === "command") this.#limbo.push(sent);
    if (word % 3 > 0) this.#answerTo(sent, { kind: "unknown", leader: hint(nodes[0]!, word) });
  }

  #settle(word: number): void {
    const sent = taken(this.#limbo, word);
    if (sent?.request.kind === "command") this.#groupOf(sent.request)?.apply(sent.request);
  }

  #mapAnswer(known: number, word: number): ClientAnswer {
    // One in three is asked of a replica that lags.
    const behind = word % 3 === 0 ? 1 + (mix32(word) % 3) : 0;
    const version = Math.max(1, this.#maps.length - behind);
    const isNews = version > known;
    const bytes = isNews ? encodeOwners(version, this.#maps[version - 1]!) : new Uint8Array(0);
    return { kind: "map", version, bytes };
  }

  #change(what: Happening, word: number): void {
    const group = this.#groups[word & 1]!;
    switch (what) {
      case "release":
        return this.#release(word);
      case "accept":
        return this.#endMove(({ to, slot, epoch, parcel }) => {
          to.accept(slot, epoch, parcel);
          this.#own(slot, to.group, epoch);
        });
      case "keep":
        return this.#endMove(({ from, slot }) => {
          from.keep(slot, ++this.#epoch);
          this.#own(slot, from.group, this.#epoch);
        });
      case "publish":
        if (this.#maps.at(-1) !== this.#owners) this.#maps.push(this.#owners);
        return;
      case "evict": {
        const sessions = [...group.sessions.values()];
        const session = sessions[(word >> 1) % Math.max(1, sessions.length)];
        if (session !== undefined) group.evict(session.id);
        return;
      }
      case "lead":
        this.#leaders.set(group.group, nodes[(word >> 1) % nodes.length]!);
        return;
      default:
    }
  }

  #release(word: number): void {
    const slot = word % slotCount;
    if (this.#moves.some((move) => move.slot === slot)) return;
    const { group, epoch: present } = this.#owners[slot]!;
    const [from, to] = group === groupA ? this.#groups : ([...this.#groups].reverse() as Pair);
    if (!from.serves(slot, present)) return;
    const epoch = ++this.#epoch;
    this.#moves.push({ slot, epoch, from, to, parcel: from.release(slot, epoch) });
  }

  #endMove(how: (move: Move) => void): void {
    const move = this.#moves.shift();
    if (move !== undefined) how(move);
  }

  #own(slot: number, group: GroupId, epoch: number): void {
    this.#owners = this.#owners.map((owner, at) => (at === slot ? { group, epoch } : owner));
  }

  /** What no node of this cluster says, or not to this question. */
  #nonsense(word: number): void {
    const open = [...this.client.state.requests.keys()];
    const request = word % 3 === 0 ? word : (open[word % Math.max(1, open.length)] ?? word);
    const purpose = this.client.state.requests.get(request)?.purpose;
    const said = nonsense(purpose, word, this.#maps[0]!);
    this.#step({ kind: "answer", request, bytes: said[mix32(word) % said.length]! });
  }

  #answerTo({ number }: Sent, answer: ClientAnswer): void {
    this.#answers.push({ number, bytes: encodeClientAnswer(answer) });
  }

  #deliver(answered: Answered | undefined): void {
    if (answered === undefined) return;
    this.#step({ kind: "answer", request: answered.number, bytes: answered.bytes });
  }

  #step(input: ClientInput): void {
    const out: ClientEffect[] = [];
    this.client.step(this.#nowUs, input, out);
    for (const effect of out) this.#effect(effect);
    this.#checkBounds();
    digestOf(this.client.state);
  }

  #effect(effect: ClientEffect): void {
    switch (effect.kind) {
      case "ask": {
        const request = decodeClientRequest(effect.bytes);
        if (request.kind === "undecodable") return this.#fault("a request can't be read");
        this.#requests.push({ number: effect.request, node: effect.node, request });
        return;
      }
      case "finished": {
        const asked = this.operations.get(effect.operation);
        if (asked === undefined || asked.outcome !== null) return this.#fault("finished twice");
        asked.outcome = effect.outcome;
        return;
      }
      case "wakeAt":
        this.#wakeAtUs = effect.at;
    }
  }

  #checkBounds(): void {
    const { operations, groups, openings, sessions, requests } = this.client.state;
    for (const id of operations.keys()) {
      const { deadlineUs } = this.operations.get(id)!;
      if (deadlineUs <= this.#nowUs) this.#fault("an operation outlives its deadline");
      if (deadlineUs < this.#wakeAtUs) this.#fault("nobody will end an operation");
    }
    if (operations.size > operationsMax) this.#fault("too many operations");
    if (groups.size > this.#groupsMax) this.#fault("too many groups");
    if (openings.size > operations.size) this.#fault("openings that nobody waits for");
    if (sessions.size > groups.size + operations.size) this.#fault("too many sessions");
    const attempts = (operations.size + openings.size) * attemptsOpenMax + 1;
    if (requests.size > attempts) this.#fault("too many requests");
  }

  #apply(command: Uint8Array): Uint8Array {
    const id = command[0]! * 256 + command[1]!;
    this.applied.set(id, (this.applied.get(id) ?? 0) + 1);
    return command;
  }

  #groupOf(request: ClientRequest): ModelGroup | undefined {
    return request.kind === "map"
      ? undefined
      : this.#groups.find(({ group }) => group === request.group);
  }

  #fault(what: string): void {
    this.broken ??= what;
  }
}

/** With it, nodes know the leader and have the newest map. */
const calmWord = [...Array(100).keys()].find(
  (word) => word % 3 > 0 && word % 4 > 0 && word % 7 > 0 && mix32(word ^ 0x51) % 8 < 5,
)!;

type Pair = [ModelGroup, ModelGroup];

/** Mostly true, now and then wrong, empty, or of a node that there isn't. */
function hint(leader: NodeId, word: number): NodeId | 0 {
  const drawn = mix32(word ^ 0x51) % 8;
  return drawn < 5 ? leader : ([0, nodes[word % nodes.length]!, nodeId(77)] as const)[drawn - 5]!;
}

function refusal(word: number): ClientAnswer {
  if (word % 11 === 0) return { kind: "malformed", code: "version" };
  const reasons = [
    "notReady",
    "overloaded",
    "noGroup",
    "retired",
    "sessionFull",
    "timeout",
  ] as const;
  return {
    kind: "refused",
    reason: reasons[word % reasons.length]!,
    leader: hint(nodes[0]!, word),
  };
}

function taken<T>(from: T[], at: number): T | undefined {
  return from.length === 0 ? undefined : from.splice(Math.max(0, at) % from.length, 1)[0];
}
