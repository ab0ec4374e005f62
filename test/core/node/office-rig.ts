/** A key office on node 1, and a replica of group 5 whose Raft is as a test says. */
import { utf8Encode } from "../../../src/core/bytes.js";
import { entryType } from "../../../src/core/entry.js";
import {
  type Index,
  type RequestId,
  type Term,
  groupId,
  incarnation,
  nodeId,
  replicaId,
} from "../../../src/core/ids.js";
import { type KeyEntry, decodeKeyEntry, encodeKeyEntry } from "../../../src/core/keys/key-entry.js";
import type { NodeContext } from "../../../src/core/node/context.js";
import { Desk } from "../../../src/core/node/desk.js";
import { KeyOffice, type KeyPolicy } from "../../../src/core/node/key-office.js";
import { Keyring } from "../../../src/core/node/keyring.js";
import { type NodeRequest, decodeNodeRequest } from "../../../src/core/node/node-requests.js";
import { ReplicaKeys } from "../../../src/core/node/replica-keys.js";
import type { Replica } from "../../../src/core/node/replica.js";
import { refusalBytes } from "../../../src/core/node/requests.js";
import { WakeHeap } from "../../../src/core/node/wake-heap.js";
import { type Configuration, emptyConfiguration } from "../../../src/core/raft/configuration.js";
import type { RaftInput } from "../../../src/core/raft/raft.js";
import { encodeClientAnswer } from "../../../src/core/store/client-protocol.js";
import { CountedMarks } from "../counted-marks.js";
import { rotate } from "../keys/entries.js";
import { TestAead, testKeyId } from "../keys/test-aead.js";

/** After so long what was done in vain is done again; and a guest is none any more. */
export const againUs = 200_000;
export const guestUs = 10_000_000;

export interface AskedQuestion {
  readonly id: RequestId;
  readonly to: number;
  readonly about: NodeRequest;
}

export const publicKeyOf = (node: number): Uint8Array => Uint8Array.of(node);
export const told = (bytes: Uint8Array): Uint8Array => encodeClientAnswer({ kind: "done", bytes });
export const cleared = told(new Uint8Array(0));
export const refused = refusalBytes("notReady", null);
export const undecodable = utf8Encode("no answer");

const life = { group: groupId(5), incarnation: incarnation(1) };

export class OfficeRig {
  nowUs = 1_000_000;
  readonly node = nodeId(1);
  readonly boot = 1;
  readonly marks = new CountedMarks();
  readonly wakes = new WakeHeap();
  readonly aead = new TestAead();
  readonly proposed: KeyEntry[] = [];
  /** Other than proposals. */
  readonly steps: string[] = [];
  readonly asked: AskedQuestion[] = [];
  readonly state = { applied: 10, termStart: 5 };
  readonly view = { applied: 10, last: 10, commit: 10, configurationIndex: 0, configuration: {} };
  readonly outbox = { add: (to: number, letter: Letter): void => this.#ask(to, letter) };
  readonly keyring: Keyring;
  readonly keys: ReplicaKeys;
  readonly office: KeyOffice;
  readonly replica: Replica & { leads: boolean; leaving: boolean };
  readonly #desk = new Desk(this as unknown as NodeContext);
  #seen = 0;

  constructor(policy: Partial<KeyPolicy> = {}) {
    const { node, marks, aead } = this;
    const hsm = { submit: (): void => {} };
    const nowUs = (): number => this.nowUs;
    this.keyring = new Keyring({ node, hsm, aead, marks, nowUs, wakeAt: () => {} });
    this.keys = new ReplicaKeys({
      keyring: this.keyring,
      node,
      key: { ...life, replica: replicaId(1) },
      marks,
      erased: () => {},
      floorAt: () => {},
      snapshotId: () => [1, 1, 1],
    });
    this.office = new KeyOffice(this as unknown as NodeContext, this.#desk, this.keyring, policy);
    this.replica = {
      ...life,
      keys: this.keys,
      raft: { state: this.state, view: this.view },
      leads: true,
      leaving: false,
      step: (input: RaftInput) => this.#noteStep(input),
    } as unknown as typeof this.replica;
    this.members([1, 1], [2, 2], [3, 3]);
  }

  /** The members, on `nodes`, hold keys of the epochs from 1 on. */
  static withKeys(
    epochs: number,
    nodes: readonly number[] = [1, 2, 3],
    policy: Partial<KeyPolicy> = {},
  ): OfficeRig {
    const rig = new OfficeRig(policy);
    rig.startHsm();
    rig.members(...nodes.map((node) => [node, node] as const));
    for (let epoch = 1; epoch <= epochs; epoch++) {
      rig.aead.generate();
      rig.apply(rotate(epoch, nodes));
    }
    return rig;
  }

  /** The HSM tells this node's key. */
  startHsm(): void {
    this.keyring.start();
    this.#tellOwn(1, publicKeyOf(1));
  }

  /** What the HSM was asked for it does not find, and then tells of another key. */
  replaceHsm(publicKey: Uint8Array): void {
    this.keyring.want({ keyCame: () => {} }, testKeyId(77), publicKey);
    this.keyring.hsmDone(2, { ok: false, error: { code: "notFound", detail: "" } as never });
    this.#tellOwn(3, publicKey);
  }

  #tellOwn(op: number, publicKey: Uint8Array): void {
    const key = { reference: { label: "kek" }, publicKey } as never;
    this.keyring.hsmDone(op, { ok: true, value: { kind: "key", key } });
  }

  /** Pairs of replica and node; those of `outgoing` make it a joint configuration. */
  members(...voters: readonly (readonly [number, number])[]): void {
    this.configure(voters, []);
  }

  configure(voters: Pairs, outgoing: Pairs): void {
    const of = (pairs: Pairs): Configuration["voters"] =>
      pairs.map(([replica, node]) => ({
        replica: replicaId(replica),
        node: nodeId(node),
        disk: 1,
      }));
    this.view.configuration = { ...emptyConfiguration, voters: of(voters), outgoing: of(outgoing) };
  }

  /** Something happened to the group. */
  due(): void {
    this.office.due(this.replica);
    this.settle();
  }

  settle(): void {
    this.office.settle();
    for (const letter of this.#desk.takeLetters()) this.#ask(letter.from, letter);
  }

  /** Time passes, and the office is woken when it wants to be. */
  pass(us: number): void {
    const untilUs = this.nowUs + us;
    for (let woken = 0; this.wakes.soonestUs <= untilUs; woken++) {
      if (woken > us / againUs + 10) throw new Error("the office comes to no rest");
      this.nowUs = Math.max(this.nowUs, this.wakes.soonestUs);
      this.wakes.takeDue(this.nowUs)!.woken();
      this.settle();
    }
    this.nowUs = untilUs;
  }

  /** What was asked since the last call, by node. */
  newQuestions(): AskedQuestion[] {
    const from = this.#seen;
    this.#seen = this.asked.length;
    return this.asked.slice(from).toSorted((a, b) => a.to - b.to);
  }

  /** Which nodes were asked for their public keys since the last call. */
  askedForKeks(): number[] {
    return this.newQuestions().flatMap(({ to, about }) => (about.kind === "kek" ? [to] : []));
  }

  /** Answers the newest question to that node; false: nobody waits for it. */
  answer(node: number, bytes: Uint8Array): boolean {
    return this.answerTo(
      this.asked.findLast(({ to }) => to === node)!,
      bytes,
    );
  }

  answerTo({ id }: AskedQuestion, bytes: Uint8Array): boolean {
    const known = this.office.answered(id, bytes);
    this.settle();
    return known;
  }

  tellKeks(...nodes: readonly number[]): void {
    for (const node of nodes) this.answer(node, told(publicKeyOf(node)));
  }

  /** As of an entry that is committed, whoever proposed it. */
  apply(entry: KeyEntry): void {
    const index = ++this.state.applied as Index;
    Object.assign(this.view, {
      applied: index,
      commit: index,
      last: Math.max(index, this.view.last),
    });
    this.keys.apply(asEntry(entry, index));
    this.due();
  }

  /** It is in the log, and not committed yet. */
  append(entry: KeyEntry): void {
    this.keys.foresee({ keyCame: () => {} }, asEntry(entry, ++this.view.last as Index));
  }

  /** What was proposed last is committed. */
  commit(): void {
    this.apply(this.proposed.at(-1)!);
  }

  #ask(to: number, { asked, bytes }: Letter): void {
    const about = decodeNodeRequest(bytes);
    if (about.kind === "undecodable") throw new Error("a question that nobody understands");
    this.asked.push({ id: asked as RequestId, to, about });
  }

  #noteStep(input: RaftInput): void {
    if (input.kind === "propose") this.#noteProposal(input.payload);
    else this.steps.push(input.kind);
  }

  #noteProposal(payload: Uint8Array): void {
    const entry = decodeKeyEntry(payload);
    if (entry.kind === "undecodable") throw new Error("a proposal that nobody understands");
    this.proposed.push(entry);
  }
}

type Pairs = readonly (readonly [number, number])[];

interface Letter {
  readonly asked: number;
  readonly bytes: Uint8Array;
}

function asEntry(entry: KeyEntry, index: Index): Parameters<ReplicaKeys["apply"]>[0] {
  const payload = encodeKeyEntry(entry);
  return { term: 1 as Term, index, type: entryType.key, keyEpoch: 0, payload };
}
