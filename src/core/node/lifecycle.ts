/**
 * Which replicas may live on this disk. A replica is made once: at the founding of its group, or when
 * the node of a leader says that its configuration names this very disk for it. One that was lost
 * or removed here never comes back under its id (CONTRACTS 4).
 */
import { emptyBytes } from "../bytes.js";
import type { SnapshotMeta } from "../entry.js";
import type { Invite, UnknownReplica } from "../framing/messages.js";
import type { EraseRequest, FoundRequest } from "./node-requests.js";
import type { GroupId, Incarnation, Index, NodeId, ReplicaId, Term, Token } from "../ids.js";
import { type Configuration, type Member, members, memberOf } from "../raft/configuration.js";
import { decodeConfiguration, encodeConfiguration } from "../raft/configuration-codec.js";
import type { RaftView } from "../raft/view.js";
import type { RecoveredNode, ReplicaKey } from "../wal/log-store.js";
import type { NodeContext } from "./context.js";
import type { Replica } from "./replica.js";
import type { Replicas } from "./replicas.js";
import type { QueuedWrite, Writer } from "./write-queue.js";

/** A group as it was made: who belongs to it, and on which disks. */
export interface FoundingGroup {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly configuration: Configuration;
}

/** What became of a request to make or to remove a replica. `underWay`: to be asked again. */
export type LifeAnswer = "done" | "underWay" | "refused";

/** A replica whose founding record is on its way to disk; until it is there nothing is stepped. */
export class Founding implements Writer {
  readonly group: ReplicaKey["group"];
  readonly incarnation: ReplicaKey["incarnation"];
  readonly replica: ReplicaKey["replica"];
  readonly leads = false;
  readonly commit: Index = 0 as Index;
  waiting: QueuedWrite | null = null;
  lastBatch = 0;
  readonly meta: SnapshotMeta;
  readonly #finished: (founding: Founding, durable: boolean) => void;

  constructor(
    key: ReplicaKey,
    configuration: Uint8Array,
    finished: (founding: Founding, durable: boolean) => void,
  ) {
    this.group = key.group;
    this.incarnation = key.incarnation;
    this.replica = key.replica;
    this.meta = {
      index: 0 as Index,
      term: 0 as Term,
      configuration,
      sizeBytes: 0,
      checksum: 0,
    };
    this.#finished = finished;
  }

  persisted(): void {
    this.#finished(this, true);
  }

  persistFailed(): void {
    this.#finished(this, false);
  }
}

/** Founding records of a start that may be on their way to disk at once. */
const foundingsMax = 1_024;

export class Lifecycle {
  readonly #context: NodeContext;
  readonly #replicas: Replicas;
  readonly #begin: (founding: Founding) => void;
  /** Lost or removed here: their ids are dead on this disk. */
  readonly #dead = new Set<string>();
  /** On their way to disk. */
  readonly #underWay = new Set<string>();
  /** Replicas may have lived here of which nothing is known any more. */
  #forgotten = false;
  /** Groups to be founded, and the first that is not under way yet. */
  #toFound: readonly FoundingGroup[] = [];
  #foundNext = 0;

  /** `begin` starts the replica of a founding record that is durable. */
  constructor(context: NodeContext, replicas: Replicas, begin: (founding: Founding) => void) {
    this.#context = context;
    this.#replicas = replicas;
    this.#begin = begin;
  }

  recovered(node: RecoveredNode): void {
    this.#forgotten = node.forgotten;
    for (const key of node.removed) this.#dead.add(nameOf(key));
    for (const replica of node.replicas) if (replica.lost) this.#dead.add(nameOf(replica));
  }

  /** Replicas whose founding record is on its way to disk. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Makes this node's replicas of groups that are new here. */
  found(groups: readonly FoundingGroup[]): void {
    this.#toFound = groups;
    this.#foundNext = 0;
    this.#foundSome();
  }

  /** So many at a time that the log always has room for the next batch of them. */
  #foundSome(): void {
    const { node, disk } = this.#context;
    while (this.#foundNext < this.#toFound.length && this.#underWay.size < foundingsMax) {
      const { group, incarnation, configuration } = this.#toFound[this.#foundNext++]!;
      const own = memberOn(configuration, node);
      if (own === undefined || own.disk !== disk) continue;
      const key = { group, incarnation, replica: own.replica };
      if (this.#replicas.holds(key) || !this.#mayMake(key)) continue;
      this.#foundAt(key, encodeConfiguration(configuration));
    }
    if (this.#foundNext === this.#toFound.length) this.#toFound = [];
  }

  /** Nobody would ask for it again before the next start: without room now it is tried again. */
  #foundAt(key: ReplicaKey, configuration: Uint8Array): void {
    const founding = this.#underWayTo(key, configuration, {
      durable: (made) => {
        this.#begin(made);
        this.#foundSome();
      },
      failed: () => this.#foundAt(key, configuration),
    });
    this.#context.writes.create(founding, founding.meta, 1 as Token);
  }

  /** A message came for a replica that does not live here: asks its sender's node whether it may. */
  answerStray(from: NodeId, key: ReplicaKey): void {
    const { outbox, marks, disk } = this.#context;
    if (this.#isUnderWay(key)) return;
    marks.hit("unknownReplicaAnswered");
    const { group, incarnation, replica } = key;
    outbox.add(from, { kind: "unknownReplica", group, incarnation, replica, disk });
  }

  /**
   * A node does not know a replica: invites it if our own leads and its configuration names it. Who
   * campaigns invites too: when its leader died before they were made, the votes of new members are
   * what the group lacks.
   */
  onUnknown(from: NodeId, asked: UnknownReplica): void {
    const { outbox, marks } = this.#context;
    const { group, incarnation, replica, disk } = asked;
    // Beside the one that may invite others may live here that have left and do not know it.
    const inviter = this.#replicas
      .peekAll(group)
      .find((ours) => ours.incarnation === incarnation && mayInvite(ours.raft.view, replica, from));
    if (inviter === undefined) return;
    const { configuration, configurationIndex } = inviter.raft.view;
    if (memberOf(configuration, replica)!.disk !== disk) {
      marks.hit("inviteRefusedForDisk");
      return;
    }
    marks.hit("inviteSent");
    // Who is not told now whom the group was founded with would never hear it from the log.
    const founding = configurationIndex === 0 ? encodeConfiguration(configuration) : emptyBytes;
    outbox.add(from, {
      kind: "invite",
      group,
      incarnation,
      replica,
      disk,
      configuration: founding,
    });
  }

  onInvite(invite: Invite): void {
    const { disk, marks } = this.#context;
    if (invite.disk !== disk || this.#replicas.holds(invite)) return;
    if (!isFoundingOf(invite) || !this.#mayMake(invite)) return;
    marks.hit("invitedReplicaCreated");
    this.#make(invite, invite.configuration.slice());
  }

  /** The steward asks for a member's replica of a new group. */
  onFound({ group, incarnation, configuration: encoded }: FoundRequest): LifeAnswer {
    const { node, disk } = this.#context;
    const decoded = decodeConfiguration(encoded);
    const own = "ok" in decoded ? memberOn(decoded.ok, node) : undefined;
    if (own === undefined || own.disk !== disk) return "refused";
    const key = { group, incarnation, replica: own.replica };
    if (this.#replicas.holds(key)) return "done";
    if (this.#isUnderWay(key)) return "underWay";
    if (!this.#mayMake(key)) return "refused";
    this.#make(key, encoded.slice());
    return "underWay";
  }

  /**
   * The steward asks for the end of a replica. One that was never made here is buried all the same: a
   * late request could make it otherwise.
   */
  onErase({ group, incarnation, replica }: EraseRequest): LifeAnswer {
    const key = { group, incarnation, replica };
    if (this.#isDead(key)) return "done";
    if (this.#isUnderWay(key)) return "underWay";
    const living = this.#replicas.find(key);
    if (living === null) {
      this.#context.marks.hit("unmadeReplicaBuried");
      const { writes } = this.#context;
      const burial = this.#underWayTo(key, emptyBytes, {
        durable: (buried) => this.#dead.add(nameOf(buried)),
      });
      writes.create(burial, burial.meta, 1 as Token);
      writes.remove(burial, 1 as Token);
    } else living.leave();
    return "underWay";
  }

  removed(replica: Replica): void {
    this.#context.marks.hit("replicaRemoved");
    this.#dead.add(nameOf(replica.key));
  }

  #mayMake(key: ReplicaKey): boolean {
    if (this.#isUnderWay(key)) return false;
    const dead = this.#forgotten || this.#isDead(key);
    if (dead) this.#context.marks.hit("strayReplicaRefused");
    return !dead;
  }

  #isUnderWay(key: ReplicaKey): boolean {
    return this.#underWay.has(nameOf(key));
  }

  #isDead(key: ReplicaKey): boolean {
    return this.#dead.has(nameOf(key));
  }

  #make(key: ReplicaKey, configuration: Uint8Array): void {
    const founding = this.#underWayTo(key, configuration, { durable: (made) => this.#begin(made) });
    this.#context.writes.create(founding, founding.meta, 1 as Token);
  }

  /** `durable` is called once its record is, `failed` without room on the disk: it is forgotten. */
  #underWayTo(
    { group, incarnation, replica }: ReplicaKey,
    configuration: Uint8Array,
    ends: { readonly durable: (founding: Founding) => void; readonly failed?: () => void },
  ): Founding {
    const key = { group, incarnation, replica };
    const founding = new Founding(key, configuration, (ended, durable) => {
      this.#underWay.delete(nameOf(ended));
      if (durable) ends.durable(ended);
      else ends.failed?.();
    });
    this.#underWay.add(nameOf(key));
    return founding;
  }
}

function mayInvite(view: RaftView, replica: ReplicaId, node: NodeId): boolean {
  return view.role !== "follower" && memberOf(view.configuration, replica)?.node === node;
}

/** No configuration, or one that has the invited replica on this disk. */
function isFoundingOf({ configuration, replica, disk }: Invite): boolean {
  if (configuration.length === 0) return true;
  const decoded = decodeConfiguration(configuration);
  return "ok" in decoded && memberOf(decoded.ok, replica)?.disk === disk;
}

/** As a key of sets. */
function nameOf({ group, incarnation, replica }: ReplicaKey): string {
  return `${group}/${incarnation}/${replica}`;
}

function memberOn(configuration: Configuration, node: NodeId): Member | undefined {
  return members(configuration).find((member) => member.node === node);
}
