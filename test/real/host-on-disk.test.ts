/** The host that the simulator runs, on a folder and the machine's own clock: a group of one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { utf8Decode, utf8Encode } from "../../src/core/bytes.js";
import { groupId, incarnation, nodeId, requestId } from "../../src/core/ids.js";
import { Host } from "../../src/core/node/host.js";
import { multiRaft } from "../../src/core/node/multi-raft-node.js";
import { firstConfiguration } from "../../src/core/raft/configuration-change.js";
import {
  type ClientAnswer,
  type ClientRequest,
  decodeClientAnswer,
  encodeClientRequest,
} from "../../src/core/store/client-protocol.js";
import {
  decodeKvAnswer,
  encodeKvCommand,
  encodeKvQuestion,
} from "../../src/core/store/commands.js";
import { slotOf } from "../../src/core/store/slots.js";
import { SystemClock } from "../../src/real/clock.js";
import { FolderDisk } from "../../src/real/disk/folder-disk.js";
import { SystemRandom } from "../../src/real/random.js";

const group = groupId(1);
const founders = firstConfiguration([{ node: nodeId(1), disk: 7 }]);
if ("refused" in founders) throw new Error(founders.refused);
const founding = [{ group, incarnation: incarnation(1), configuration: founders.ok }];
/** Small, so that segments are filled, emptied and used again. */
const wal = { segmentBytes: 65_536, batchBytesMax: 32_768 };
const raft = { snapshotEveryEntries: 64, trailingEntries: 8 };
const nothing = (): void => {};

let folder: string;
let running: Node | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quorumlab-host-"));
});
afterEach(async () => {
  await running?.stop();
  rmSync(folder, { recursive: true, force: true });
});

class Node {
  stoppedWith: string | null = null;
  readonly #clock = new SystemClock(() => this.#host.woken());
  readonly #disk: FolderDisk;
  readonly #host: Host;
  readonly #waiting = new Map<number, (answer: ClientAnswer) => void>();
  #ends = false;
  #requests = 0;

  static async start(): Promise<Node> {
    const events = { done: nothing as (...answer: Parameters<Host["diskDone"]>) => void };
    const disk = await FolderDisk.open(folder, { diskDone: (...done) => events.done(...done) });
    const node = new Node(disk);
    events.done = (...done) => node.#host.diskDone(...done);
    node.#host.format(7, 0);
    node.#host.start();
    running = node;
    return node;
  }

  private constructor(disk: FolderDisk) {
    this.#disk = disk;
    this.#host = new Host({
      node: nodeId(1),
      clock: this.#clock,
      network: { send: nothing },
      disk,
      random: new SystemRandom(),
      clients: {
        answer: (request, bytes) => {
          const answer = decodeClientAnswer(bytes);
          if (answer.kind !== "undecodable") this.#waiting.get(request)?.(answer);
        },
      },
      wantTurn: () => setImmediate(() => this.#ends || this.#host.turn()),
      observer: {
        replicaStarted: nothing,
        stepped: nothing,
        batchSubmitted: nothing,
        messageReleased: nothing,
        applied: nothing,
        restored: nothing,
        answered: nothing,
        event: nothing,
        stopped: (_node, reason) => (this.stoppedWith = reason),
      },
      marks: { hit: nothing },
      wal,
      logic: multiRaft({ founding, raft }),
    });
  }

  /** Refused attempts did nothing: they are made again. */
  async ask(request: ClientRequest): Promise<ClientAnswer> {
    for (;;) {
      const id = requestId(++this.#requests);
      const answered = new Promise<ClientAnswer>((resolve) => this.#waiting.set(id, resolve));
      this.#host.request("request", id, encodeClientRequest(request));
      const answer = await answered;
      if (answer.kind !== "refused") return answer;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    this.#ends = true;
    this.#clock.stop();
    await this.#disk.close();
    running = null;
  }
}

test("a host on a folder: what was acknowledged is there after each restart", async () => {
  const expected = new Map<string, string>();
  for (let life = 1; life <= 3; life++) {
    const node = await Node.start();
    for (const [key, value] of expected) expect(await get(node, key)).toBe(value);
    const opened = await node.ask({ kind: "openSession", group, nonce: Uint8Array.of(life) });
    if (opened.kind !== "opened") throw new Error(opened.kind);
    for (let serial = 1; serial <= 150; serial++) {
      const [key, value] = [`k${serial % 10}`, `${life}.${serial}`.padEnd(300, ".")];
      const bytes = utf8Encode(key);
      const command = encodeKvCommand({ kind: "put", key: bytes, value: utf8Encode(value) });
      const answer = await node.ask({
        kind: "command",
        group,
        session: opened.session,
        serial,
        ackBelow: serial,
        slot: slotOf(bytes),
        epoch: 0,
        command,
      });
      expect(answer.kind).toBe("done");
      expected.set(key, value);
    }
    expect(node.stoppedWith).toBeNull();
    await node.stop();
  }
});

async function get(node: Node, key: string): Promise<string | null> {
  const bytes = utf8Encode(key);
  const question = encodeKvQuestion({ kind: "get", key: bytes });
  const read = { kind: "read", group, mode: "index", slot: slotOf(bytes), epoch: 0 } as const;
  const answer = await node.ask({ ...read, question });
  if (answer.kind !== "readResult") throw new Error(answer.kind);
  const decoded = decodeKvAnswer(answer.bytes);
  return decoded.kind === "get" && decoded.value !== null ? utf8Decode(decoded.value) : null;
}
