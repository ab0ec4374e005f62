/**
 * What the leader of a group does about its keys: the first one, a new one when it is time or when a
 * member has left, the keys for who is to join, and the erasure of old ones. One record at a time, each
 * decided anew from what is applied; so any of it may be cut short, and the next leader goes on.
 */
import { emptyBytes, equalBytes } from "../bytes.js";
import { entryType } from "../entry.js";
import type { GroupId, NodeId, ReplicaId, RequestId } from "../ids.js";
import { type KeyEntry, encodeKeyEntry, keyBytesMax } from "../keys/key-entry.js";
import { type KeyDuty, dutyOf } from "../keys/key-duty.js";
import type { DataKeyId } from "../ports/aead.js";
import { type Configuration, isJoint, members } from "../raft/configuration.js";
import type { Bound } from "../raft/view.js";
import { decodeClientAnswer } from "../store/client-protocol.js";
import type { NodeContext } from "./context.js";
import type { Desk } from "./desk.js";
import type { Keyring } from "./keyring.js";
import { type NodeRequest, encodeNodeRequest } from "./node-requests.js";
import type { Replica } from "./replica.js";
import type { ReplicaKeys } from "./replica-keys.js";
import type { Sleeper } from "./wake-heap.js";

export interface KeyPolicy {
  /** Entries under one data key; then comes the next one. Default 2^24. */
  readonly rotateAfterEntries: number;
  /** SubjectPublicKeyInfo of the offline recovery key; none by default. */
  readonly recoveryKey: Uint8Array | null;
}

export const keyPolicyDefault: KeyPolicy = { rotateAfterEntries: 2 ** 24, recoveryKey: null };

/** What is under way for a group that is led from here. */
interface Case {
  readonly replica: Replica;
  /** A person wants a key above this epoch; -1: nobody does. */
  outdated: number;
  /** Nodes that are to join, until when they must have. */
  readonly guests: Map<NodeId, number>;
  /** Public keys of HSMs that came into the place of others. */
  readonly claims: Map<NodeId, Uint8Array>;
  /** Nodes that have nothing left of the keys below `floor`, and the member there that was asked. */
  readonly clean: Map<NodeId, ReplicaId>;
  floor: number;
  /** What was done last, and by what state of the keys. */
  done: string;
  /** Made and not yet in force: proposed again rather than made again. */
  made: { readonly epoch: number; readonly id: DataKeyId } | null;
  actAtUs: number;
}

interface Question {
  readonly group: GroupId;
  readonly node: NodeId;
  /** The member there whose floor is asked for; null: the node's public key is. */
  readonly member: ReplicaId | null;
  readonly below: number;
}

/** Asked again after so long: answers get lost, and others need time. */
const againUs = 200_000;
/** Who was to join and has not by then is no guest any more. */
const guestUs = 10_000_000;
const questionsMax = 1_024;
/** Nodes that may be about to join one group. */
const guestsMax = 64;
/** Nodes whose public keys are kept; of others they are asked for again. */
const keksMax = 1_024;

export class KeyOffice implements Sleeper {
  wakeAtUs: number = Infinity;
  wakeSlot = -1;
  readonly #context: NodeContext;
  readonly #desk: Desk;
  readonly #keyring: Keyring;
  readonly #policy: KeyPolicy;
  readonly #cases = new Map<GroupId, Case>();
  /** Those that something happened to. */
  #due = new Set<GroupId>();
  /** Public keys that nodes told of themselves. */
  readonly #keks = new Map<NodeId, Uint8Array>();
  readonly #questions = new Map<RequestId, Question>();

  constructor(context: NodeContext, desk: Desk, keyring: Keyring, policy: Partial<KeyPolicy> = {}) {
    this.#context = context;
    this.#desk = desk;
    this.#keyring = keyring;
    this.#policy = { ...keyPolicyDefault, ...policy };
  }

  get bounds(): readonly Bound[] {
    return [
      { name: "questions about keys", size: this.#questions.size, limit: questionsMax },
      { name: "public keys of nodes", size: this.#keks.size, limit: keksMax },
      { name: "requests to the HSM", size: this.#keyring.asked, limit: this.#keyring.askedMax },
    ];
  }

  /** Something may have to be done for the group of a replica that leads. */
  due(replica: Replica): void {
    const known = this.#cases.get(replica.group);
    if (known?.replica !== replica) {
      if (known !== undefined) this.#dropMade(known);
      this.#cases.set(replica.group, newCase(replica));
    }
    this.#due.add(replica.group);
  }

  /** It is to stay an object: something is under way for its group. */
  concerns(replica: Replica): boolean {
    return this.#cases.get(replica.group)?.replica === replica;
  }

  /** A node has started anew: its key may be another one. */
  nodeCame(node: NodeId): void {
    this.#keks.delete(node);
  }

  /** A person wants a new data key for the group. */
  rotate(replica: Replica): void {
    this.due(replica);
    this.#cases.get(replica.group)!.outdated = replica.keys!.keys.epoch;
  }

  /** False: that node has to be given the keys first; it is seen to. */
  mayJoin(replica: Replica, node: NodeId): boolean {
    const { keys } = replica;
    // A rotation in the log may leave out who holds the key before it, and the last one to know the
    // next key may leave by the very change that brings this node.
    if (keys!.keys.holders.has(node) && !keys!.rotatesAfter(replica.raft.view)) return true;
    this.#context.marks.hit("joinedKeyless");
    this.due(replica);
    const { guests } = this.#cases.get(replica.group)!;
    if (guests.size < guestsMax || guests.has(node))
      guests.set(node, this.#context.nowUs + guestUs);
    return false;
  }

  /** A node's HSM has another key now: what is wrapped for the one before is of no use to it. */
  claim(replica: Replica, node: NodeId, publicKey: Uint8Array): void {
    const known = replica.keys!.keys.holders.get(node);
    if (known === undefined || !isPublicKey(publicKey)) return;
    if (equalBytes(known, publicKey)) {
      // What it lacks may be compacted, and a snapshot of before that is of no use to it.
      replica.step({ kind: "compactNow" }, node);
      return;
    }
    this.due(replica);
    this.#cases.get(replica.group)!.claims.set(node, publicKey);
    this.#keks.delete(node);
  }

  /** True when it was an answer to this office. */
  answered(asked: RequestId, bytes: Uint8Array): boolean {
    const question = this.#questions.get(asked);
    if (question === undefined) return false;
    this.#questions.delete(asked);
    const answer = decodeClientAnswer(bytes);
    const { group, node, member, below } = question;
    const found = this.#cases.get(group);
    if (member === null && answer.kind === "done" && isPublicKey(answer.bytes)) {
      this.#learn(node, answer.bytes.slice());
      this.#due.add(group);
    } else if (member !== null && answer.kind === "done" && found !== undefined) {
      // What was asked before the newest key says nothing of the one before it.
      if (below === found.floor) found.clean.set(node, member);
      this.#due.add(group);
    } else if (member !== null) this.#context.marks.hit("erasureWaited");
    return true;
  }

  #learn(node: NodeId, publicKey: Uint8Array): void {
    for (const oldest of this.#keks.keys()) {
      if (this.#keks.size < keksMax) break;
      this.#keks.delete(oldest);
    }
    this.#keks.set(node, publicKey);
  }

  woken(): void {
    for (const [group, { actAtUs }] of this.#cases) {
      if (actAtUs <= this.#context.nowUs) this.#due.add(group);
    }
    this.settle();
  }

  /** Between two steps. */
  settle(): void {
    if (this.#due.size === 0) return;
    const due = this.#due;
    this.#due = new Set();
    for (const group of due) {
      const found = this.#cases.get(group);
      if (found !== undefined) this.#see(group, found);
    }
    let atUs = Infinity;
    for (const { actAtUs } of this.#cases.values()) atUs = Math.min(atUs, actAtUs);
    this.#context.wakes.wakeAt(this, atUs);
  }

  #see(group: GroupId, found: Case): void {
    const { replica } = found;
    const leads = replica.leads && !replica.leaving;
    const duty = leads ? this.#dutyOf(found, replica.keys!) : null;
    const guests = leads ? this.#strangers(found) : [];
    if (duty === null && guests.length === 0) {
      // Who was given the keys and does not join has to know no key in force.
      found.done = "";
      found.actAtUs = leads ? Math.min(...found.guests.values()) : Infinity;
      if (found.actAtUs === Infinity) this.#close(group, found);
      return;
    }
    const now = `${JSON.stringify([duty, guests])} ${replica.keys!.version}`;
    if (this.#context.nowUs < found.actAtUs && found.done === now) return;
    found.done = now;
    found.actAtUs = this.#context.nowUs + againUs;
    for (const node of guests) this.#askForKek(group, node);
    switch (duty?.kind) {
      case undefined:
      case "wait":
        return;
      case "ask":
        for (const node of duty.nodes) this.#askForKek(group, node);
        return;
      case "clear":
        this.#askForFloors(replica, duty.below, duty.nodes);
        return;
      case "rotate":
      case "admit":
      case "erase":
        this.#propose(found, replica.keys!, duty);
    }
  }

  /** Nodes that are to join, of which no public key is known. */
  #strangers({ replica, guests }: Case): NodeId[] {
    const { holders } = replica.keys!.keys;
    return [...guests.keys()].filter((node) => !holders.has(node) && !this.#keks.has(node));
  }

  #close(group: GroupId, found: Case): void {
    this.#cases.delete(group);
    this.#dropMade(found);
    if (found.replica.sleeper >= 0) found.replica.rest();
  }

  /** Unless it is in force: another leader may have been quicker. */
  #dropMade({ made, replica }: Case): void {
    const used = made !== null && replica.keys!.keys.at(made.epoch)?.id === made.id;
    if (made !== null && !used) this.#keyring.aead.drop(made.id);
  }

  /** Null: nothing is to be done. */
  #dutyOf(found: Case, { keys }: ReplicaKeys): KeyDuty | null {
    const { replica, guests, claims } = found;
    const { nowUs, node } = this.#context;
    const { state, view } = replica.raft;
    const newest = newestMembers(view.configuration);
    for (const [guest, untilUs] of guests) if (untilUs <= nowUs) guests.delete(guest);
    for (const [claimant, publicKey] of claims) {
      const known = keys.holders.get(claimant);
      if (known === undefined || equalBytes(known, publicKey)) claims.delete(claimant);
    }
    if (found.floor !== keys.epoch) {
      found.floor = keys.epoch;
      found.clean.clear();
    }
    return dutyOf({
      keys,
      settled: state.applied >= state.termStart,
      stable: !isJoint(view.configuration) && view.configurationIndex <= view.commit,
      members: [...newest.keys()],
      guests: [...guests.keys()],
      knows: (other) => other === node || keys.holders.has(other) || this.#keks.has(other),
      changed: (other) => {
        const claimed = claims.get(other) ?? null;
        const present = other === node ? this.#keyring.publicKey : claimed;
        return present !== null && !equalBytes(present, keys.holders.get(other)!);
      },
      clean: new Set([...newest.keys()].filter((at) => found.clean.get(at) === newest.get(at))),
      rotates:
        keys.epoch <= found.outdated ||
        (keys.newest?.entries ?? 0) >= this.#policy.rotateAfterEntries,
    });
  }

  #askForKek(group: GroupId, node: NodeId): void {
    this.#ask({ group, node, member: null, below: 0 }, { kind: "kek" });
  }

  #askForFloors(
    { group, incarnation, raft }: Replica,
    below: number,
    nodes: readonly NodeId[],
  ): void {
    const newest = newestMembers(raft.view.configuration);
    for (const node of nodes) {
      const member = newest.get(node)!;
      const asked = { kind: "keyFloor", group, incarnation, replica: member, below } as const;
      this.#ask({ group, node, member, below }, asked);
    }
  }

  #ask(question: Question, request: NodeRequest): void {
    // The oldest has waited longest in vain.
    for (const asked of this.#questions.keys()) {
      if (this.#questions.size < questionsMax) break;
      this.#questions.delete(asked);
    }
    this.#questions.set(this.#desk.ask(question.node, encodeNodeRequest(request)), question);
  }

  #propose(
    found: Case,
    keys: ReplicaKeys,
    duty: Extract<KeyDuty, { kind: "rotate" | "admit" | "erase" }>,
  ): void {
    const entry = this.#entryOf(found, keys, duty);
    if (entry === null) return;
    const request = this.#desk.unheard();
    const payload = encodeKeyEntry(entry);
    found.replica.step({ kind: "propose", request, type: entryType.key, payload }, request);
  }

  /** Null: a public key cannot be used. */
  #entryOf(
    found: Case,
    ofReplica: ReplicaKeys,
    duty: Extract<KeyDuty, { kind: "rotate" | "admit" | "erase" }>,
  ): KeyEntry | null {
    const { keys } = ofReplica;
    const { aead } = this.#keyring;
    switch (duty.kind) {
      case "rotate": {
        const epoch = keys.epoch + 1;
        if (found.made?.epoch !== epoch) {
          this.#dropMade(found);
          found.made = { epoch, id: aead.generate() };
        }
        const { id } = found.made;
        const holders = duty.nodes.flatMap((node) => {
          const publicKey = this.#kekOf(found, node);
          const blob = this.#wrap(found, id, node);
          return blob === null ? [] : [{ node, publicKey: publicKey!, blob }];
        });
        if (holders.length < duty.nodes.length) return null;
        const { recoveryKey } = this.#policy;
        const recovery = recoveryKey === null ? emptyBytes : aead.wrapFor(id, recoveryKey);
        return { kind: "rotate", epoch, id, holders, recovery: recovery ?? emptyBytes };
      }
      case "admit": {
        const publicKey = this.#kekOf(found, duty.node)!;
        const blobs = keys.keys.flatMap(({ epoch, id }) => {
          // Of an older key it may have had no need itself: then it is asked for.
          const here = ofReplica.mayOpen(found.replica, epoch);
          const blob = here ? this.#wrap(found, id, duty.node) : null;
          return blob === null ? [] : [{ epoch, id, blob }];
        });
        if (blobs.length < keys.keys.length) return null;
        return { kind: "admit", node: duty.node, publicKey, blobs };
      }
      case "erase":
        return { kind: "erase", below: duty.below };
    }
  }

  /** Null: the node's public key is of no use, and is forgotten; the node may tell another one. */
  #wrap(found: Case, id: DataKeyId, node: NodeId): Uint8Array | null {
    const publicKey = this.#kekOf(found, node);
    const blob = publicKey === null ? null : this.#keyring.aead.wrapFor(id, publicKey);
    if (blob !== null) return blob;
    this.#keks.delete(node);
    found.claims.delete(node);
    found.guests.delete(node);
    return null;
  }

  #kekOf({ replica, claims }: Case, node: NodeId): Uint8Array | null {
    if (node === this.#context.node) return this.#keyring.publicKey;
    return claims.get(node) ?? this.#keks.get(node) ?? replica.keys!.keys.holders.get(node) ?? null;
  }
}

function isPublicKey({ length }: Uint8Array): boolean {
  return length > 0 && length <= keyBytesMax;
}

/** Of each node that has members: while one takes the other's place there are two. */
function newestMembers(configuration: Configuration): ReadonlyMap<NodeId, ReplicaId> {
  return new Map(members(configuration).map(({ node, replica }) => [node, replica]));
}

function newCase(replica: Replica): Case {
  return {
    replica,
    outdated: -1,
    guests: new Map(),
    claims: new Map(),
    clean: new Map(),
    floor: replica.keys!.keys.epoch,
    done: "",
    made: null,
    actAtUs: 0,
  };
}
