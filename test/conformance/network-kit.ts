/** What the network's suite needs of a world, and the nodes that note what it does to them. */
import { expect, onTestFinished } from "vitest";
import { equalBytes } from "../../src/core/bytes.js";
import { frameTypeOf } from "../../src/core/framing/frame-types.js";
import { encodeFrame, frameId, frameOverheadBytes } from "../../src/core/framing/frame.js";
import { type Boot, type NodeId, nodeId } from "../../src/core/ids.js";
import type { Network, NetworkEvents } from "../../src/core/ports/network.js";

type Maybe<T> = T | Promise<T>;

/** Nodes 1, 2, 3 and so on of one network, all of them started. */
export interface NetworkUnderTest {
  /** Of the process that runs on the node, or ran there last. */
  readonly port: (node: NodeId) => Network;
  /** What the greeting of that process says. */
  readonly greeting: (node: NodeId) => { readonly boot: Boot; readonly disk: number };
  /** Ends its process as a crash does. */
  readonly stop: (node: NodeId) => Maybe<void>;
  /** Starts a new one, with a higher boot, on the same disk. */
  readonly start: (node: NodeId) => Maybe<void>;
  /** Nothing passes between the two any more, either way, or all again; null where that cannot be tried. */
  readonly cut: ((one: NodeId, other: NodeId, isCut: boolean) => Maybe<void>) | null;
  /** Makes the world go on until it is so, at least a little; rejects when that does not come. */
  readonly until: (isSo: () => boolean) => Maybe<void>;
  /** Makes the world go on until whatever is under way has arrived or is lost. */
  readonly settle: () => Maybe<void>;
  /** The largest frame that it carries. */
  readonly frameBytesMax: number;
  /** Of frames of this size so many wait for one peer at most; null where there is no such number. */
  readonly queue: { readonly frameBytes: number; readonly framesMax: number } | null;
  readonly close: () => Maybe<void>;
}

/** `eventsOf` is asked at each start of a node: whatever that process is to hear goes there. */
export type MakeNetwork = (
  count: number,
  eventsOf: (node: NodeId) => NetworkEvents,
) => Maybe<NetworkUnderTest>;

/** One start of a node. */
interface Life {
  readonly node: NodeId;
  /** To whom its links are up, with the greetings. */
  readonly up: Map<NodeId, { readonly boot: Boot; readonly disk: number }>;
  /** Numbers of the frames that arrived. */
  readonly got: { readonly from: NodeId; readonly frame: number }[];
  isOver: boolean;
}

interface Sent {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly bytes: Uint8Array;
  readonly boot: Boot;
  /** Of the peer, as the sender knew it. */
  readonly toBoot: Boot | null;
}

const payload = (frame: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => frame * 31 + at * 7 + (at >>> 8));

/**
 * The nodes of one test. What no network may do is noted wherever it happens, and fails the test in the end:
 * whoever calls the events must not be disturbed by an error.
 */
export class Nodes {
  /** Called from inside the events. */
  onUp: (node: NodeId, peer: NodeId) => void = () => {};
  onFrame: (node: NodeId, from: NodeId, frame: number) => void = () => {};
  readonly ids: readonly NodeId[];
  readonly #wrong: string[] = [];
  readonly #lives = new Map<NodeId, Life>();
  readonly #sent: Sent[] = [];
  #under: NetworkUnderTest | null = null;
  #isCalling = false;

  private constructor(count: number) {
    this.ids = Array.from({ length: count }, (_, at) => nodeId(at + 1));
  }

  /** With every link up. */
  static async make(makeNetwork: MakeNetwork, count: number): Promise<Nodes> {
    const nodes = new Nodes(count);
    const under = await makeNetwork(count, (node) => nodes.#eventsOf(node));
    nodes.#under = under;
    onTestFinished(async () => {
      await under.settle();
      await under.close();
      expect(nodes.#wrong).toEqual([]);
    });
    await nodes.linked();
    return nodes;
  }

  get under(): NetworkUnderTest {
    return this.#under!;
  }

  life(node: NodeId): Life {
    return this.#lives.get(node)!;
  }

  /** Whether each of the two knows boot and disk of the other's running process. */
  joined(one: NodeId, other: NodeId): boolean {
    const knows = (node: NodeId, peer: NodeId): boolean => {
      const known = this.life(node).up.get(peer);
      const { boot, disk } = this.under.greeting(peer);
      return known?.boot === boot && known.disk === disk;
    };
    return knows(one, other) && knows(other, one);
  }

  async linked(): Promise<void> {
    await this.under.until(() =>
      this.ids.every((one) => this.ids.every((other) => one === other || this.joined(one, other))),
    );
  }

  async stop(node: NodeId): Promise<void> {
    await this.under.stop(node);
    this.life(node).isOver = true;
  }

  /** Hands over one batch of frames of these sizes, and returns their numbers. */
  send(from: NodeId, to: NodeId, ...sizes: readonly number[]): number[] {
    const { boot } = this.under.greeting(from);
    const toBoot = this.life(from).up.get(to)?.boot ?? null;
    const numbers: number[] = [];
    const frames = sizes.map((size) => {
      const frame = this.#sent.length;
      const bytes = encodeFrame({
        type: frameTypeOf.machine,
        flags: 0,
        group: 0,
        incarnation: 0,
        id: frame,
        payload: payload(frame, size - frameOverheadBytes),
      });
      numbers.push(frame);
      this.#sent.push({ from, to, bytes: bytes.slice(), boot, toBoot });
      return bytes;
    });
    this.#isCalling = true;
    try {
      this.under.port(from).send(to, frames);
    } finally {
      this.#isCalling = false;
    }
    return numbers;
  }

  /** Numbers of what arrived in the running process of a node. */
  got(node: NodeId, from: NodeId): number[] {
    return this.life(node)
      .got.filter((each) => each.from === from)
      .map(({ frame }) => frame);
  }

  /** Waits until a node has got so many frames from another, and returns their numbers. */
  async received(node: NodeId, from: NodeId, count: number): Promise<number[]> {
    await this.under.until(() => this.got(node, from).length >= count);
    await this.under.settle();
    return this.got(node, from);
  }

  #eventsOf(node: NodeId): NetworkEvents {
    const life: Life = { node, up: new Map(), got: [], isOver: false };
    this.#lives.set(node, life);
    return {
      linkUp: (peer, boot, disk) => {
        this.#event(life, `up ${peer}`);
        if (life.up.has(peer)) this.#wrong.push(`${node}: ${peer} is up twice`);
        life.up.set(peer, { boot, disk });
        this.onUp(node, peer);
      },
      linkDown: (peer) => {
        this.#event(life, `down ${peer}`);
        if (!life.up.delete(peer)) this.#wrong.push(`${node}: ${peer} is down twice`);
      },
      frameArrived: (from, bytes) => {
        this.#event(life, `frame from ${from}`);
        const frame = bytes.length < frameOverheadBytes ? -1 : frameId(bytes);
        this.#judge(life, from, frame, bytes);
        life.got.push({ from, frame });
        this.onFrame(node, from, frame);
      },
    };
  }

  #event(life: Life, what: string): void {
    if (this.#isCalling) this.#wrong.push(`${life.node}: ${what}, inside a call`);
    if (life.isOver) this.#wrong.push(`${life.node}: ${what}, after the end of its process`);
  }

  #judge({ node, up }: Life, from: NodeId, frame: number, bytes: Uint8Array): void {
    const wrong = (what: string): unknown =>
      this.#wrong.push(`${node}: frame ${frame} from ${from} ${what}`);
    const sent = this.#sent[frame];
    if (sent === undefined || !equalBytes(sent.bytes, bytes)) wrong("was never sent so");
    else if (sent.from !== from || sent.to !== node) wrong("is another's");
    else if (!up.has(from)) wrong("came while the link was down");
    else if (up.get(from)!.boot !== sent.boot) wrong("is of another start");
    else if (sent.toBoot !== null && sent.toBoot !== this.under.greeting(node).boot)
      wrong("is for another start");
  }
}
