import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Orders } from "../../docs/guide/embedding.js";
import { groupId } from "../../src/core/ids.js";
import { multiRaft } from "../../src/core/node/multi-raft-node.js";
import { World } from "../core/node/world.js";

const guide = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/guide/${name}`, import.meta.url)), "utf8");

it("guide: orders come to all nodes in one order, and who leads is known everywhere", () => {
  const world = new World(3);
  const founding = [world.founding(1, [1, 2, 3])];
  const shops: Orders[] = [];
  for (const node of world.nodes) {
    node.start(multiRaft({ founding }), {}, (ports) => {
      const orders = new Orders(ports);
      shops.push(orders);
      return orders.node.host;
    });
  }
  world.until("all know who leads", () => shops.every(({ journal }) => journal.length > 0));
  const leader = shops.findIndex(({ takesOrders }) => takesOrders);
  const told: string[] = [];
  const tell = (message: string): number => told.push(message);
  shops[leader]!.order("tea", tell);
  shops[leader]!.order("cake", tell);
  shops[(leader + 1) % 3]!.order("nothing", tell);
  world.until("both came to all", () => shops.every(({ journal }) => journal.length === 3));
  expect(told.sort()).toEqual([
    `not ordered (notLeader), ask node ${leader + 1}`,
    "ordered",
    "ordered",
  ]);
  const term = shops[leader]!.node.status(groupId(1))!.term;
  for (const { journal } of shops) {
    const led = `node ${leader + 1} leads in term ${term}`;
    expect(journal).toEqual([led, "ordered: tea", "ordered: cake"]);
  }
  expect(shops[leader]!.standing).toMatch(/^leader, 0 behind, \d+ committed; leads 1 groups$/);
});

it("guide: the chapter shows the code that is tested", () => {
  expect(guide("06-in-your-program.md")).toContain(guide("embedding.ts").trim());
});
