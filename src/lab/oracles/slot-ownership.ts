import type { Operation } from "../operation.js";
import type { OracleSpec } from "../oracle.js";

interface Acknowledged {
  readonly group: number;
  /** When the first operation at this epoch was answered. */
  readonly sinceUs: number;
}

/**
 * CONTRACTS 11: a slot belongs to one group at each epoch, and once any group has acknowledged an
 * operation on it at some epoch, no group acknowledges one that was invoked later at an earlier one.
 * Judged by what clients sent and got, never by what a group or the map says of itself.
 */
export const slotOwnership: OracleSpec = {
  id: "slot-ownership",
  about: "a slot is served by one group at each epoch, and never again at an earlier one",
  judges: "step",
  make(report) {
    /** slot -> epoch -> who answered first. */
    const slots = new Map<number, Map<number, Acknowledged>>();
    function violated(operation: Operation, what: string, shape: string): void {
      const { id, key } = operation.planned;
      const { slot, group, epoch } = operation.served!;
      report({
        message: `group ${group} answered operation ${id} on ${key} (slot ${slot}) at epoch ${epoch}, ${what}`,
        shape,
        node: 0,
        group,
      });
    }
    return {
      completed(operation, nowUs) {
        const { served, outcome, invokedUs } = operation;
        if (served === null || outcome !== "ok") return;
        let epochs = slots.get(served.slot);
        if (epochs === undefined) slots.set(served.slot, (epochs = new Map()));
        for (const [epoch, { group, sinceUs }] of epochs) {
          if (epoch === served.epoch && group !== served.group) {
            violated(operation, `as group ${group} did too`, "two groups at one epoch");
          }
          if (epoch > served.epoch && sinceUs < invokedUs) {
            const lateUs = invokedUs - sinceUs;
            const what = `invoked ${lateUs} us after group ${group} had answered at epoch ${epoch}`;
            violated(operation, what, "served at an epoch that was over");
          }
        }
        if (!epochs.has(served.epoch)) {
          epochs.set(served.epoch, { group: served.group, sinceUs: nowUs });
        }
      },
    };
  },
};
