import fc from "fast-check";
import { expect, test } from "vitest";
import { Links } from "../../../src/core/node/links.js";

const action = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), list: fc.nat(3), owner: fc.nat(40) }),
  fc.record({ kind: fc.constant("remove" as const), owner: fc.nat(40) }),
  fc.record({ kind: fc.constant("move" as const), from: fc.nat(3), to: fc.nat(3) }),
);

test("links: any additions, removals and moves: as arrays would have it", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const links = new Links();
      const lists = Array.from({ length: 4 }, () => links.newList());
      let model: number[][] = [[], [], [], []];
      const own = new Map<number, number>();
      for (const act of actions) {
        if (act.kind === "add") {
          own.set(act.owner, links.add(lists[act.list]!, act.owner, own.get(act.owner) ?? -1));
          model[act.list]!.push(act.owner);
        } else if (act.kind === "remove") {
          links.remove(own.get(act.owner) ?? -1);
          own.delete(act.owner);
          model = model.map((list) => list.filter((owner) => owner !== act.owner));
        } else if (act.from !== act.to) {
          links.moveAll(lists[act.from]!, lists[act.to]!);
          model[act.to]!.push(...model[act.from]!.splice(0));
        }
        expect(lists.map((list) => links.first(list))).toEqual(model.map((list) => list[0] ?? -1));
        expect(lists.map((list) => links.isEmpty(list))).toEqual(model.map((l) => l.length === 0));
      }
      // In order to the last.
      for (const [at, list] of model.entries()) {
        const found: number[] = [];
        while (!links.isEmpty(lists[at]!)) {
          const owner = links.first(lists[at]!);
          found.push(owner);
          links.remove(own.get(owner)!);
          own.delete(owner);
        }
        const seen = new Set<number>();
        const left = list.filter((owner) => !seen.has(owner) && seen.add(owner));
        for (const later of model.slice(at + 1)) {
          later.splice(0, later.length, ...later.filter((owner) => !seen.has(owner)));
        }
        expect(found).toEqual(left);
      }
    }),
  );
});
