import fc from "fast-check";
import { expect, test } from "vitest";
import { Slab } from "../../../src/core/node/slab.js";

const action = fc.oneof(
  fc.record({ put: fc.uint8Array({ maxLength: 90 }) }),
  fc.record({ remove: fc.nat(20) }),
);

test("slab: any bytes put and removed: what is kept stays as it was, and rows are used again", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const slab = new Slab(24, 4);
      const kept: { readonly row: number; readonly bytes: Uint8Array }[] = [];
      for (const act of actions) {
        if ("put" in act) kept.push({ row: slab.put(act.put), bytes: act.put.slice() });
        else if (kept.length > 0) slab.remove(kept.splice(act.remove % kept.length, 1)[0]!.row);
        for (const { row, bytes } of kept) expect(slab.get(row)).toEqual(bytes);
      }
      // A removed string leaves room for another of its length.
      const before = slab.rows;
      for (const { row } of kept) slab.remove(row);
      for (const { bytes } of kept) slab.put(bytes);
      expect(slab.rows).toBe(before);
    }),
  );
});
