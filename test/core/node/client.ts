/** A client of a test's: sends to whoever leads, and waits. */
import { utf8Decode, utf8Encode } from "../../../src/core/bytes.js";
import type { Door } from "../../../src/core/framing/frame-types.js";
import { type GroupId, groupId } from "../../../src/core/ids.js";
import { type AdminRequest, encodeAdminRequest } from "../../../src/core/store/admin-protocol.js";
import {
  type ClientAnswer,
  type ClientReadMode,
  type ClientRequest,
  type SessionId,
  decodeClientAnswer,
  encodeClientRequest,
} from "../../../src/core/store/client-protocol.js";
import {
  decodeKvAnswer,
  encodeKvCommand,
  encodeKvQuestion,
} from "../../../src/core/store/commands.js";
import { slotOf } from "../../../src/core/store/slots.js";
import type { Node, World } from "./world.js";

/** What one node answers; the test waits for it. */
export function ask(world: World, node: Node, request: ClientRequest): ClientAnswer {
  return askBytes(world, node, "request", encodeClientRequest(request));
}

/** The same by the door of admins. */
export function askAsAdmin(world: World, node: Node, request: AdminRequest): ClientAnswer {
  return askBytes(world, node, "adminRequest", encodeAdminRequest(request));
}

export function askBytes(world: World, node: Node, door: Door, bytes: Uint8Array): ClientAnswer {
  const id = world.nextRequest();
  node.host!.request(door, id, bytes);
  world.until("an answer", () => node.answers.has(id));
  const answer = decodeClientAnswer(node.answers.get(id)!);
  if (answer.kind === "undecodable") throw new Error("an answer that cannot be decoded");
  return answer;
}

export class Client {
  readonly #world: World;
  readonly #group: GroupId;
  #session: SessionId | null = null;
  #serial = 0;

  constructor(world: World, group: number) {
    this.#world = world;
    this.#group = groupId(group);
  }

  leader(): Node {
    this.#world.until("a leader", () => this.#world.leaderOf(this.#group) !== null);
    return this.#world.leaderOf(this.#group)!;
  }

  open(): void {
    const nonce = new Uint8Array([this.#group, 1, 2, 3]);
    const answer = this.#ask({ kind: "openSession", group: this.#group, nonce });
    if (answer.kind !== "opened") throw new Error(`no session: ${answer.kind}`);
    this.#session = answer.session;
  }

  putRequest(key: string, value: string): ClientRequest {
    if (this.#session === null) this.open();
    const serial = ++this.#serial;
    const bytes = utf8Encode(key);
    const command = encodeKvCommand({ kind: "put", key: bytes, value: utf8Encode(value) });
    const { group } = this.#session!;
    const session = this.#session!;
    return {
      kind: "command",
      group,
      session,
      serial,
      ackBelow: serial,
      slot: slotOf(bytes),
      epoch: 0,
      command,
    };
  }

  put(key: string, value: string): void {
    const answer = this.#ask(this.putRequest(key, value));
    if (answer.kind !== "done") throw new Error(`not written: ${JSON.stringify(answer)}`);
  }

  getRequest(key: string, mode: ClientReadMode = "index"): ClientRequest {
    const bytes = utf8Encode(key);
    const question = encodeKvQuestion({ kind: "get", key: bytes });
    return { kind: "read", group: this.#group, mode, slot: slotOf(bytes), epoch: 0, question };
  }

  get(key: string, mode: ClientReadMode = "index", node?: Node): string | null {
    const request = this.getRequest(key, mode);
    const answer = node === undefined ? this.#ask(request) : ask(this.#world, node, request);
    if (answer.kind !== "readResult") throw new Error(`not read: ${JSON.stringify(answer)}`);
    const decoded = decodeKvAnswer(answer.bytes);
    if (decoded.kind !== "get") throw new Error(`not a value: ${decoded.kind}`);
    return decoded.value === null ? null : utf8Decode(decoded.value);
  }

  /** Refused attempts did nothing: they are made again. */
  #ask(request: ClientRequest): ClientAnswer {
    for (let attempt = 0; attempt < 50; attempt++) {
      const answer = ask(this.#world, this.leader(), request);
      if (answer.kind !== "refused") return answer;
      this.#world.ticks(20);
    }
    throw new Error(`refused for ever: ${request.kind}`);
  }
}
