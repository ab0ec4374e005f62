import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binaryCodec } from "../../../src/core/framing/codec.js";
import type { FramedMessage } from "../../../src/core/framing/messages.js";
import {
  type Incarnation,
  type NodeId,
  type ReplicaId,
  groupId,
  incarnation,
  nodeId,
  replicaId,
} from "../../../src/core/ids.js";
import { multiRaft } from "../../../src/core/node/multi-raft-node.js";
import {
  type NodeRequest,
  decodeNodeRequest,
  encodeNodeRequest,
} from "../../../src/core/node/node-requests.js";
import { encodeConfiguration } from "../../../src/core/raft/configuration-codec.js";
import { decodeClientAnswer } from "../../../src/core/store/client-protocol.js";
import { Client } from "./client.js";
import { type Node, World } from "./world.js";

const group32 = fc.integer({ min: 0, max: 0xffff_ffff });
const anyRequest: fc.Arbitrary<NodeRequest> = fc.oneof(
  fc.record({
    kind: fc.constant("found" as const),
    group: group32.map(groupId),
    incarnation: group32.map(incarnation),
    configuration: fc.uint8Array({ maxLength: 40 }),
  }),
  fc.record({
    kind: fc.constant("erase" as const),
    group: group32.map(groupId),
    incarnation: group32.map(incarnation),
    replica: fc.integer({ min: 0, max: 2 ** 40 }).map(replicaId),
  }),
  fc.record({ kind: fc.constant("led" as const), above: group32 }),
  fc.constant({ kind: "kek" as const }),
  fc.record({
    kind: fc.constant("keyFloor" as const),
    group: group32.map(groupId),
    incarnation: group32.map(incarnation),
    replica: fc.integer({ min: 0, max: 2 ** 40 }).map(replicaId),
    below: fc.integer({ min: 0, max: 0xffff }),
  }),
  fc.record({
    kind: fc.constant("keyClaim" as const),
    group: group32.map(groupId),
    incarnation: group32.map(incarnation),
    publicKey: fc.uint8Array({ maxLength: 2_048 }),
  }),
  fc.record({ kind: fc.constant("status" as const), group: group32.map(groupId) }),
);

describe("requests of nodes as bytes", () => {
  test("node requests: there and back", () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        expect(decodeNodeRequest(encodeNodeRequest(request))).toEqual(request);
      }),
      { seed: 21 },
    );
  });

  test("node requests: any bytes, and all that are cut short, give a request or an error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(decodeNodeRequest(bytes).kind).toBeTypeOf("string");
      }),
      { seed: 22 },
    );
    fc.assert(
      fc.property(anyRequest, fc.nat(), (request, cut) => {
        const bytes = encodeNodeRequest(request);
        const short = bytes.subarray(0, cut % bytes.length);
        expect(decodeNodeRequest(short).kind).toBe("undecodable");
      }),
      { seed: 23 },
    );
  });
});

/** Another node asks by a frame of its own; the kind of the answer, with the reason of a refusal. */
class Asker {
  readonly #world: World;
  readonly #answers = new Map<number, Uint8Array>();
  #asked = 0;

  constructor(world: World) {
    this.#world = world;
    world.passes = (_from, _to, message: FramedMessage) => {
      if (message.kind === "nodeAnswer") this.#answers.set(message.to, message.bytes);
      return true;
    };
  }

  ask(node: Node, request: NodeRequest): string {
    return this.askBytes(node, encodeNodeRequest(request));
  }

  askBytes(node: Node, bytes: Uint8Array): string {
    const asked = ++this.#asked;
    const frame = binaryCodec().encode({ kind: "nodeRequest", asked, bytes }, 1_000 + asked);
    node.host!.frameArrived(nodeId(node.id === 1 ? 3 : 1), frame);
    this.#world.until("an answer", () => this.#answers.has(asked));
    const answer = decodeClientAnswer(this.#answers.get(asked)!);
    return answer.kind === "refused" ? answer.reason : answer.kind;
  }

  /** Asks until it is not under way any more. */
  untilDone(node: Node, request: NodeRequest): string {
    for (let n = 0; n < 100; n++) {
      const said = this.ask(node, request);
      if (said !== "notReady") return said;
    }
    throw new Error("never done");
  }
}

const life = (n: number): Incarnation => incarnation(n);

function founding(world: World, incarnationOf: Incarnation): NodeRequest {
  const { configuration } = world.founding(7, [1, 2, 3]);
  return {
    kind: "found",
    group: groupId(7),
    incarnation: incarnationOf,
    configuration: encodeConfiguration(configuration),
  };
}

function started(): { readonly world: World; readonly asker: Asker } {
  const world = new World(3);
  for (const node of world.nodes) node.start(multiRaft());
  world.until("all run", () => world.nodes.every(({ host }) => host!.stage === "running"));
  return { world, asker: new Asker(world) };
}

function erasing(replica: ReplicaId, of: Incarnation): NodeRequest {
  return { kind: "erase", group: groupId(7), incarnation: of, replica };
}

const replicaOn = (node: Node): ReplicaId => replicaId(node.id as NodeId);

describe("replicas are made and removed by request", () => {
  test("node requests: a group is founded, serves, and is gone from every node for good", () => {
    const { world, asker } = started();
    for (const node of world.nodes) {
      expect(asker.untilDone(node, founding(world, life(3)))).toBe("done");
      // Asked again it changes nothing.
      expect(asker.ask(node, founding(world, life(3)))).toBe("done");
    }
    const client = new Client(world, 7);
    client.put("a/x", "one");
    expect(client.get("a/x")).toBe("one");
    for (const node of world.nodes) {
      expect(asker.untilDone(node, erasing(replicaOn(node), life(3)))).toBe("done");
      expect(node.host!.viewOf(groupId(7))).toBe(null);
    }
    // A late copy of the founding, also after a restart.
    const [first] = world.nodes;
    first!.kill();
    first!.start(multiRaft());
    world.until("it runs", () => first!.host!.stage === "running");
    expect(asker.ask(first!, founding(world, life(3)))).toBe("badTarget");
    expect(asker.untilDone(first!, founding(world, life(4)))).toBe("done");
  });

  test("node requests: what is erased before it was made is never made, also after a restart", () => {
    const { world, asker } = started();
    const node = world.node(2);
    expect(asker.untilDone(node, erasing(replicaOn(node), life(3)))).toBe("done");
    expect(node.marks.unmadeReplicaBuried).toBe(1);
    node.kill();
    node.start(multiRaft());
    world.until("it runs", () => node.host!.stage === "running");
    expect(asker.ask(node, founding(world, life(3)))).toBe("badTarget");
    expect(node.host!.viewOf(groupId(7))).toBe(null);
  });

  test("node requests: a configuration without this node's disk makes nothing", () => {
    const { world, asker } = started();
    const request = founding(world, life(3));
    world.node(2).diskId += 1;
    const other = founding(world, life(3));
    expect(asker.ask(world.node(2), other)).toBe("badTarget");
    const nonsense = { ...request, configuration: new Uint8Array([1, 2, 3]) } as NodeRequest;
    expect(asker.ask(world.node(2), nonsense)).toBe("badTarget");
  });

  test("node requests: an admin's request by a node's frame, and nonsense", () => {
    const { world, asker } = started();
    expect(asker.ask(world.node(2), { kind: "status", group: groupId(9) })).toBe("noGroup");
    expect(asker.askBytes(world.node(2), new Uint8Array([9]))).toBe("malformed");
  });

  test("node requests: of two lives of a group on one node the newer one is asked", () => {
    const { world, asker } = started();
    for (const node of world.nodes) asker.untilDone(node, founding(world, life(3)));
    const old = new Client(world, 7);
    old.put("a/x", "old");
    for (const node of world.nodes) asker.untilDone(node, founding(world, life(4)));
    world.until("the new life has a leader", () =>
      world.nodes.some(({ host }) => {
        const view = host!.viewOf(groupId(7));
        return view?.incarnation === 4 && view.role === "leader";
      }),
    );
    const client = new Client(world, 7);
    expect(client.get("a/x")).toBe(null);
  });
});
