/** How a client finds who serves a slot, when it gives up, and what it says then. */
import { describe, expect, test } from "vitest";
import { fixedRouting } from "../../../src/core/client/routing.js";
import { type NodeId, nodeId } from "../../../src/core/ids.js";
import { digestOf, pack } from "../../../src/core/plain.js";
import type { ClientRefusal } from "../../../src/core/store/client-protocol.js";
import { encodeOwners, nodes } from "./maps.js";
import { OneClient, allOf, groupA, groupB, slotCount } from "./one-client.js";

const done = { kind: "done", bytes: Uint8Array.of(9) } as const;
const value = { kind: "readResult", bytes: Uint8Array.of(9) } as const;
const moved = { kind: "moved", epoch: 2 } as const;
const refused = (
  reason: ClientRefusal,
  leader: NodeId | 0 = 0,
): { readonly kind: "refused"; readonly reason: ClientRefusal; readonly leader: NodeId | 0 } => {
  return { kind: "refused", reason, leader };
};
const failed = (reason: string): object => ({ kind: "failed", reason });

describe("client: outcomes", () => {
  test("failed, if every attempt was refused, with the last reason", () => {
    const one = new OneClient();
    one.command(1, 0, 30_000);
    one.open(5);
    while (one.outcomes.size === 0) {
      if (one.asked.length > 0) one.answer(one.asked.shift()!, refused("notReady"));
      else one.timer();
    }
    expect(one.outcomes.get(1)).toEqual(failed("notReady"));
    expect(one.nowUs).toBe(31_000);
  });

  test("unknown, if one was not answered", () => {
    const one = new OneClient();
    one.command(1, 0, 2_000_000);
    one.open(5);
    one.next("command");
    one.runOut();
    expect(one.outcomes.get(1)).toEqual({ kind: "unknown" });
  });

  test("failed, if it was never sent", () => {
    const one = new OneClient();
    one.command(1, 0, 2_000_000);
    one.next("openSession");
    one.runOut();
    expect(one.outcomes.get(1)).toEqual(failed("deadline"));
    const lost = new OneClient({ routing: null });
    lost.command(1, 0, 2_000_000);
    lost.runOut();
    expect(lost.outcomes.get(1)).toEqual(failed("noMap"));
  });

  test("failed for a read, whatever happened", () => {
    const one = new OneClient();
    one.read(1, "index", 2_000_000);
    one.next("read");
    one.runOut();
    expect(one.outcomes.get(1)).toEqual(failed("deadline"));
  });

  test("failed at once, if nobody would ever take it", () => {
    const one = new OneClient();
    one.command(1);
    one.open(5);
    one.answer(one.next("command"), refused("tooLarge"));
    one.command(2);
    one.answer(one.next("command"), { kind: "malformed", code: "field" });
    one.command(3, slotCount);
    expect(one.outcomes.get(1)).toEqual(failed("tooLarge"));
    expect(one.outcomes.get(2)).toEqual(failed("malformed"));
    expect(one.outcomes.get(3)).toEqual(failed("noSuchSlot"));
  });

  test("not failed at once, if an earlier attempt may have been taken", () => {
    const one = new OneClient();
    one.command(1);
    one.open(5);
    one.next("command");
    one.answer(one.next("command"), refused("tooLarge"));
    one.answer(one.next("command"), { kind: "malformed", code: "field" });
    one.answer(one.next("command"), done);
    expect(one.outcomes.get(1)).toEqual(done);
  });

  test("done, also by an answer that comes late or with the deadline", () => {
    const one = new OneClient();
    one.command(1, 0, 3_000_000);
    one.open(5);
    const first = one.next("command");
    one.next("command");
    one.nowUs = 3_001_000;
    one.answer(first, done);
    expect(one.outcomes.get(1)).toEqual(done);
  });

  test("the first answer counts, and nothing waits any more", () => {
    const one = new OneClient();
    one.read(1, "index");
    const asked = one.next("read");
    one.answer(asked, value);
    one.answer(asked, { kind: "readResult", bytes: Uint8Array.of(8) });
    expect(one.outcomes.get(1)).toEqual(done);
    expect(one.marks.has("clientAnswerDropped")).toBe(true);
    expect(one.wakeAtUs).toBe(Infinity);
  });
});

describe("client: limits", () => {
  test("more operations than may be are refused", () => {
    const one = new OneClient({ limits: { operationsMax: 1 } });
    one.command(1);
    one.command(2);
    expect(one.outcomes.get(2)).toEqual(failed("operationsFull"));
    expect(one.client.state.operations.size).toBe(1);
  });

  test("the state is plain data at any time", () => {
    const one = new OneClient({ routing: null });
    one.command(1);
    one.map(1, allOf(groupA, 1));
    one.open(5);
    expect(digestOf(one.client.state)).not.toEqual(digestOf(new OneClient().client.state));
    expect(pack(one.client.state).length).toBeGreaterThan(0);
  });
});

describe("client: whom to ask", () => {
  test("the leader that was named, but not every time", () => {
    const one = new OneClient();
    one.read(1, "index");
    const asked: number[] = [];
    for (let n = 0; n < 12; n++) {
      const read = one.next("read");
      asked.push(read.node);
      // Two that name each other.
      one.answer(read, refused("notLeader", nodeId(read.node === 1 ? 2 : 1)));
    }
    expect(new Set(asked)).toEqual(new Set([1, 2, 3]));
    expect(one.marks.has("clientHintIgnored")).toBe(true);
  });

  test("one after the other, while nobody answers", () => {
    const one = new OneClient();
    one.read(1, "index");
    const asked = [one.next("read"), one.next("read"), one.next("read")].map(({ node }) => node);
    expect(new Set(asked)).toEqual(new Set(nodes));
  });

  test("another one soon, when a node is known to be away", () => {
    const one = new OneClient();
    one.read(1, "index");
    const first = one.next("read");
    const waitUs = one.wakeAtUs - one.nowUs;
    one.step({ kind: "unreachable", node: first.node });
    expect(one.wakeAtUs - one.nowUs).toBeLessThan(waitUs / 10);
    expect(one.wakeAtUs).toBeGreaterThan(one.nowUs);
    one.timer();
    expect(one.next("read").node).not.toBe(first.node);
  });

  test("in the ordinary way, when there was no lease", () => {
    const one = new OneClient();
    one.read(1, "lease");
    const lease = one.next("read");
    expect(lease.request.mode).toBe("lease");
    one.answer(lease, refused("noLease"));
    expect(one.next("read").request.mode).toBe("index");
  });

  test("any replica, for a follower read", () => {
    const one = new OneClient();
    const asked = new Set<number>();
    for (let n = 1; n <= 20; n++) {
      one.read(n, "follower");
      const read = one.next("read");
      asked.add(read.node);
      one.answer(read, value);
    }
    expect(asked).toEqual(new Set(nodes));
  });

  test("waits grow, and have an end", () => {
    const one = new OneClient({ times: { backoffUs: { min: 1_000, max: 64_000 } } });
    one.read(1, "index");
    const waits: number[] = [];
    for (let n = 0; n < 10; n++) {
      one.answer(one.next("read"), refused("overloaded"));
      waits.push(one.wakeAtUs - one.nowUs);
    }
    expect(waits[0]).toBeLessThanOrEqual(1_000);
    expect(Math.max(...waits)).toBeGreaterThan(16_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(64_000);
  });
});

describe("client: the map", () => {
  test("is fetched before anything else, of a seed", () => {
    const one = new OneClient({ routing: null, seeds: [nodeId(3)] });
    one.command(1);
    const asked = one.next("map");
    expect(asked).toMatchObject({ node: 3, request: { known: 0 } });
    one.answer(asked, { kind: "map", version: 1, bytes: encodeOwners(1, allOf(groupA, 1)) });
    expect(one.next("openSession").request.group).toBe(groupA);
  });

  test.each([
    ["moved", moved],
    ["retired", refused("retired")],
    ["noGroup", refused("noGroup")],
    ["a leader that it does not have", refused("notLeader", nodeId(77))],
  ])("is fetched again after: %s", (_name, answer) => {
    const one = new OneClient();
    one.read(1, "index");
    one.answer(one.next("read"), answer);
    expect(one.next("map").request.known).toBe(1);
  });

  test("is fetched again when nobody answers", () => {
    const one = new OneClient();
    one.read(1, "index");
    one.next("read");
    one.next("read");
    one.next("map");
  });

  test("is fetched again after refusals that say nothing, as what is left of an ended group gives them", () => {
    const one = new OneClient();
    one.read(1, "index");
    for (let n = 0; n < 7; n++) one.answer(one.next("read"), refused("notLeader"));
    expect(one.asked.filter(({ request }) => request.kind === "map")).toEqual([]);
    one.answer(one.next("read"), refused("notLeader"));
    one.next("map");
  });

  test("is fetched again when nobody opens a session, and none says why", () => {
    const one = new OneClient();
    one.command(1);
    for (let n = 0; n < 8; n++) one.answer(one.next("openSession"), refused("notLeader"));
    one.next("map");
  });

  test("is asked for by one request at a time, of another node each time, and not too often", () => {
    const one = new OneClient({ times: { mapEveryUs: 700_000 } });
    one.command(1, 0);
    one.command(2, 1);
    one.open(5);
    const asked: { node: number; atUs: number }[] = [];
    while (asked.length < 4) {
      const next = one.asked.shift();
      if (next === undefined) one.timer();
      else if (next.request.kind === "command") one.answer(next, moved);
      else if (next.request.kind === "map") {
        asked.push({ node: next.node, atUs: one.nowUs });
        if (asked.length % 2 === 0) one.answer(next, refused("noGroup"));
      }
    }
    for (let n = 1; n < asked.length; n++) {
      expect(asked[n]!.atUs - asked[n - 1]!.atUs).toBeGreaterThanOrEqual(250_000);
      expect(asked[n]!.node).not.toBe(asked[n - 1]!.node);
    }
    expect(asked[2]!.atUs - asked[1]!.atUs).toBeGreaterThanOrEqual(700_000);
  });

  test("an older one, another cluster's and bytes that are none change nothing", () => {
    const one = new OneClient({ routing: null });
    one.command(1);
    const asked = one.next("map");
    const twice = [...allOf(groupB, 9), ...allOf(groupB, 9)];
    one.answer(asked, { kind: "map", version: 9, bytes: encodeOwners(9, twice) });
    one.answer(asked, { kind: "map", version: 9, bytes: encodeOwners(8, allOf(groupB, 9)) });
    one.answer(asked, { kind: "map", version: 9, bytes: Uint8Array.of(1) });
    expect(one.client.state.mapVersion).toBe(0);
    expect(one.marks.of("clientMapRefused")).toBe(3);
    one.answer(asked, { kind: "map", version: 2, bytes: encodeOwners(2, allOf(groupA, 1)) });
    one.answer(one.next("openSession"), refused("retired"));
    one.map(1, allOf(groupB, 9));
    expect(one.client.state.mapVersion).toBe(2);
    expect(one.client.routing!.settings.get("version")).toBe("2");
  });

  test("says that nobody serves a slot: it waits for another one", () => {
    const noOwner = { ...decodeNobody(), version: 1 };
    const one = new OneClient({ routing: noOwner });
    one.command(1, 0, 3_000_000);
    one.map(2, allOf(groupB, 2));
    expect(one.next("openSession").request.group).toBe(groupB);
    one.runOut();
    const nobody = new OneClient({ routing: noOwner });
    nobody.command(1, 0, 3_000_000);
    nobody.runOut();
    expect(nobody.outcomes.get(1)).toEqual(failed("noOwner"));
  });

  test("of a cluster without one is never asked for", () => {
    const groups = [
      { group: groupA, slots: { from: 0, to: 2 }, nodes },
      { group: groupB, slots: { from: 2, to: slotCount }, nodes },
    ];
    const one = new OneClient({ routing: fixedRouting(slotCount, groups), decodeMap: null });
    one.command(1, 3, 3_000_000);
    expect(one.next("openSession").request.group).toBe(groupB);
    one.runOut();
    expect(one.asked.some(({ request }) => request.kind === "map")).toBe(false);
    expect(fixedRouting(slotCount, groups.slice(0, 1)).at(3)).toBeNull();
  });
});

describe("client: close", () => {
  test("ends what is under way, closes the sessions, and takes nothing more", () => {
    const one = new OneClient();
    one.command(1);
    const session = one.open(5);
    one.next("command");
    one.read(2, "index");
    one.step({ kind: "close" });
    expect(one.outcomes.get(1)).toEqual({ kind: "unknown" });
    expect(one.outcomes.get(2)).toEqual(failed("closed"));
    expect(one.next("closeSession").request.session).toEqual(session);
    one.command(3);
    expect(one.outcomes.get(3)).toEqual(failed("closed"));
    expect(one.wakeAtUs).toBe(Infinity);
    expect(one.client.state.requests.size).toBe(0);
  });
});

function decodeNobody(): ReturnType<typeof fixedRouting> {
  return fixedRouting(slotCount, []);
}
