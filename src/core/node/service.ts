/** What clients and admins ask of a replica: put to its Raft, or answered at once. */
import { emptyBytes } from "../bytes.js";
import type { MemberChange, ReadMode } from "../consensus.js";
import { type EntryType, entryType } from "../entry.js";
import type { RequestId } from "../ids.js";
import { encodeKeyEntry } from "../keys/key-entry.js";
import type { MapVersion } from "../state-machine.js";
import type { AdminRequest } from "../store/admin-protocol.js";
import { type ClientRequest, encodeClientAnswer } from "../store/client-protocol.js";
import { encodeAdminEntry, encodeDataEntry, encodeSessionEntry } from "../store/entries.js";
import type { NodeContext } from "./context.js";
import { groupStatusAnswer } from "./group-status.js";
import type { KeyOffice } from "./key-office.js";
import type { Replica } from "./replica.js";
import { type Question, type Requests, refusalBytes } from "./requests.js";

export type Asked = ClientRequest | AdminRequest;

export class Service {
  readonly #context: NodeContext;
  readonly #requests: Requests;
  readonly #keyOffice: KeyOffice | null;

  constructor(context: NodeContext, requests: Requests, keyOffice: KeyOffice | null) {
    this.#context = context;
    this.#requests = requests;
    this.#keyOffice = keyOffice;
  }

  /** `request` is not under way yet, and the replica stays; `word` is the request's checksum. */
  serve(replica: Replica, request: RequestId, asked: Asked, word: number): void {
    switch (asked.kind) {
      case "openSession": {
        const payload = encodeSessionEntry({ kind: "open", nonce: asked.nonce });
        this.#propose(replica, request, entryType.session, payload, word);
        return;
      }
      case "closeSession": {
        const payload = encodeSessionEntry({ kind: "close", session: asked.session });
        this.#propose(replica, request, entryType.session, payload, word);
        return;
      }
      case "command":
        this.#propose(replica, request, entryType.data, encodeDataEntry(asked), word);
        return;
      case "read": {
        const { slot, epoch, question } = asked;
        // A follower asks its leader for an index by itself.
        const mode: ReadMode = asked.mode === "lease" ? "lease" : "index";
        const query = { kind: "query", slot, epoch, question: question.slice() } as const;
        this.#read(replica, request, query, mode, word);
        return;
      }
      case "readSlots":
        this.#read(replica, request, asked, "index", word);
        return;
      case "change":
        this.#change(replica, request, asked, word);
        return;
      case "status":
        this.#stepped(asked.kind, word);
        this.#context.answers.push({ request, bytes: groupStatusAnswer(replica.raft.state) });
        return;
      case "map":
        if ("known" in asked) this.#answerMap(replica, request, asked.known, word);
        else this.#proposeMap(replica, request, asked.bytes, word);
        return;
      case "rotateKeys":
        this.#rotateKeys(replica, request, word);
        return;
      case "revokeKeys":
        this.#propose(replica, request, entryType.key, encodeKeyEntry({ kind: "revoke" }), word);
        return;
      case "transfer":
        this.#requests.open(request, "errand");
        replica.step({ kind: "transfer", request, to: asked.to }, word);
        return;
      case "life":
        this.#propose(replica, request, entryType.groupLife, asked.payload.slice(), word);
        return;
    }
  }

  #read(
    replica: Replica,
    request: RequestId,
    question: Question,
    mode: ReadMode,
    word: number,
  ): void {
    this.#requests.openRead(request, question);
    replica.step({ kind: "read", request, mode }, word);
  }

  /** A late copy of a request must not change what came of the first one. */
  #change(
    replica: Replica,
    request: RequestId,
    { changes, at }: Extract<AdminRequest, { kind: "change" }>,
    word: number,
  ): void {
    if (replica.leads && at !== null && at !== replica.raft.view.configurationIndex) {
      this.#context.marks.hit("changeForOtherConfiguration");
      this.#stepped("change", word);
      const bytes = refusalBytes("otherConfiguration", this.#context.node);
      this.#context.answers.push({ request, bytes });
      return;
    }
    if (replica.leads && !this.#mayJoin(replica, changes)) {
      this.#stepped("change", word);
      this.#context.answers.push({ request, bytes: refusalBytes("keysUnavailable", null) });
      return;
    }
    this.#requests.open(request, "errand");
    replica.step({ kind: "change", request, changes }, word);
  }

  /** Answered when it is noted; the group's status tells when it is done. */
  #rotateKeys(replica: Replica, request: RequestId, word: number): void {
    this.#stepped("rotateKeys", word);
    if (this.#keyOffice !== null && replica.leads) {
      this.#keyOffice.rotate(replica);
      this.#context.answers.push({ request, bytes: noted });
      return;
    }
    const reason = this.#keyOffice === null ? "keysUnavailable" : "notLeader";
    this.#context.answers.push({
      request,
      bytes: refusalBytes(reason, replica.raft.state.leaderNode || null),
    });
  }

  /** Who joins has the group's keys before it learns its log (CONTRACTS 12). */
  #mayJoin(replica: Replica, changes: readonly MemberChange[]): boolean {
    const office = this.#keyOffice;
    if (office === null) return true;
    const waits = changes.filter(
      (change) => "node" in change && !office.mayJoin(replica, change.node),
    );
    return waits.length === 0;
  }

  /** Routing may be stale: the replica says what it has applied, without asking anyone. */
  #answerMap({ store }: Replica, request: RequestId, known: number, word: number): void {
    this.#stepped("map", word);
    const map = store.machine.map?.() ?? noMap;
    const bytes = map.version <= known ? emptyBytes : map.bytes;
    const answer = encodeClientAnswer({ kind: "map", version: map.version, bytes });
    this.#context.answers.push({ request, bytes: answer });
  }

  #proposeMap(replica: Replica, request: RequestId, bytes: Uint8Array, word: number): void {
    const atUs = this.#context.wallUs();
    const payload = encodeAdminEntry({ who: whoUntilLinksSay, atUs, bytes });
    this.#propose(replica, request, entryType.admin, payload, word);
  }

  #propose(
    replica: Replica,
    request: RequestId,
    type: EntryType,
    payload: Uint8Array,
    word: number,
  ): void {
    this.#requests.open(request, "command");
    // Before anyone is asked: what followers held but this disk could not would stop its reads.
    if (this.#context.wal.low && replica.leads) {
      this.#context.marks.hit("proposalRefusedForSpace");
      this.#requests.refuse(request, "noSpace", null);
      replica.step({ kind: "noRoom" }, word);
      return;
    }
    replica.step({ kind: "propose", request, type, payload }, word);
  }

  #stepped(kind: string, word: number): void {
    this.#context.observer.stepped(this.#context.node, kind, word, null);
  }
}

const noted: Uint8Array = encodeClientAnswer({ kind: "done", bytes: emptyBytes });

const noMap: MapVersion = { version: 0, bytes: emptyBytes };

/** Links have no certificates yet that would name the admin. */
const whoUntilLinksSay = "admin";
